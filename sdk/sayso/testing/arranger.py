"""Recording past the network, at once, with the server's own services and by its rules."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from sayso.errors import InvalidError
from sayso.model.age import AgeReport, AgeSource
from sayso.model.catalogue import Catalogue
from sayso.model.choice import Actor, Answer, ChoiceBatch, Method
from sayso.model.ids import new_choice_id
from sayso.model.instant import format_micros, span_micros
from sayso.model.signal import SignalName, SignalReport
from sayso.rules.fold import is_granted, standing_for
from sayso.testing.at_once import at_once
from sayso.transport.codec import dumps
from sayso.wire import Code
from sayso_server.routes.bodies import parse
from sayso_server.services import Services
from sayso_server.services.admission import WHERE_TO_LOOK
from sayso_server.services.caller import GUARDIAN_LINK, Caller
from sayso_server.services.device_report import DeviceReportBody
from sayso_server.services.refusals import RefusedError
from sayso_server.services.state import read_state

T = TypeVar("T")

_MOST_NAMED = 30
_YOURS = (
    'Tests of your own topics publish your catalogue: privacy.republish("catalogue.toml"), '
    'FakeSayso("catalogue.toml"), '
    "or a fixture sayso_catalogue that gives its path"
)


class Arranged(Protocol):
    """What arranging needs of a fake."""

    @property
    def services(self) -> Services:
        """The server's services."""
        ...

    @property
    def caller(self) -> Caller:
        """As whom to record."""
        ...

    def now(self) -> int:
        """Give the server's time in microseconds."""
        ...

    def tick(self) -> None:
        """Let the smallest time pass."""
        ...

    def do(self, work: Callable[[], T]) -> T:
        """Run something on the server's loop, and wait for it."""
        ...


class Arranger:
    """Records for one consumer, past the network."""

    __slots__ = ("_consumer_id", "_fake", "_told")

    def __init__(self, fake: Arranged, consumer_id: str, told: Callable[[str, int], None] | None = None) -> None:
        """Take where to record.

        Args:
            fake: The fake.
            consumer_id: Whose it is.
            told: Called with the consumer's id and the new version, so that a client in the same test never answers
                from before.
        """
        self._fake = fake
        self._consumer_id = consumer_id
        self._told = told

    def choose(self, answer: Answer, topics: tuple[str, ...], **members: Any) -> None:
        """Record one answer to each topic, whole or not at all."""
        if not topics:
            raise TypeError('name a topic, such as "purpose:marketing"')

        self._choose(dict.fromkeys(topics, answer), **members)

    def opt_out(self, partner: str, flow: str | None, method: str) -> None:
        """Record a no to a partner's flow or to all it has: `withdrawn` where a yes stands, else `denied`."""
        caller = self._fake.caller

        topics = self._flows(partner, flow)

        def answers() -> dict[str, Answer]:
            said = read_state(at_once(self._fake.services.storage.consumer(caller.brand_id, self._consumer_id))).topics
            granted = {topic for topic in topics if is_granted(standing_for(said, topic))}
            return {topic: Answer.WITHDRAWN if topic in granted else Answer.DENIED for topic in topics}

        self._choose(self._fake.do(answers), method=method)

    def _flows(self, partner: str, flow: str | None) -> list[str]:
        """Give the topics of a partner's flows.

        Raises:
            InvalidError: The catalogue has no such partner.
        """
        if flow is not None:
            return [f"partner:{partner}:{flow}"]
        known = self._catalogue.partners
        if partner not in known:
            named = ", ".join(known) or "none"
            raise InvalidError(
                f"the fake's catalogue has no partner {partner!r}; it has {named}. {_YOURS}",
                code=Code.UNKNOWN_TOPIC.value,
            )
        return [topic.key for topic in known[partner].topics().values()]

    @property
    def _catalogue(self) -> Catalogue:
        return self._fake.services.catalogues.of(self._fake.caller.brand_id).catalogue

    def grant_by_guardian(self, topics: tuple[str, ...]) -> None:
        """Record a guardian's yes to each topic, as by the link that the brand sent them."""
        if not topics:
            raise TypeError('name a topic, such as "purpose:marketing"')
        by_guardian = {"actor": Actor.GUARDIAN.value, "method": Method.WIDGET.value}
        notice = {"language": self._catalogue.default_language}
        answers = dict.fromkeys(topics, Answer.GRANTED)
        self._choose(answers, link=GUARDIAN_LINK, notice=notice, evidence={"kind": "guardian-link"}, **by_guardian)

    def _choose(self, answers: Mapping[str, Answer], *, link: str | None = None, **members: Any) -> None:
        def record() -> int:
            services, caller = self._fake.services, self._fake.caller
            if link is not None:
                caller = Caller.by_link(caller.brand_id, link)
            based_on = at_once(services.storage.version(caller.brand_id, self._consumer_id))
            choices = [
                {
                    "id": new_choice_id(),
                    "consumer_id": self._consumer_id,
                    "topic": topic,
                    "answer": answer.value,
                    "based_on": based_on,
                    **members,
                }
                for topic, answer in answers.items()
            ]
            batch = parse(ChoiceBatch, dumps({"choices": choices}))
            return max(int(answer["version"]) for answer in at_once(services.recording.record(caller, batch)))

        self._run(record)

    def grant(
        self,
        topics: tuple[str, ...],
        *,
        shown: str | None,
        method: str,
        expires_after: timedelta | None,
        **members: Any,
    ) -> None:
        """Record a yes to each topic, with the notice that is current."""
        notice = {"language": shown if shown is not None else self._catalogue.default_language}
        if expires_after is not None:
            members["expires_at"] = format_micros(self._fake.now() + span_micros(expires_after))
        self.choose(Answer.GRANTED, topics, method=method, notice=notice, **members)

    def report_device(self, device_id: str, states: Mapping[str, Any], vocabulary: str) -> None:
        """Record what a device says."""
        reporting, caller = self._fake.services.reporting, self._fake.caller

        def record() -> int:
            body = parse(DeviceReportBody, dumps({"vocabulary": vocabulary, "states": dict(states)}))
            return _version(at_once(reporting.device(caller, self._consumer_id, device_id, body)))

        self._run(record)

    def report_signal(self, name: SignalName, device_id: str | None) -> None:
        """Record a signal."""
        reporting, caller = self._fake.services.reporting, self._fake.caller
        body = SignalReport(name=name, device_id=device_id)
        self._run(lambda: _version(at_once(reporting.signal(caller, self._consumer_id, body))))

    def report_age(self, source: AgeSource, lower: int | None, upper: int | None) -> None:
        """Record evidence of age."""
        reporting, caller = self._fake.services.reporting, self._fake.caller
        body = AgeReport(source=source, lower=lower, upper=upper)
        self._run(lambda: _version(at_once(reporting.age(caller, self._consumer_id, body))))

    def _run(self, record: Callable[[], int]) -> None:
        self._fake.tick()  # of two reports of one moment the more cautious counts; here the later one is meant
        try:
            version = self._fake.do(record)
        except RefusedError as error:
            raise not_taken(error, self._catalogue) from None
        if self._told is not None:
            self._told(self._consumer_id, version)


def not_taken(refused: RefusedError, catalogue: Catalogue | None = None) -> InvalidError:
    """Give the error for what the server refuses, with all that it would say.

    Args:
        refused: The refusal.
        catalogue: The fake's, to be named where a topic isn't in it.
    """
    problems = [problem.message.removesuffix(WHERE_TO_LOOK) for problem in refused.problems]
    message = f"the server would refuse this: {'; '.join(dict.fromkeys(problems)) or refused.message}"
    if catalogue is not None and any(problem.code == Code.UNKNOWN_TOPIC for problem in refused.problems):
        there_are = [key for key, topic in catalogue.topics.items() if not topic.retired]
        more = f" and {len(there_are) - _MOST_NAMED} more" if len(there_are) > _MOST_NAMED else ""
        message += f". The fake's catalogue has {', '.join(there_are[:_MOST_NAMED])}{more}. {_YOURS}"
    return InvalidError(message, code=refused.code.value, problems=refused.problems)


def _version(answer: Mapping[str, Any]) -> int:
    return int(answer["version"])
