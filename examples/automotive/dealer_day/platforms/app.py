"""The dealer's own app: choices made offline and sent later, and the age band that the phone's system gives."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from dealer_day.happenings import Aged, By, Chose, Happening, Who
from dealer_day.shape import Shape, ShapeError


def parse(payload: Shape, headers: Mapping[str, str], at: datetime) -> list[Happening]:
    """Read what the app sends about choices and age."""
    who = Who(By.CUSTOMER, payload["customer"].text())
    if payload["event"].one_of(("choices_synced", "age_signal")) == "choices_synced":
        return list(_choices(payload, who, at))
    band = payload["ageSignals"]  # Google Play's words
    lower, upper = band.find("ageLower"), band.find("ageUpper")
    return [
        Aged(
            who,
            at,
            None if lower is None else lower.whole(),
            None if upper is None else upper.whole(),
            "os_signal",
            "play-age-signals",
        )
    ]


def _choices(payload: Shape, who: Who, at: datetime) -> Iterator[Happening]:
    # Nobody knows how wrong the phone's clock is, but how long a choice waited it measured well: the difference
    # of its own two times is taken off the time of arrival.
    sent_at = payload["sent_at"].moment()
    for choice in payload["choices"].each():
        waited = sent_at - choice["made_at"].moment()
        if waited < timedelta(0):
            raise ShapeError(f"{choice.path}.made_at lies after {payload.path}.sent_at")
        yield Chose(
            who,
            at - waited,
            choice["topic"].text(),
            choice["answer"].one_of(("granted", "denied", "withdrawn")),
            "api",
            f"app:{choice['id'].text()}",
            language=payload["language"].text(),
            device=payload["device"].text(),
        )
