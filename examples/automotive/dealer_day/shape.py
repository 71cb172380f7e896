"""A received JSON value that knows where in its payload it lies, so that an error can name the place."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime


class ShapeError(ValueError):
    """A payload is not as its platform documents it; the message names the path, never the value."""


class Shape:
    """One value of a payload.

    `payload["body"]["changes"].each()` walks it. What is missing or of another type raises ShapeError with the path,
    such as `payload.body.changes[0].event.type`.
    """

    def __init__(self, value: object, path: str = "payload") -> None:
        self.value = value
        self.path = path

    def __getitem__(self, name: str) -> Shape:
        found = self.find(name)
        if found is None:
            raise ShapeError(f"{self.path}.{name} is missing")
        return found

    def find(self, name: str) -> Shape | None:
        members = self.members()
        return Shape(members[name], f"{self.path}.{name}") if members.get(name) is not None else None

    def members(self) -> dict[str, object]:
        if not isinstance(self.value, dict):
            raise ShapeError(f"{self.path} is no object")
        return self.value

    def each(self) -> Iterator[Shape]:
        if not isinstance(self.value, list):
            raise ShapeError(f"{self.path} is no list")
        return (Shape(item, f"{self.path}[{place}]") for place, item in enumerate(self.value))

    def first(self) -> Shape:
        found = next(self.each(), None)
        if found is None:
            raise ShapeError(f"{self.path} is empty")
        return found

    def text(self) -> str:
        if not isinstance(self.value, str) or not self.value:
            raise ShapeError(f"{self.path} is no text")
        return self.value

    def one_of(self, words: Iterable[str]) -> str:
        word = self.text()
        known = list(words)
        if word not in known:
            raise ShapeError(f"{self.path} is none of {', '.join(known)}")
        return word

    def number(self) -> float:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            raise ShapeError(f"{self.path} is no number")
        return self.value

    def whole(self) -> int:
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise ShapeError(f"{self.path} is no whole number")
        return self.value

    def moment(self) -> datetime:
        """A time with its zone: RFC 3339 text, as the dealer's own pages and app send it."""
        try:
            moment = datetime.fromisoformat(self.text())
        except ValueError as error:
            raise ShapeError(f"{self.path} is no time") from error
        if moment.tzinfo is None:
            raise ShapeError(f"{self.path} is a time without a zone")
        return moment

    def seconds(self) -> datetime:
        """A time as WhatsApp writes it: seconds since 1970, as text or as a number."""
        value = self.value
        if isinstance(value, str) and value.isascii() and value.isdigit():
            value = int(value)
        return datetime.fromtimestamp(Shape(value, self.path).whole(), UTC)

    def milliseconds(self) -> datetime:
        """A time as LivePerson writes it: milliseconds since 1970."""
        return datetime.fromtimestamp(self.whole() / 1000, UTC)
