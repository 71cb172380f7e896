"""The body of `PUT …/devices/{device_id}`."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from sayso.model.instant import AwareTime


class DeviceReportBody(BaseModel):
    """What a device says: exactly what the library reports, and which library that is. Without a time it is now."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    vocabulary: Annotated[str, Field(min_length=1, max_length=64)]
    observed_at: AwareTime | None = None
    states: Annotated[dict[str, Any], Field(max_length=100)]
