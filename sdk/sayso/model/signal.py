"""Signals: something that speaks for the consumer, such as Global Privacy Control."""

from enum import StrEnum
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from sayso.model.choice import DeviceId
from sayso.model.instant import AwareTime, Micros


class SignalName(StrEnum):
    """The signals Sayso knows.

    An age signal goes to `PUT …/age`; STOP and one-click unsubscribe are choices.
    """

    GPC = "gpc"
    DNT = "dnt"


class SignalSource(StrEnum):
    """Where the signal was seen.

    Safari sets the property, not the header, so the widget relays it in the body.
    """

    HEADER = "header"
    NAVIGATOR = "navigator"
    APP = "app"


class SignalReport(BaseModel):
    """The body of `POST …/signals`: the signal is on.

    There is no way to report it off: absence never withdraws.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    name: SignalName
    source: SignalSource = SignalSource.HEADER
    device_id: DeviceId | None = None
    observed_at: AwareTime | None = None


class SignalSeen(NamedTuple):
    """The first sight of a signal on one device. `device_id` is empty where none was named."""

    name: str
    device_id: str
    version: int
    effective_at: Micros
    source: str
