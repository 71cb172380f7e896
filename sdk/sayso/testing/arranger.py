"""Recording past the network, at once, with the server's own services and by its rules."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Protocol, TypeVar

from sayso.errors import InvalidError
from sayso.model.age import AgeReport, AgeSource
from sayso.model.choice import Answer, ChoiceBatch
from sayso.model.ids import new_choice_id
from sayso.model.instant import format_micros, span_micros
from sayso.model.signal import SignalName, SignalReport
from sayso.testing.at_once import at_once
from sayso.transport.codec import dumps
from sayso_server.routes.bodies import parse
from sayso_server.services import Services
from sayso_server.services.caller import Caller
from sayso_server.services.device_report import DeviceReportBody
from sayso_server.services.refusals import RefusedError

T = TypeVar("T")


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

        def record() -> int:
            services, caller = self._fake.services, self._fake.caller
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
                for topic in topics
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
        catalogue = self._fake.services.catalogues.of(self._fake.caller.brand_id).catalogue
        notice = {"language": shown if shown is not None else catalogue.default_language}
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
            raise not_taken(error) from None
        if self._told is not None:
            self._told(self._consumer_id, version)


def not_taken(refused: RefusedError) -> InvalidError:
    """Give the error for what the server refuses, with all that it would say."""
    said = "; ".join(dict.fromkeys(problem.message for problem in refused.problems)) or refused.message
    message = f"the server would refuse this: {said}"
    return InvalidError(message, code=refused.code.value, problems=refused.problems)


def _version(answer: Mapping[str, Any]) -> int:
    return int(answer["version"])
