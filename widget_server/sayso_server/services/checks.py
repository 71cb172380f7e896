"""The body of `POST /v1/decisions`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sayso.model.choice import ConsumerId, DeviceId
from sayso.model.instant import AwareTime, Micros, to_micros
from sayso.wire import MAX_CHECKS


class Check(BaseModel):
    """One question: may this be done for that consumer, now or as of then?"""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    consumer_id: ConsumerId
    topic: Annotated[str, Field(min_length=1, max_length=160)]
    device_id: DeviceId | None = None
    as_of: AwareTime | None = None
    sender: Annotated[str, Field(min_length=1, max_length=128, description="for a channel: who sends")] | None = None

    @property
    def moment(self) -> Micros | None:
        """The past moment asked about, in microseconds, or None for now."""
        return to_micros(self.as_of) if self.as_of is not None else None


class CheckBatch(BaseModel):
    """1 to 500 checks."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    checks: Annotated[tuple[Check, ...], Field(min_length=1, max_length=MAX_CHECKS)]
