"""What a consumer's text to one of the brand's numbers means, and what is recorded and answered because of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sayso.client.recorded import Recorded
from sayso.client.reported import Published
from sayso.model.instant import to_micros
from sayso.model.table import text_in
from sayso.model.topic import Controller
from sayso.rules import sms_replies
from sayso.rules.senders import scope_of
from sayso.rules.sms import SmsAnswer, classify, means_all
from sayso.rules.sms_replies import Named

QUESTION_LASTS = timedelta(hours=24)
"""A YES that comes later answers something else."""
SEEN_EVERYTHING = 2**53 - 1
"""The `based_on` of a text: whoever writes STOP has seen all that came before. The server takes it for its newest."""


@dataclass(frozen=True, slots=True)
class SmsQuestion:
    """A question that the brand texted and that is answered with YES.

    Attributes:
        topic: What a YES grants, such as `channel:sms`.
        asked_at: When it was texted, with a zone.
        shown: The language of the notice it quoted.
        notice_version: That notice's version; the current one by default.
    """

    topic: str
    asked_at: datetime
    shown: str
    notice_version: int | None = None

    def is_open(self, now: int) -> bool:
        """Tell whether it can still be answered; `now` is in microseconds."""
        return 0 <= now - to_micros(self.asked_at) <= QUESTION_LASTS // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class InboundSms:
    """What a text meant.

    Attributes:
        kind: `stop`, `start`, `help` or `other`; a YES to the brand's own question is a `start`.
        reply: What to text back, once, in the consumer's language. None for nothing: to what is neither STOP, START
            nor HELP, to a STOP that stood already, where the messaging service has answered (`opt_out_type`), to a
            START or HELP without a sender, and to a YES that does not suffice.
        recorded: What was recorded; None for nothing.
    """

    kind: SmsAnswer
    reply: str | None = None
    recorded: Recorded | None = None


class Texting(NamedTuple):
    """What is known of the channel that a text came by.

    Attributes:
        topic: The channel.
        sender: The number that the text went to; None if it is not known.
        language: The consumer's.
        published: The catalogue; None if it can't be had.
    """

    topic: str
    sender: str | None
    language: str
    published: Published | None

    @property
    def _senders(self) -> Mapping[str, Mapping[str, Any]]:
        topic = None if self.published is None else self.published.topics.get(self.topic)
        return (topic or {}).get("senders") or {}

    @property
    def controller(self) -> str:
        """Who answers for the sender; the brand, if nobody says otherwise."""
        return str(self._listed(self.sender).get("controller") or Controller.BRAND.value)

    def detail(self, body: str) -> dict[str, str]:
        """Give whose texts a STOP is about: the sender's, and the controller's if it says so or names no sender."""
        detail = {} if self.sender is None else {"sender": self.sender}
        if self.means_all(body):
            detail["controller"] = self.controller
        return detail

    def details(self, body: str) -> tuple[dict[str, str], ...]:
        """Give the details of each refusal to record for a STOP: two where nobody knows whose sender it is."""
        detail = self.detail(body)
        if self.published is not None or "sender" not in detail or "controller" not in detail:
            return (detail,)
        return tuple({**detail, "controller": controller.value} for controller in Controller)

    def means_all(self, body: str) -> bool:
        """Tell whether a STOP is about all that the controller sends."""
        return self.sender is None or means_all(body)

    def numbers(self) -> list[str]:
        """Give the listed numbers that the same controller answers for; none where the catalogue is not at hand."""
        return [
            number
            for number, one in self._senders.items()
            if str(one.get("controller") or Controller.BRAND.value) == self.controller
        ]

    def stopped(self, *, everything: bool) -> str:
        """Give the one confirmation of a STOP."""
        others = [
            self._named(number)
            for number, one in self._senders.items()
            if str(one.get("controller") or Controller.BRAND.value) != self.controller
        ]
        sender: Named | str | None = None if everything or self.sender is None else self._named(self.sender)
        if sender is not None and self.published is not None and not self._is_listed:
            sender = self._brand  # it holds for all that the brand sends, until this number gets a START
        return sms_replies.stopped(self.language, self._brand, sender, others)

    def started(self) -> str | None:
        """Give the confirmation of a START."""
        return None if self.sender is None else sms_replies.started(self.language, self._named(self.sender))

    def silent(self) -> str | None:
        """Give the answer to a START after which the sender's texts still may not come."""
        return None if self.sender is None else sms_replies.silent(self.language, self._named(self.sender))

    def helped(self) -> str | None:
        """Give the answer to HELP."""
        if self.sender is None:
            return None
        office = self._office
        contact = office.get("email") or office.get("phone")
        return sms_replies.helped(self.language, self._brand, self._named(self.sender), contact)

    @property
    def _office(self) -> Mapping[str, Any]:
        raw = {} if self.published is None else self.published.raw
        return (raw.get("contacts") or {}).get("controller") or {}

    @property
    def _brand(self) -> str:
        brand = "" if self.published is None else self.published.brand
        return str(self._office.get("name") or brand)

    def _listed(self, number: str | None) -> Mapping[str, Any]:
        if number is None:
            return {}
        wanted = scope_of(number)
        return next((one for name, one in self._senders.items() if scope_of(name) == wanted), {})

    @property
    def _is_listed(self) -> bool:
        return self.sender is not None and scope_of(self.sender) in {scope_of(name) for name in self._senders}

    def _named(self, number: str) -> Named:
        found = text_in(self._listed(number).get("title") or {}, self.language, sms_replies.SPOKEN[0])
        return Named("" if found is None else found[1], number)


def meaning(body: str, opt_out_type: str | None, *, asked: bool, refused: bool) -> tuple[SmsAnswer, bool]:
    """Tell what a text means, and whether it is a YES to the brand's own question."""
    said = classify(body, opt_out_type=opt_out_type, pending=asked, opted_out=refused)
    is_yes = said is SmsAnswer.START and classify(body, opt_out_type=opt_out_type) is not SmsAnswer.START
    return said, is_yes
