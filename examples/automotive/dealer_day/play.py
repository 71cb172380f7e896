"""Playing deliveries through the SDK, as a dealer's backend would on receiving them."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import sayso
from dealer_day.book import Book
from dealer_day.day import Delivery
from dealer_day.happenings import (
    Aged,
    Chose,
    Happening,
    Introduced,
    Noticed,
    Pinned,
    Renumbered,
    Reported,
    Signalled,
    SignedIn,
)

VISITOR_ORIGIN = "app"  # a visitor's token that is only shown by the backend, never used from a page


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of one happening. `kind` is device, signal, age, link, place or repeat."""

    at: datetime
    kind: str
    text: str


@dataclass(slots=True)
class Track:
    """What the demo remembers of one consumer besides what the server keeps."""

    entries: list[Entry]
    messages: int = 0
    device: str | None = None


class Player:
    """Plays a day through a client.

    Args:
        privacy: The client.
        book: Who is who.
        key: The dealer's secret, from which choices get ids that a second delivery gets again.
        shift: By how much the day is moved, so that it has just ended.
    """

    def __init__(self, privacy: sayso.Client, book: Book, *, key: str, shift: timedelta) -> None:
        self.tracks: dict[str, Track] = {}
        self._privacy = privacy
        self._book = book
        self._key = key.encode()
        self._shift = shift

    async def play(self, delivery: Delivery) -> None:
        """Play one delivery. Choices that arrived together are recorded together.

        Raises:
            sayso.Error: The server refused something or did not answer.
        """
        chosen = [happening for happening in delivery.happenings if isinstance(happening, Chose)]
        if chosen:
            await self._record(chosen)
        for happening in delivery.happenings:
            await self._other(happening)

    def track(self, consumer_id: str) -> Track:
        return self.tracks.setdefault(consumer_id, Track([]))

    async def _record(self, chosen: Iterable[Chose]) -> None:
        choices = [self._choice(one) for one in chosen]
        for choice, recorded in zip(choices, await self._privacy.record_many(choices), strict=True):
            track = self.track(recorded.consumer_id)
            if recorded.replayed and choice.made_at is not None:
                track.entries.append(
                    Entry(
                        choice.made_at,
                        "repeat",
                        f"{choice.topic}: the same message was delivered again and adds nothing",
                    )
                )

    def _choice(self, chose: Chose) -> sayso.Choice:
        consumer_id = self._book.consumer_id(chose.who)
        language = chose.language or self._book.person(consumer_id).language
        digest = hmac.digest(self._key, chose.event_id.encode(), hashlib.sha256)
        return sayso.Choice(
            consumer_id,
            chose.topic,
            chose.answer,
            shown=language if chose.answer == "granted" else None,
            method=chose.method,
            made_at=chose.at + self._shift,
            expires_after=chose.expires_after,
            actor=chose.actor,
            device=chose.device,
            overrides=chose.overrides,
            detail=chose.detail,
            evidence=chose.evidence if chose.answer == "granted" else None,
            id=str(UUID(bytes=digest[:16], version=5)),
        )

    async def _other(self, happening: Happening) -> None:
        match happening:
            case Introduced():
                self._book.introduce(happening)
                self.track(happening.who.value)
            case Renumbered():
                self._note(happening, "link", "the phone number changed; what was chosen stays")
                self._book.renumber(happening)
            case Reported():
                await self._report(happening)
            case Signalled():
                await self._signal(happening)
            case Aged():
                await self._age(happening)
            case SignedIn():
                await self._sign_in(happening)
            case Pinned():
                await self._place(happening)
            case Noticed():
                self.track(self._book.consumer_id(happening.who)).messages += 1

    async def _report(self, reported: Reported) -> None:
        consumer_id = self._book.consumer_id(reported.who)
        answer = await self._privacy.consumer(consumer_id).report_device(
            reported.device,
            reported.states,
            vocabulary=reported.vocabulary,
            observed_at=reported.at + self._shift,
        )
        self.track(consumer_id).device = reported.device
        states = ", ".join(f"{name} {state.state.replace('_', ' ')}" for name, state in sorted(answer.states.items()))
        self._note(reported, "device", f"{reported.device} ({reported.vocabulary}): {states}")

    async def _signal(self, signalled: Signalled) -> None:
        consumer = self._privacy.consumer(self._book.consumer_id(signalled.who))
        seen = await consumer.report_signal(signalled.name, observed_at=signalled.at + self._shift)
        if not seen.replayed:
            self._note(signalled, "signal", f"the browser sends {signalled.name.upper()}")

    async def _age(self, aged: Aged) -> None:
        consumer = self._privacy.consumer(self._book.consumer_id(aged.who))
        await consumer.report_age(
            source=aged.source,
            lower=aged.lower,
            upper=aged.upper,
            method=aged.method,
            observed_at=aged.at + self._shift,
        )
        self._note(aged, "age", f"the phone's system says: {aged.lower} to {aged.upper} years old")

    async def _sign_in(self, signed_in: SignedIn) -> None:
        # The visitor's own token proves that it is the same person; without it only refusals would carry over.
        token = self._privacy.consumer_token(signed_in.visitor, origins=[VISITOR_ORIGIN])
        linked = await self._privacy.consumer(signed_in.who.value).link(signed_in.visitor, token)
        self._book.sign_in(signed_in)
        left = self.tracks.pop(signed_in.visitor, Track([]))
        track = self.track(signed_in.who.value)
        track.entries += left.entries
        track.messages += left.messages
        self._note(signed_in, "link", f"an anonymous visitor signed in and brought {len(linked.carried)} choices along")

    async def _place(self, pinned: Pinned) -> None:
        consumer_id = self._book.consumer_id(pinned.who)
        consumer = self._privacy.consumer(consumer_id)
        decision = await consumer.decide("permission:location", self.track(consumer_id).device)
        if not decision.allowed:
            self._note(pinned, "place", f"sent a place; it is used for the answer and not kept ({decision.reason})")
            return
        precision = "approximate"  # where the consumer named none
        async for choice in consumer.history():
            if choice.id == decision.choice_id:
                precision = (choice.raw.get("detail") or {}).get("precision", precision)
        kept = sayso.coarsen(pinned.latitude, pinned.longitude, precision)
        where = "nothing" if kept is None else f"{kept.latitude}, {kept.longitude}"
        self._note(pinned, "place", f"sent a place; kept as {precision}: {where}")

    def _note(self, happening: Happening, kind: str, text: str) -> None:
        track = self.track(self._book.consumer_id(happening.who))
        track.entries.append(Entry(happening.at + self._shift, kind, text))
