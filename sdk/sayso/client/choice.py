"""A choice on its way to the server."""

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel

from sayso.client.faults import checked_micros, invalid
from sayso.model.choice import Actor, Answer, Detail, Evidence, Method, Notice
from sayso.model.ids import new_choice_id
from sayso.model.instant import Micros, format_micros, span_micros
from sayso.wire import Code

GRANTED = Answer.GRANTED.value


@dataclass(slots=True)  # not frozen, which would triple the price of making one
class Choice:
    """One answer of one consumer to one topic, to be recorded with `record_many`.

    Its id is made here: recording the same object again, unchanged, after whatever went wrong, leaves one record.

    Attributes:
        consumer_id: Whose choice it is.
        topic: What it answers.
        answer: `granted`, `denied` or `withdrawn`.
        shown: For a grant: the language of the notice the consumer saw, such as `en`, or a `Notice`.
        notice_version: The notice's version; the current one by default.
        method: How the choice reached the brand.
        made_at: When the consumer made it, with a zone; None for now.
        based_on: The version of the preferences that was in view. Left out, the client fills in what it has
            seen, for a choice made now only.
        expires_after: How long a grant lasts, from `made_at`.
        expires_at: When a grant ends; instead of `expires_after`.
        actor: Who made it, where the token leaves that open: `consumer` or `brand`.
        evidence: What is kept to show that it was made.
        device: The device it was made on.
        jurisdiction: Such as `US-CA`.
        overrides: Signals that a grant knowingly overrides: `gpc`, `dnt`.
        detail: What belongs to one kind of topic only, such as the precision of a location.
        id: A UUID, best version 7.
    """

    consumer_id: str
    topic: str
    answer: Answer | str
    _: KW_ONLY
    shown: str | Notice | None = None
    notice_version: int | None = None
    method: Method | str = Method.API
    made_at: datetime | None = None
    based_on: int | None = None
    expires_after: timedelta | None = None
    expires_at: datetime | None = None
    actor: Actor | str | None = None
    evidence: Evidence | Mapping[str, Any] | None = None
    device: str | None = None
    jurisdiction: str | None = None
    overrides: str | tuple[str, ...] = ()
    detail: Detail | Mapping[str, Any] | None = None
    id: str = field(default_factory=new_choice_id)

    def to_wire(self, now: Micros, stamp: str, based_on: int | None = None) -> dict[str, Any]:
        """Give the JSON of the choice.

        Args:
            now: The wall clock, for a choice made now.
            stamp: The same as text.
            based_on: What to say about a choice made now that says nothing itself.

        Raises:
            InvalidError: What can be told without the server: a naive time, contradicting arguments.
        """
        made, text = now, stamp
        if self.made_at is not None:
            made = checked_micros("/made_at", self.made_at)
            text = _written(self.made_at, made)
        entry: dict[str, Any] = {
            "id": self.id,
            "consumer_id": self.consumer_id,
            "topic": self.topic,
            "answer": str(self.answer),
            "method": str(self.method),
            "made_at": text,
        }
        seen = self.based_on if self.based_on is not None or self.made_at is not None else based_on
        if seen is not None:
            entry["based_on"] = seen
        if self.shown is not None:
            entry["notice"] = self._notice(self.shown)
        if self.expires_after is not None or self.expires_at is not None:
            entry["expires_at"] = format_micros(self._ends(made))
        if self.actor is not None:
            entry["actor"] = str(self.actor)
        if self.device is not None:
            entry["device_id"] = self.device
        if self.jurisdiction is not None:
            entry["jurisdiction"] = self.jurisdiction
        if self.overrides:
            entry["overrides"] = self.overrides.split() if isinstance(self.overrides, str) else list(self.overrides)
        if self.evidence is not None:
            entry["evidence"] = _plain(self.evidence)
        if self.detail is not None:
            entry["detail"] = _plain(self.detail)
        return entry

    def _notice(self, shown: str | Notice) -> dict[str, Any]:
        if isinstance(shown, Notice):
            if self.notice_version is not None and self.notice_version != shown.version:
                raise invalid("/notice/version", Code.INVALID_VALUE, "give it in the Notice or beside it, not both")
            return _plain(shown)
        if self.notice_version is None:
            return {"language": shown}
        return {"language": shown, "version": self.notice_version}

    def _ends(self, made: Micros) -> Micros:
        if self.expires_at is None:
            return made + span_micros(self.expires_after or timedelta(0))
        if self.expires_after is not None:
            raise invalid("/expires_at", Code.INVALID_VALUE, "give expires_after or expires_at, not both")
        return checked_micros("/expires_at", self.expires_at)


def _written(moment: datetime, micros: Micros) -> str:
    # A time in UTC needs no detour over its number, which costs as much as the rest of the entry.
    if moment.tzinfo is UTC:
        return moment.isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"
    return format_micros(micros)


def _plain(value: BaseModel | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    return dict(value)
