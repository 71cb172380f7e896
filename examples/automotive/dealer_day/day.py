"""Reading `day.jsonl`: one delivery per line, in the order in which the dealer's backend received them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from dealer_day.happenings import Happening
from dealer_day.platforms import PARSERS
from dealer_day.shape import Shape, ShapeError


class DayError(ValueError):
    """The day can't be read; the message names line and path."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One line of the day: when it arrived, from which platform, and what it means."""

    line: int
    at: datetime
    platform: str
    happenings: tuple[Happening, ...]


def read_day(path: Path) -> list[Delivery]:
    """Read the whole day.

    Raises:
        DayError: The file is missing, a line is no JSON, or its payload is not in its platform's shape.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DayError(f"{path.name} can't be read: {type(error).__name__}") from None
    return list(_deliveries(text))


def _deliveries(text: str) -> Iterator[Delivery]:
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            yield _delivery(number, Shape(json.loads(line), "line"))
        except ShapeError as error:
            raise DayError(f"line {number}: {error}") from None
        except ValueError:
            raise DayError(f"line {number} is no JSON") from None


def _delivery(number: int, line: Shape) -> Delivery:
    at = line["at"].moment()
    platform = line["platform"].one_of(PARSERS)
    headers = line.find("headers")
    given = {} if headers is None else {name: headers[name].text() for name in headers.members()}
    happenings = PARSERS[platform](Shape(line["payload"].value), given, at)
    return Delivery(number, at, platform, tuple(happenings))
