"""The guard: data goes to a partner as the consumer's choices let it, and each hand-over leaves one disclosure."""

import copy
import weakref
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, NoReturn

from sayso.client.asker import Asker
from sayso.client.check import Check
from sayso.client.decision import Decision, ends_at, unavailable
from sayso.client.disclosing import Disclosing
from sayso.client.faults import invalid
from sayso.client.partner_shares import PartnerShare, PartnerShares
from sayso.client.probe import CHECK_TIME_BOX
from sayso.errors import ConfigurationError, NotAllowedError, RateLimitedError, UnavailableError
from sayso.model.decision import Reason
from sayso.model.disclosure import GuardAnswer, Outcome
from sayso.model.ids import new_choice_id
from sayso.model.instant import format_micros
from sayso.model.topic import Flow
from sayso.rules.field_names import names_to_disclose
from sayso.rules.redact import Opening, TooDeepError, redact
from sayso.rules.sharing import answer_to_share
from sayso.transport.clock import Clock
from sayso.wire import Code


class Outgoing:
    """What `async with ann.sharing(partner) as out:` gives: how this hand-over may go, and what it may hold.

    Attributes:
        partner: To whom.
        decision: Why this partner may get data at all, or only with its flags.
        flags: The partner's own flags for limited use, to be sent along; empty unless `answer` is `send_restricted`.
        held_back: The names of the fields that `redact` took out so far, such as `customer.contact.phone`.
        sent: The names of those it left in.
    """

    __slots__ = (
        "_answer",
        "_id",
        "_opening",
        "_over",
        "_redacted",
        "_stale",
        "decision",
        "flags",
        "held_back",
        "partner",
        "sent",
    )

    def __init__(self, partner: str, decision: Decision, answer: GuardAnswer, share: PartnerShare | None) -> None:
        """Take what was decided; made by `Sharing`."""
        self.partner = partner
        self.decision = decision
        self.held_back: tuple[str, ...] = ()
        self.sent: tuple[str, ...] = ()
        restricted = share is not None and answer is GuardAnswer.SEND_RESTRICTED
        self.flags: dict[str, Any] = copy.deepcopy(dict(share.flags)) if restricted and share is not None else {}
        self._id = new_choice_id()
        self._answer = answer
        self._opening: Opening | None = None
        self._redacted = False
        self._over = False
        self._stale: Callable[[], bool] = lambda: False

    @property
    def answer(self) -> GuardAnswer:
        """`send`, `send_redacted` or `send_restricted`.

        `send_redacted` from the start if a field of the partner's map can't go now, else once one was taken out.
        """
        return self._answer

    def redact(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Give what of a payload may leave; it is not changed itself. May be called for several.

        A field that the partner's map doesn't name is held back. So is one whose topics aren't all allowed, and, save
        for service providers and authorities, one with `transcript`, `survey` or `recording` in its name that the
        consumer hasn't granted. An object that is no dict, list or tuple is a field like any other: it goes whole or
        not at all.

        Args:
            payload: Nested dicts, lists and tuples. Lists and tuples come back as lists.

        Raises:
            NotAllowedError: What was decided on entering no longer holds, code `unavailable`: `max_staleness` has
                passed since, a grant has ended, or the consumer has refused something here. Nothing of the payload
                leaves; ask anew.
            InvalidError: It is no dict, or nested deeper than 64 levels.
            ConfigurationError: The hand-over is over; ask anew.
        """
        if self._over or self._opening is None:
            raise ConfigurationError("this hand-over is over; enter `sharing` anew for the next", code="over")
        if self._stale():
            self._redacted = True  # what left is known: nothing more than before
            raise NotAllowedError(
                "this hand-over was decided too long ago, or a grant has ended or the consumer has refused something "
                f"since; nothing of the payload may leave. Enter `sharing({self.partner!r})` anew for each, right "
                "before it is sent",
                code=Reason.UNAVAILABLE.value,
            )
        whole: object = payload  # whatever an untyped caller passes gets an answer
        if not isinstance(whole, Mapping):
            raise invalid("/payload", Code.WRONG_TYPE, f"redact takes a dict, not {type(payload).__name__}")
        try:
            redacted = redact(payload, self._opening)
        except TooDeepError as error:
            raise invalid("/payload", Code.TOO_DEEP, str(error)) from None
        self._redacted = True
        self.sent = tuple(dict.fromkeys((*self.sent, *redacted.sent)))
        self.held_back = tuple(dict.fromkeys((*self.held_back, *redacted.held_back)))
        if self.held_back and self._answer is GuardAnswer.SEND:
            self._answer = GuardAnswer.SEND_REDACTED
        return redacted.payload

    def _open(self, opening: Opening, stale: Callable[[], bool]) -> None:
        self._opening = opening
        self._stale = stale

    def _disclosure(self, consumer_id: str, at: str, outcome: Outcome | None) -> dict[str, Any]:
        """End it, and give the line about it. Nobody knows what was sent if nothing was redacted: then it is null."""
        self._over = True
        known = self._redacted or self._answer is GuardAnswer.WITHHOLD
        entry: dict[str, Any] = {
            "id": self._id,
            "consumer_id": consumer_id,
            "partner": self.partner,
            "flow": Flow.SHARE.value,
            "answer": self._answer.value,
            "fields_sent": names_to_disclose(self.sent) if known else None,
            "fields_held_back": names_to_disclose(self.held_back) if known else None,
            "at": at,
            "reason": self.decision.reason,
        }
        if outcome is not None:
            entry["outcome"] = outcome.value
        if self.decision.choice_id is not None:
            entry["choice_id"] = self.decision.choice_id
        return entry

    def __repr__(self) -> str:
        return f"<Outgoing to {self.partner}: {self._answer}>"


class Sharing:
    """One hand-over to a partner, from `ann.sharing("vinsolutions")`: `async with … as out:`."""

    __slots__ = ("_consumer_id", "_device", "_guard", "_out", "_partner")

    def __init__(self, guard: "Guard", consumer_id: str, partner: str, device: str | None) -> None:
        """Take whom it is about; made by `Consumer.sharing`."""
        self._guard = guard
        self._consumer_id = consumer_id
        self._partner = partner
        self._device = device
        self._out: Outgoing | None = None

    async def __aenter__(self) -> Outgoing:
        if self._out is not None:
            raise ConfigurationError("one hand-over is entered once; ask `sharing` for each", code="entered")
        out = await self._guard.let_out(self._consumer_id, self._partner, self._device)
        if out.answer is GuardAnswer.WITHHOLD:
            await self._guard.disclose(out, self._consumer_id, None)
            raise NotAllowedError(out.decision.explain(), code=out.decision.reason)
        self._out = out
        return out

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        out, self._out = self._out, None
        if out is not None:
            await self._guard.disclose(out, self._consumer_id, Outcome.HANDED_OVER if kind is None else Outcome.FAILED)

    def __enter__(self) -> NoReturn:
        raise TypeError("write `async with ann.sharing(...)`; in synchronous code get Ann from `privacy.sync()`")

    def __exit__(self, *_: object) -> None:
        """Only so that `with` gets as far as the sentence above."""


class _Refusals:
    """Counts what a consumer has refused here, for as long as a hand-over of theirs is looking."""

    __slots__ = ("__weakref__", "count")

    def __init__(self) -> None:
        self.count = 0


class Guard:
    """Decides about hand-overs and writes their disclosures."""

    def __init__(self, asker: Asker, shares: PartnerShares, disclosing: Disclosing, clock: Clock) -> None:
        """Take what it works with."""
        self._asker = asker
        self._shares = shares
        self._disclosing = disclosing
        self._clock = clock
        self._refusals: weakref.WeakValueDictionary[str, _Refusals] = weakref.WeakValueDictionary()
        asker.watch_refusals(self._refused)

    async def let_out(self, consumer_id: str, partner: str, device: str | None) -> Outgoing:
        """Decide how data may go to a partner; in an outage not at all.

        Raises:
            InvalidError: The catalogue has no such partner, or nothing is shared with it.
            NotAuthenticatedError, ForbiddenError: The key is not accepted.
        """
        try:
            share = await self._shares.find(partner, CHECK_TIME_BOX)
        except (UnavailableError, RateLimitedError):
            topic = f"partner:{partner}:{Flow.SHARE}"
            closed = unavailable(topic, consumer_id=consumer_id, device=device, language=self._asker.language)
            return Outgoing(partner, closed, GuardAnswer.WITHHOLD, None)
        refusals = self._refusals.get(consumer_id)
        if refusals is None:
            refusals = self._refusals[consumer_id] = _Refusals()
        seen, began = refusals.count, self._clock.boot()
        until = self._asker.good_until(began)
        decisions = await self._asker.decide([Check(consumer_id, topic, device) for topic in share.asked])
        for_fields = [each for each in decisions if each.topic in share.fields.topics]
        allowed = frozenset(each.topic for each in for_fields if each.allowed)
        granted = frozenset(each.topic for each in for_fields if each.reason == Reason.GRANTED)
        deciding = decisions[: 1 + len(share.required)]
        answer = answer_to_share(
            allowed=decisions[0].allowed,
            reasons=[each.reason for each in deciding if not each.allowed],
            flagged=bool(share.flags),
            holds_back=share.fields.holds_back(allowed),
        )
        out = Outgoing(partner, decisions[0], answer, share)
        if answer is not GuardAnswer.WITHHOLD:
            # Some may have come from a cache that was proved anew, or doubted, while the others were asked for.
            until = min(until, self._asker.good_until(began), ends_at(decisions, self._clock))
            out._open(share.opening(allowed, granted), lambda: refusals.count != seen or self._clock.boot() >= until)
        return out

    def _refused(self, consumer_id: str) -> None:
        refusals = self._refusals.get(consumer_id)
        if refusals is not None:
            refusals.count += 1

    async def disclose(self, out: Outgoing, consumer_id: str, outcome: Outcome | None) -> None:
        """Write the line about a hand-over."""
        entry = out._disclosure(consumer_id, format_micros(self._clock.now()), outcome)
        await self._disclosing.write(entry, server_is_away=out.decision.reason == Reason.UNAVAILABLE)
