"""What the published catalogue says about handing data to each partner, made ready once per revision."""

import difflib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sayso.client.faults import invalid, reading
from sayso.client.known_catalogue import KnownCatalogue
from sayso.client.reported import Published
from sayso.errors import InvalidError, UnavailableError
from sayso.model.partner import MAY_HEAR
from sayso.model.topic import Flow, parse_partner_key
from sayso.rules.field_map import FieldMap
from sayso.rules.redact import Opening
from sayso.transport.clock import Clock
from sayso.wire import Code

_PAUSE = 1.0
"""Seconds for which nobody asks again after there was no answer: hand-overs in an outage are withheld at once."""
_OPENINGS = 64
"""Ways in which a map stands open that are kept: consumers' choices repeat."""


class PartnerShare:
    """One partner's `share`.

    Attributes:
        partner: Its key.
        topic: The topic that decides.
        fields: Its field map.
        flags: Its own flags for limited use; empty if it has none.
        required: Every topic that the share requires, directly or not.
        asked: All topics to ask about: first the share's own, then those required, then those of the field map.
    """

    __slots__ = ("_openings", "asked", "fields", "flags", "partner", "required", "topic")

    def __init__(
        self, partner: str, topic: str, fields: FieldMap, flags: Mapping[str, Any], required: tuple[str, ...]
    ) -> None:
        """Take what the catalogue says."""
        self.required = required
        self.asked = tuple(dict.fromkeys((topic, *required, *sorted(fields.topics))))
        self.partner = partner
        self.topic = topic
        self.fields = fields
        self.flags = flags
        self._openings: dict[tuple[frozenset[str], frozenset[str]], Opening] = {}

    def opening(self, allowed: frozenset[str], granted: frozenset[str]) -> Opening:
        """Give how the field map stands open for these topics."""
        opening = self._openings.get((allowed, granted))
        if opening is None:
            if len(self._openings) >= _OPENINGS:
                self._openings.clear()
            opening = self._openings[allowed, granted] = Opening(self.fields, allowed, granted)
        return opening


class PartnerShares:
    """Finds partners in the catalogue in force, which is asked for again after `max_staleness`."""

    def __init__(self, catalogue: KnownCatalogue, clock: Clock, max_staleness: timedelta) -> None:
        """Take what it works with."""
        self._catalogue = catalogue
        self._clock = clock
        self._patience = max_staleness.total_seconds()
        self._down_until = float("-inf")
        self._made_of: Published | None = None
        self._made: dict[str, PartnerShare] = {}

    async def find(self, partner: str, time_box: timedelta) -> PartnerShare:
        """Give a partner's `share`.

        Raises:
            InvalidError: The catalogue has no such partner, or nothing is shared with it.
            Error: There is no catalogue to go by; the class says why.
        """
        published = await self._current(time_box)
        if published is not self._made_of:
            self._made_of, self._made = published, {}
        share = self._made.get(partner)
        if share is None:
            share = self._made[partner] = _make(published, partner)
        return share

    async def _current(self, time_box: timedelta) -> Published:
        now = self._clock.boot()
        if now < self._down_until:
            raise UnavailableError("the Sayso server does not answer", code="down")
        try:
            return await self._catalogue.current(now - self._patience, time_box)
        except UnavailableError:
            self._down_until = self._clock.boot() + _PAUSE
            raise


def check_partner(partner: str) -> str:
    """Give the key back if it may name a partner.

    Raises:
        InvalidError: It may not.
    """
    key: object = partner  # whatever an untyped caller passes gets an answer
    if not isinstance(key, str):
        raise invalid("/partner", Code.WRONG_TYPE, "a partner is named by its key in the catalogue, such as my-crm")
    try:
        return parse_partner_key(key)
    except ValueError as error:
        raise invalid("/partner", Code.INVALID_VALUE, str(error)) from None


def _make(published: Published, partner: str) -> PartnerShare:
    found = published.partners.get(partner)
    if found is None:
        raise _unknown(published, partner)
    with reading():
        flows: Mapping[str, str] = found["flows"]
        topic = flows.get(Flow.SHARE)
        fields = FieldMap(found.get("fields") or {}, hears=found["partner_class"] in MAY_HEAR)
        flags = dict(found.get("restricted") or {})
    if topic is None:
        known = ", ".join(flows) or "none"
        raise invalid("/partner", Code.UNKNOWN_TOPIC, f"nothing is shared with {partner}; its flows are: {known}")
    with reading():
        return PartnerShare(partner, topic, fields, flags, _required(published, topic))


def _required(published: Published, topic: str) -> tuple[str, ...]:
    found: dict[str, None] = {}
    waiting = [topic]
    while waiting:
        settings = published.topics.get(waiting.pop()) or {}
        fresh = [name for name in settings.get("requires") or () if name not in found]
        found.update(dict.fromkeys(fresh))
        waiting += fresh
    found.pop(topic, None)
    return tuple(found)


def _unknown(published: Published, partner: str) -> InvalidError:
    near = difflib.get_close_matches(partner, published.partners, n=1)
    hint = f"did you mean {near[0]}?" if near else f"it has {', '.join(published.partners) or 'none'}"
    return invalid("/partner", Code.UNKNOWN_TOPIC, f"the catalogue has no partner {partner}; {hint}")
