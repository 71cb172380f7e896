"""What consumers send and see of their own: whose it is goes without saying, and the brand's notes stay the brand's."""

from typing import Annotated, Any, TypeVar

from pydantic import Field, ValidatorFunctionWrapHandler, WrapValidator

from sayso.model.choice import Choice, ChoiceBatch, ConsumerId
from sayso.wire import MAX_CHECKS, MAX_CHOICES, TokenClass
from sayso_server.services.checks import Check, CheckBatch

Entry = TypeVar("Entry", "OwnChoice", "OwnCheck")

_OWN = ""
"""In place of an id that was left out. No id is empty, so nobody can send it."""


def _or_own(value: object, handler: ValidatorFunctionWrapHandler) -> str:
    return _OWN if value is None else str(handler(value))


# A factory, so that the description names no default: there is none that could be sent.
OwnId = Annotated[
    ConsumerId,
    WrapValidator(_or_own),
    Field(default_factory=lambda: _OWN, description="the token's own sub; may be left out"),
]


class OwnChoice(Choice):
    """A choice that need not say whose it is."""

    consumer_id: OwnId


class OwnChoiceBatch(ChoiceBatch):
    """The body of `POST /v1/me/choices`."""

    choices: Annotated[tuple[OwnChoice, ...], Field(min_length=1, max_length=MAX_CHOICES)]

    def of(self, subject: str) -> ChoiceBatch:
        """Fill in whose choices they are."""
        filled = tuple(_filled(choice, subject) for choice in self.choices)
        return ChoiceBatch.model_construct(choices=filled, sent_at=self.sent_at)


class OwnCheck(Check):
    """A check that need not say whom it is about."""

    consumer_id: OwnId


class OwnCheckBatch(CheckBatch):
    """The body of `POST /v1/me/decisions`."""

    checks: Annotated[tuple[OwnCheck, ...], Field(min_length=1, max_length=MAX_CHECKS)]

    def of(self, subject: str) -> list[Check]:
        """Fill in whom they are about."""
        return [_filled(check, subject) for check in self.checks]


def _filled(entry: Entry, subject: str) -> Entry:
    return entry if entry.consumer_id != _OWN else entry.model_copy(update={"consumer_id": subject})


def shown_to_consumer(choice: dict[str, Any]) -> dict[str, Any]:
    """Give a choice of the history as its consumer sees it: no name of staff, no remark that others made about them."""
    by = choice["recorded_by"]
    shown = {**choice, "recorded_by": {name: value for name, value in by.items() if name != "staff"}}
    if "detail" in choice and by["class"] != TokenClass.CONSUMER:
        detail = {name: value for name, value in choice["detail"].items() if name != "note"}
        if detail:
            shown["detail"] = detail
        else:
            del shown["detail"]
    return shown
