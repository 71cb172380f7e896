"""Writing to a consumer: whether one may, what their answers mean, and how each message says how to stop it."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta

from sayso.client.check import Check
from sayso.client.choice import Choice
from sayso.client.decision import Decision
from sayso.client.faults import invalid
from sayso.client.handle import Handle
from sayso.client.inbound_sms import SEEN_EVERYTHING, InboundSms, SmsQuestion, Texting, meaning
from sayso.client.links import link_urls, refused_topic, unsubscribe_headers
from sayso.client.probe import CHECK_TIME_BOX
from sayso.errors import Error
from sayso.model.choice import Answer, Method
from sayso.model.decision import Reason
from sayso.model.topic import TopicKind
from sayso.rules.sms import SmsAnswer
from sayso.wire import Code

log = logging.getLogger(__name__)

_LONGEST_SENDER = 128
_CLOCKS = timedelta(minutes=5)
"""How far the clock of whoever recorded a refusal may be behind the one that a question was asked by."""
_REFUSED = frozenset({Answer.DENIED.value, Answer.WITHDRAWN.value})
_CHANNEL = f"{TopicKind.CHANNEL.value}:"


class Contacting(Handle):
    """Asks before a message is sent, and records what comes back."""

    __slots__ = ()

    async def may_contact(self, channel: str, *, sender: str | None = None, at_least: int | None = None) -> Decision:
        """Ask whether the consumer may be written to or called: `if await ann.may_contact("sms", sender="+1555…"):`.

        One list of refusals answers for every channel: a STOP by text, an unsubscribe link, a choice in the widget, a
        withdraw-all, and what an agent took down.

        Args:
            channel: `sms`, `email`, `phone`, … or the topic itself, such as `channel:sms`.
            sender: The number or address that would send. Without one, a refusal of any sender counts.
            at_least: A version that the answer must not fall behind.

        Returns:
            Always a decision, with its reason: `withdrawn` after a STOP, `unavailable` in an outage.

        Raises:
            InvalidError: The sender can't be one.
            NotAuthenticatedError, ForbiddenError: The key is not accepted.
        """
        check = Check(self.id, _topic(channel), at_least=at_least, sender=_checked(sender))
        return (await self._asker.decide([check]))[0]

    async def inbound_sms(
        self,
        body: str,
        *,
        sender: str | None,
        opt_out_type: str | None = None,
        question: SmsQuestion | None = None,
        language: str | None = None,
        channel: str = "sms",
    ) -> InboundSms:
        """Record what a text of the consumer asks for: call it for every text, from the messaging service's webhook.

        STOP, in any reasonable wording, is recorded as a refusal of that sender (of all that its controller sends, if
        it says so or no sender is named). START lifts such a refusal of that sender and grants nothing. YES answers
        only the brand's own question of the last 24 hours. It lifts no refusal of the sender, nor one that came after
        the question.

        Args:
            body: The text as received. It is neither kept nor sent.
            sender: The brand's number that it was sent to (`To` in the webhook).
            opt_out_type: Twilio's `OptOutType`, if it came: it wins, and Twilio has answered, so there is no reply.
            question: What the brand asked, if it waits for a YES.
            language: The consumer's; the client's own by default.
            channel: `sms`, or another channel that is texted, such as `whatsapp`.

        Returns:
            What it meant, what to text back, if anything, and what was recorded. A STOP is confirmed once.

        Raises:
            UnavailableError: A START or a YES could not be recorded. A STOP is kept and counts here at once.
            Error: It was not recorded; the class says why.
        """
        number, topic = _checked(sender), _topic(channel)
        now = self._clock.now()
        asked = question is not None and question.is_open(now)
        said, _ = meaning(body, opt_out_type, asked=False, refused=False)
        texting = Texting(topic, number, language or self._asker.language, None)
        silent = opt_out_type is not None
        if said is SmsAnswer.STOP:
            return await self._stop(texting, body, silent=silent)
        is_yes = False
        if question is not None and asked:
            before = await self.may_contact(topic, sender=number)
            # In doubt nobody's YES counts: what can't be read may be a refusal.
            refused = before.answer in _REFUSED or before.reason in (*_REFUSED, Reason.UNAVAILABLE.value)
            refused = refused or await self._is_answered(question, topic)
            said, is_yes = meaning(body, opt_out_type, asked=True, refused=refused)
        if said is SmsAnswer.OTHER:
            return InboundSms(said)
        texting = texting._replace(published=await self._asker.published(CHECK_TIME_BOX))
        if said is SmsAnswer.HELP:
            return InboundSms(said, None if silent else texting.helped())
        return await self._resume(texting, question if is_yes else None, silent=silent)

    async def unsubscribe_link(
        self, topic: str = "channel:email", *, sender: str | None = None, language: str | None = None
    ) -> str:
        """Make a link for the foot of a message: whoever opens it can refuse the topic, without signing in.

        It holds until the consumer is erased, whatever becomes of the keys, and can grant nothing.

        Args:
            topic: What it refuses: the channel, also in short (`email`), or a purpose such as `purpose:marketing`.
            sender: For a channel: only what this sender sends.
            language: The page's, where the browser names none that it speaks.

        Raises:
            InvalidError: There is no such topic, or nobody can refuse it.
            Error: The class says why.
        """
        wanted = _link(self.id, topic=refused_topic(topic), sender=_checked(sender), language=language)
        return (await link_urls(self._transport, [wanted]))[0]

    async def unsubscribe_headers(
        self,
        topic: str = "channel:email",
        *,
        sender: str | None = None,
        language: str | None = None,
        link: str | None = None,
    ) -> dict[str, str]:
        """Give the headers by which a mail program shows its own unsubscribe button (RFC 8058).

        The message has to be signed with DKIM over both headers.

        Args:
            topic: As for `unsubscribe_link`.
            sender: As for `unsubscribe_link`.
            language: As for `unsubscribe_link`.
            link: A link made before, such as the one at the message's foot; one is made if it is left out.

        Raises:
            Error: The class says why.
        """
        url = link or await self.unsubscribe_link(topic, sender=sender, language=language)
        return unsubscribe_headers(url)

    async def preferences_link(self, *, language: str | None = None) -> str:
        """Make a link to a plain page of the consumer's choices, where each can be refused and none granted.

        It shows what they chose to whoever has it, so it goes to them alone, and ends after 90 days.

        Args:
            language: As for `unsubscribe_link`.

        Raises:
            Error: The class says why.
        """
        return (await link_urls(self._transport, [_link(self.id, kind="preferences", language=language)]))[0]

    async def _stop(self, texting: Texting, body: str, *, silent: bool) -> InboundSms:
        """Record a STOP, whatever else fails; it is confirmed unless it was refused before."""
        stops = self._stops(texting, body)
        everything, refused = texting.means_all(body), False
        try:
            texting = texting._replace(published=await self._asker.published(CHECK_TIME_BOX))
            stops = self._stops(texting, body)
            refused = await self._is_silent(texting, everything=everything)
        except asyncio.CancelledError:
            with self._recorder.counted(stops):
                raise
        except Error as error:
            log.debug("a stop is recorded without looking first: %s", error.code)
        recorded = (await self._recorder.record(stops))[0]
        reply = None if silent or refused else texting.stopped(everything=everything)
        return InboundSms(SmsAnswer.STOP, reply, recorded)

    async def _is_silent(self, texting: Texting, *, everything: bool) -> bool:
        """Tell whether what a STOP is to stop stands refused already: then it was confirmed when that was said."""
        numbers = texting.numbers() if everything else ()
        asked = [await self.may_contact(texting.topic, sender=number) for number in numbers or (texting.sender,)]
        return all(decision.reason in _REFUSED for decision in asked)

    async def _is_answered(self, question: SmsQuestion, channel: str) -> bool:
        """Tell whether no YES counts for a question about another topic: it was refused since, or nobody can know."""
        if question.topic == channel:
            return False
        before = (await self._asker.decide([Check(self.id, question.topic)]))[0]
        if before.reason == Reason.UNAVAILABLE.value:
            return True
        refused = before.answer in _REFUSED or before.reason in _REFUSED
        return refused and (before.made_at is None or before.made_at >= question.asked_at - _CLOCKS)

    def _stops(self, texting: Texting, body: str) -> list[Choice]:
        return [
            self._choice(texting.topic, Answer.WITHDRAWN, detail, based_on=SEEN_EVERYTHING)
            for detail in texting.details(body)
        ]

    async def _resume(self, texting: Texting, question: SmsQuestion | None, *, silent: bool) -> InboundSms:
        """Record a START, or the YES to a question."""
        await self._asker.recorded(self.id, CHECK_TIME_BOX)  # it lifts a STOP only if it has seen it
        if question is None:
            choice = self._choice(texting.topic, Answer.GRANTED, texting.detail(""))
        else:
            choice = self._choice(question.topic, Answer.GRANTED, {}, question=question)
        recorded = (await self._recorder.record([choice]))[0]
        reply = None
        if not silent and recorded.allowed and choice.topic == texting.topic:
            reply = texting.started()
        elif not silent and question is None:
            reply = texting.silent()
        return InboundSms(SmsAnswer.START, reply, recorded)

    def _choice(
        self,
        topic: str,
        answer: Answer,
        detail: Mapping[str, str],
        *,
        based_on: int | None = None,
        question: SmsQuestion | None = None,
    ) -> Choice:
        return Choice(
            self.id,
            topic,
            answer,
            shown=None if question is None else question.shown,
            notice_version=None if question is None else question.notice_version,
            method=Method.SMS,
            based_on=based_on,
            detail=detail or None,
        )


def _topic(channel: str) -> str:
    return channel if channel.startswith(_CHANNEL) else f"{_CHANNEL}{channel}"


def _checked(sender: str | None) -> str | None:
    if sender is not None and not (0 < len(sender) <= _LONGEST_SENDER and sender.isprintable()):
        raise invalid("/sender", Code.INVALID_VALUE, "a sender has 1 to 128 printable characters")
    return sender


def _link(consumer_id: str, **members: str | None) -> dict[str, str]:
    given = {name: value for name, value in members.items() if value is not None}
    return {"consumer_id": consumer_id, **given}
