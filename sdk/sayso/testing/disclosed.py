"""What was handed over to partners, as the fake was told, and what a test may say about it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sayso.model.disclosure import GuardAnswer, Outcome
from sayso.model.topic import Flow
from sayso.testing.at_once import at_once
from sayso_server.services import Services

_PAGE: Final = 500
_LETS_THROUGH: Final = frozenset({GuardAnswer.SEND, GuardAnswer.SEND_REDACTED, GuardAnswer.SEND_RESTRICTED})


@dataclass(frozen=True, slots=True)
class Disclosed:
    """One hand-over, or one that was withheld: names of fields, never what was in them.

    Attributes:
        consumer_id: Whose data.
        partner: The partner's key in the catalogue.
        flow: `share`, `receive` or `combine`.
        answer: What the guard answered, such as `send_redacted`.
        fields_sent: What left; None if nobody can tell.
        fields_held_back: What stayed; None if nobody can tell.
        outcome: `handed_over` or `failed`; None if nothing was let through.
        reason: The decision's reason, if one was told.
    """

    consumer_id: str
    partner: str
    flow: Flow
    answer: GuardAnswer
    fields_sent: tuple[str, ...] | None
    fields_held_back: tuple[str, ...] | None
    outcome: Outcome | None
    reason: str | None

    @property
    def may_have_left(self) -> bool:
        """Whether something went to the partner, or may have gone before an error."""
        return self.flow is Flow.SHARE and self.answer in _LETS_THROUGH

    def __str__(self) -> str:
        """Give it as a line."""
        parts = [f"{self.flow} {self.partner}: {self.answer}"]
        if self.outcome is not None:
            parts.append(self.outcome.value)
        if self.reason is not None:
            parts.append(f"because {self.reason}")
        if self.may_have_left:
            parts.append(
                "sent " + (", ".join(self.fields_sent) if self.fields_sent is not None else "nobody knows what")
            )
        if self.fields_held_back:
            parts.append("held back " + ", ".join(self.fields_held_back))
        return "; ".join(parts)


def all_of(services: Services, brand_id: str) -> list[Disclosed]:
    """Give every hand-over of a brand, in the order they were recorded. To be called on the server's loop."""
    shown: list[dict[str, Any]] = []
    after = ""
    while ids := at_once(services.storage.disclosed_ids(brand_id, after=after, limit=_PAGE)):
        after = ids[-1]
        for consumer_id in ids:
            found = at_once(services.disclosures.all(brand_id, consumer_id))
            shown += [one for one in found if one.get("linked_from", one["consumer_id"]) == consumer_id]
    return [_read(one) for one in sorted(shown, key=lambda one: str(one["recorded_at"]))]


def assert_shared(
    disclosures: Sequence[Disclosed], partner: str, without: Iterable[str], consumer_id: str | None
) -> None:
    """Fail unless something was handed over to a partner, each time without certain fields.

    Raises:
        AssertionError: It was not.
    """
    if isinstance(without, str):
        raise TypeError('without= takes a list of fields, such as ["email"]')
    about = [one for one in _about(disclosures, partner, consumer_id) if one.may_have_left]
    if not any(one.outcome is Outcome.HANDED_OVER for one in about):
        raise AssertionError(f"nothing was shared with {partner}{_listed(disclosures)}")
    for field in without:
        for one in about:
            if one.fields_sent is None:
                raise AssertionError(
                    f"nobody can tell whether {field} went to {partner}: `out.redact(...)` was not called"
                    f"{_listed(disclosures)}"
                )
            if any(sent == field or sent.startswith(f"{field}.") for sent in one.fields_sent):
                raise AssertionError(f"{field} was shared with {partner}{_listed(disclosures)}")


def assert_nothing_shared(disclosures: Sequence[Disclosed], partner: str | None, consumer_id: str | None) -> None:
    """Fail if anything was handed over to a partner, or may have been.

    Raises:
        AssertionError: Something was.
    """
    left = [one for one in _about(disclosures, partner, consumer_id) if one.may_have_left]
    if left:
        raise AssertionError(f"{left[0].partner} was sent something{_listed(disclosures)}")


def _about(disclosures: Iterable[Disclosed], partner: str | None, consumer_id: str | None) -> list[Disclosed]:
    return [one for one in disclosures if partner in (None, one.partner) and consumer_id in (None, one.consumer_id)]


def _listed(disclosures: Sequence[Disclosed]) -> str:
    if not disclosures:
        return "; no hand-over was recorded at all"
    return "".join(["; this was recorded:", *(f"\n  {one}" for one in disclosures)])


def _read(shown: dict[str, Any]) -> Disclosed:
    sent, held = shown["fields_sent"], shown["fields_held_back"]
    outcome = shown.get("outcome")
    return Disclosed(
        consumer_id=shown["consumer_id"],
        partner=shown["partner"],
        flow=Flow(shown["flow"]),
        answer=GuardAnswer(shown["answer"]),
        fields_sent=None if sent is None else tuple(sent),
        fields_held_back=None if held is None else tuple(held),
        outcome=None if outcome is None else Outcome(outcome),
        reason=shown.get("reason"),
    )
