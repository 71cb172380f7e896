"""What a consumer was shown, and whether they may be asked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from urllib.parse import urlencode

from sayso.client.asks_may import AsksMay
from sayso.client.faults import invalid, reading
from sayso.client.handle import Handle
from sayso.client.history import PastChoice
from sayso.client.recorded import Recorded
from sayso.wire import Code

_PATH = "/v1/catalogue/notices"


@dataclass(frozen=True, slots=True)
class ShownNotice:
    """The text that a choice answered, word for word, from what the brand had published then.

    Attributes:
        topic: What it is about.
        version: The notice's version.
        minor: Which text of that version.
        language: In which it was shown.
        text: The notice.
        title: The topic's name beside it.
        warning: What was said beside the choice, or None.
        change: What was said to be new, or None.
        published_at: When it was published.
        replaced_at: When another took its place; None while it is shown.
        revision: The first revision of the catalogue that had it.
    """

    topic: str
    version: int
    minor: int
    language: str
    text: str
    title: str
    warning: str | None
    change: str | None
    published_at: datetime
    replaced_at: datetime | None
    revision: int

    @classmethod
    def from_wire(cls, topic: str, language: str, notice: Mapping[str, Any]) -> Self:
        """Read one member of `notices`."""
        replaced = notice.get("replaced_at")
        texts = {name: (notice.get(name) or {}).get(language) for name in ("title", "warning", "change")}
        return cls(
            topic,
            notice["version"],
            notice["minor"],
            language,
            notice["notice"][language],
            texts["title"] or "",
            texts["warning"],
            texts["change"],
            datetime.fromisoformat(notice["published_at"]),
            None if replaced is None else datetime.fromisoformat(replaced),
            notice["revision"],
        )


class Noticing(Handle):
    """Knows what may be asked, and what was."""

    __slots__ = ()

    def may_ask(self, topic: str) -> AsksMay:
        """Ask whether the consumer may be asked for their consent: `if await ann.may_ask("purpose:marketing"):`.

        One rule for widget, bot and agent. Nobody is asked within 12 months after they refused, whatever has changed
        since; nor who has taken everything back, is under age without a guardian's grant, or whose GPC answers; nor
        about what needs no consent or has one. In an outage nobody is asked. A forgotten `await` raises TypeError where
        the answer is used as a truth value.

        Args:
            topic: Such as `purpose:marketing`.

        Returns:
            When awaited, a `MayAsk`: true or false, with the reason and from when.

        Raises:
            NotAuthenticatedError, ForbiddenError: When awaited: the key is not accepted.
        """
        return AsksMay(self, topic)

    async def shown(self, choice: PastChoice | Recorded) -> ShownNotice | None:
        """Give the exact text that one of the consumer's choices answered, in the language it was shown in.

        It is looked up in the published revisions, however old: they are never changed.

        Args:
            choice: From `history()`, or what recording it gave.

        Returns:
            None if the choice says of no notice that it was shown, or of one that the brand never published.

        Raises:
            InvalidError: It is pending: the server does not know it yet.
            Error: The class says why.
        """
        past = await self._look_up(choice) if isinstance(choice, Recorded) else choice
        if past is None or past.notice_language is None:
            return None
        query = {"topic": past.topic, "language": past.notice_language}
        if past.notice_version is not None:
            query["version"] = str(past.notice_version)
        answer = await self._transport.call("GET", f"{_PATH}?{urlencode(query)}")
        with reading():
            found = [ShownNotice.from_wire(past.topic, past.notice_language, each) for each in answer.data["notices"]]
        if past.notice_minor is not None:
            found = [notice for notice in found if notice.minor == past.notice_minor]
        by_then = [notice for notice in found if notice.published_at <= past.effective_at]
        return by_then[-1] if by_then else next(iter(found), None)

    async def _look_up(self, recorded: Recorded) -> PastChoice | None:
        if recorded.version is None:
            raise invalid("/choice", Code.INVALID_VALUE, "it is still pending; ask once the server has recorded it")
        path = f"/v1/consumers/{recorded.consumer_id}/choices?before={recorded.version + 1}"
        answer = await self._transport.call("GET", path)
        with reading():
            page = [PastChoice.from_wire(entry) for entry in answer.data["choices"][:1]]
        return next((choice for choice in page if choice.version == recorded.version), None)
