"""Taking out of a payload what a consumer's choices keep from a partner. Whatever is in doubt stays."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sayso.rules.field_map import FieldMap, Place, is_spoken

DEEPEST: Final = 64
_GONE: Final = object()
_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


class TooDeepError(ValueError):
    """A payload is nested deeper than any that is meant to be sent, or holds itself."""


class Redacted(NamedTuple):
    """What may leave.

    Attributes:
        payload: A new one, made of dicts and lists; the values themselves are those of the original.
        sent: The names of the fields in it, such as `customer.contact.email`, each once; list elements have the
            name of their list.
        held_back: The names of those that were taken out.
    """

    payload: dict[str, Any]
    sent: tuple[str, ...]
    held_back: tuple[str, ...]


def redact(payload: Mapping[Any, Any], opening: "Opening") -> Redacted:
    """Give what of a payload may leave.

    A field leaves when some entry of the map covers it and every topic of every such entry is allowed. What is no
    dict, list or tuple can't be looked into: it leaves only if all that the map names beneath it may leave too. What
    people said (`transcript`, `survey` or `recording` in its name) leaves for others than service providers and
    authorities only on a grant. A dict or list of which nothing is left goes as well.

    Args:
        payload: Nested dicts, lists and tuples; it is not changed. A name with dots in it counts as so many steps.
        opening: What of the partner's field map is open.

    Raises:
        TooDeepError: It is nested deeper than 64 levels.
    """
    walk = _Walk()
    kept = walk.members(payload, opening.root, "", 0)
    return Redacted({} if kept is _GONE else kept, tuple(walk.sent), tuple(walk.held_back))


class Opening:
    """A field map as it stands open for one set of allowed and granted topics. Whoever has one may keep it."""

    __slots__ = ("_allowed", "_fields", "_granted", "_otherwise", "root")

    def __init__(self, fields: FieldMap, allowed: frozenset[str], granted: frozenset[str]) -> None:
        """Take the partner's field map, the topics that are allowed now, and those of them that were granted."""
        self._fields = fields
        self._allowed = allowed
        self._granted = granted & allowed
        needs = fields.otherwise
        self._otherwise = (False, False) if needs is None else (needs <= allowed, not needs.isdisjoint(self._granted))
        self.root = _Here(self, fields.root, covered=False, opened=True, granted=False, spoken=False)

    def after(self, here: "_Here", step: str) -> "_Here":
        """Give where a step leads to, a payload's own name without dots."""
        place = here.place.step(step)
        covered, opened, granted = here.covered, here.opened, here.granted
        if place.needs is not None:
            covered = True
            opened = opened and place.needs <= self._allowed
            granted = granted or not place.needs.isdisjoint(self._granted)
        spoken = here.spoken or (not self._fields.hears and is_spoken(step))
        return _Here(self, place, covered=covered, opened=opened, granted=granted, spoken=spoken)

    def leaves(self, place: Place, *, covered: bool, opened: bool, granted: bool, spoken: bool) -> bool:
        """Tell whether a value at a place may leave."""
        if not covered:
            opened, granted = self._otherwise
        return (
            opened
            and (granted or not spoken)
            # What is no dict or list may hold anything; so it needs what the map names further down as well.
            and place.beneath <= self._allowed
            and (self._fields.hears or not any(topics.isdisjoint(self._granted) for topics in place.spoken_beneath))
        )


class _Here:
    """Where a walk is: the place in the map, and what the entries passed on the way say."""

    __slots__ = ("_opening", "_other", "_steps", "covered", "granted", "leaves", "opened", "place", "spoken")

    def __init__(
        self, opening: Opening, place: Place, *, covered: bool, opened: bool, granted: bool, spoken: bool
    ) -> None:
        self._opening = opening
        self._steps: dict[str, _Here] = {}
        self._other: _Here | None = None
        self.place = place
        self.covered = covered
        self.opened = opened
        self.granted = granted
        self.spoken = spoken
        self.leaves = opening.leaves(place, covered=covered, opened=opened, granted=granted, spoken=spoken)

    def step(self, name: str) -> "_Here":
        here = self._steps.get(name)
        if here is not None:
            return here
        if "." in name:
            here = self
            for part in name.split("."):
                here = here.step(part)
            return here
        # As in the map, only its own names are remembered: those of payloads have no end.
        if self.place.knows(name):
            here = self._steps[name] = self._opening.after(self, name)
            return here
        if is_spoken(name):
            return self._opening.after(self, name)
        if self._other is None:
            self._other = self._opening.after(self, name)
        return self._other


class _Walk:
    """One pass. Whether a field leaves follows from its name alone, so no name is both sent and held back."""

    __slots__ = ("held_back", "sent")

    def __init__(self) -> None:
        self.sent: dict[str, None] = {}
        self.held_back: dict[str, None] = {}

    def members(self, payload: Mapping[Any, Any], here: _Here, before: str, depth: int) -> Any:
        kept = {}
        step = here.step
        for key, value in payload.items():
            # Not `str(key)` for texts: of an enumeration's member that would be its name.
            name = key if type(key) is str else str.__str__(key) if isinstance(key, str) else str(key)
            there = step(name)
            if type(value) in _PLAIN:
                if there.leaves:
                    self.sent[before + name] = None
                    kept[key] = value
                else:
                    self.held_back[before + name] = None
            else:
                left = self._value(value, there, before + name, depth + 1)
                if left is not _GONE:
                    kept[key] = left
        return kept or _GONE

    def _value(self, value: Any, here: _Here, name: str, depth: int) -> Any:
        if depth > DEEPEST:
            raise TooDeepError(f"a payload is nested {DEEPEST} levels deep at most")
        # Empty ones are made anew too: what goes out shares no container with what came in.
        if isinstance(value, Mapping):
            if len(value):
                return self.members(value, here, f"{name}.", depth)
            value = {}
        elif isinstance(value, (list, tuple)):
            if value:
                left = [self._value(element, here, name, depth + 1) for element in value]
                return [element for element in left if element is not _GONE] or _GONE
            value = []
        (self.sent if here.leaves else self.held_back)[name] = None
        return value if here.leaves else _GONE
