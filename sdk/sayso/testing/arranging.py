"""Arranging what a consumer has said before a test begins: at once, in one line, and by the server's own rules.

`privacy.consumer("cust-42").grants("purpose:marketing").denies("channel:sms")`
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, Self

from sayso.model.age import AgeSource
from sayso.model.choice import Answer, Method
from sayso.model.signal import SignalName
from sayso.model.topic import EVERY_TOPIC, Flow
from sayso.testing.arranger import Arranger

YEARS_OF_A_MINOR: Final = 15
YEARS_OF_AN_ADULT: Final = 21
"""Anywhere."""


class Arranging:
    """What can be arranged for one consumer. Each verb takes effect at once and gives the handle back."""

    __slots__ = ()

    _arranger: Arranger

    def grants(
        self,
        *topics: str,
        shown: str | None = None,
        method: Method | str = Method.API,
        expires_after: timedelta | None = None,
        overrides: tuple[str, ...] = (),
    ) -> Self:
        """Let the consumer have said yes to each topic, having seen what they said before.

        Args:
            topics: Such as `purpose:marketing`.
            shown: The language of the notice that they saw; the catalogue's default.
            method: How they said it.
            expires_after: When it ends; the catalogue's default.
            overrides: Signals that they knowingly override, such as `("gpc",)`.

        Raises:
            InvalidError: The server would refuse it, for example because the catalogue has no such topic.
        """
        members = {"overrides": list(overrides)} if overrides else {}
        self._arranger.grant(topics, shown=shown, method=str(method), expires_after=expires_after, **members)
        return self

    def denies(self, *topics: str, method: Method | str = Method.API) -> Self:
        """Let the consumer have said no to each topic when asked.

        Raises:
            InvalidError: The server would refuse it, for example because a contract rests on the topic.
        """
        self._arranger.choose(Answer.DENIED, topics, method=str(method))
        return self

    def withdraws(self, *topics: str, method: Method | str = Method.API) -> Self:
        """Let the consumer have taken back a yes to each topic.

        Raises:
            InvalidError: The server would refuse it.
        """
        self._arranger.choose(Answer.WITHDRAWN, topics, method=str(method))
        return self

    def opts_in(
        self,
        partner: str,
        flow: Flow | str = Flow.SHARE,
        *,
        shown: str | None = None,
        method: Method | str = Method.API,
        expires_after: timedelta | None = None,
        overrides: tuple[str, ...] = (),
    ) -> Self:
        """Let the consumer have said yes to one flow of a partner: `.opts_in("vinsolutions", flow="share")`.

        Args:
            partner: Its key in the catalogue, such as `vinsolutions`.
            flow: `share` (we send), `receive` (they send) or `combine` (we join their data with ours).
            shown: The language of the notice that they saw; the catalogue's default.
            method: How they said it.
            expires_after: When it ends; the catalogue's default.
            overrides: Signals that they knowingly override, such as `("gpc",)`.

        Raises:
            InvalidError: The server would refuse it, for example because the catalogue has no such flow.
        """
        topic = f"partner:{partner}:{flow}"
        return self.grants(topic, shown=shown, method=method, expires_after=expires_after, overrides=overrides)

    def opts_out(self, partner: str, flow: Flow | str | None = None, *, method: Method | str = Method.API) -> Self:
        """Let the consumer have said no to one flow of a partner, or to all it has.

        Args:
            partner: Its key in the catalogue.
            flow: `share`, `receive` or `combine`; None for all that it has.
            method: How they said it.

        Raises:
            InvalidError: The catalogue has no such partner or flow.
        """
        self._arranger.opt_out(partner, None if flow is None else str(flow), str(method))
        return self

    def withdraws_all(self) -> Self:
        """Let the consumer have taken everything back."""
        self._arranger.choose(Answer.WITHDRAWN, (EVERY_TOPIC,), method=Method.API.value)
        return self

    def reports_device(self, device: str, states: Mapping[str, Any], *, vocabulary: str = "react-native") -> Self:
        """Let a device of the consumer's have reported its permissions.

        Args:
            device: The brand's own id of the device.
            states: Exactly what the library reports: `{"android.permission.CAMERA": "granted"}`.
            vocabulary: Which library that is.

        Raises:
            InvalidError: The server would refuse it.
        """
        self._arranger.report_device(device, states, vocabulary)
        return self

    def sends_signal(self, name: SignalName | str = SignalName.GPC, *, device: str | None = None) -> Self:
        """Let a browser of the consumer's have sent a signal."""
        self._arranger.report_signal(SignalName(name), device)
        return self

    def is_a_minor(self) -> Self:
        """Let there be verified evidence that the consumer is under age: from now on they grant nothing themselves."""
        self._arranger.report_age(AgeSource.VERIFIED, None, YEARS_OF_A_MINOR)
        return self

    def guardian_grants(self, *topics: str) -> Self:
        """Let a minor's guardian have allowed each topic: `.is_a_minor().guardian_grants("channel:sms")`.

        Raises:
            InvalidError: The consumer doesn't count as under age, or has refused a topic themselves.
        """
        self._arranger.grant_by_guardian(topics)
        return self

    def is_an_adult(self) -> Self:
        """Let there be verified evidence that the consumer is of age anywhere."""
        self._arranger.report_age(AgeSource.VERIFIED, YEARS_OF_AN_ADULT, None)
        return self


class FakeConsumer(Arranging):
    """One consumer of a fake, from `fake.consumer("cust-42")`: arranges, and asks nothing."""

    __slots__ = ("_arranger", "id")

    def __init__(self, consumer_id: str, arranger: Arranger) -> None:
        """Take the id and what records; made by `FakeSayso.consumer`."""
        self.id = consumer_id
        self._arranger = arranger

    def __repr__(self) -> str:
        return "<FakeConsumer>"
