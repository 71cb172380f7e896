"""What permission libraries report: the app posts the library's own answer under `states`, unchanged."""

from collections.abc import Callable, Mapping
from datetime import datetime

from dealer_day.happenings import By, Happening, Reported, Who
from dealer_day.shape import Shape

Parser = Callable[[Shape, Mapping[str, str], datetime], list[Happening]]


def permission_report(vocabulary: str) -> Parser:
    """Make the parser of one library. Sayso knows every library's words, so nothing is translated here."""

    def parse(payload: Shape, headers: Mapping[str, str], at: datetime) -> list[Happening]:
        who = Who(By.CUSTOMER, payload["customer"].text())
        device = payload["device"].text()
        return [Reported(who, payload["observed_at"].moment(), device, vocabulary, payload["states"].members())]

    return parse
