"""What may be done with a consumer's data, and what they ever said."""

from collections.abc import AsyncIterator
from datetime import datetime

from sayso.client.awaiting import Allows
from sayso.client.check import Check
from sayso.client.decision import Decision
from sayso.client.disclosures import PastDisclosure, read_disclosures
from sayso.client.handle import Handle
from sayso.client.history import PastChoice, read_history
from sayso.client.snapshot import Preferences


class Asking(Handle):
    """Asks about the consumer."""

    __slots__ = ()

    def allows(self, topic: str, device: str | None = None, *, at_least: int | None = None) -> Allows:
        """Ask whether something may be done now: `if await ann.allows("purpose:marketing"):`.

        In an outage the answer is False, within a second. For why, use `decide`; for many topics at once,
        `preferences`.

        A forgotten `await` raises TypeError where the answer is used as a truth value (`if`, `while`, `not`, `and`,
        `or`, `bool()`). It can't be caught where it isn't: `answer = ann.allows(...)` that nobody looks at, a
        comparison such as `ann.allows(...) != False`, or handing it on as an object, as in
        `{"may": ann.allows(...)}`.

        Args:
            topic: Such as `purpose:marketing`. Nothing unknown is allowed.
            device: The device it would happen on; permissions need one.
            at_least: A version that the answer must not fall behind: `recorded.version` of another process, carried
                along in a message, makes what was recorded there count here. It is waited for within the second;
                False if it isn't reached.

        Raises:
            NotAuthenticatedError, ForbiddenError: When awaited: the key is not accepted.
        """
        return Allows(self, topic, device, at_least)

    async def decide(
        self,
        topic: str,
        device: str | None = None,
        as_of: datetime | None = None,
        *,
        at_least: int | None = None,
    ) -> Decision:
        """Ask whether something may be done, and why.

        Args:
            topic: Such as `partner:vinsolutions:share`.
            device: The device it would happen on; permissions need one.
            as_of: A past moment, with a zone: what the answer would have been then.
            at_least: A version that the answer must not fall behind, as for `allows`: it is waited for within the
                second, and the answer is `unavailable` if it isn't reached.

        Returns:
            Always a decision: `unknown_topic` for an unknown topic, `unavailable` in an outage, within a second.

        Raises:
            InvalidError: `as_of` is naive, or comes with `at_least`.
            NotAuthenticatedError, ForbiddenError: The key is not accepted.
        """
        return (await self._asker.decide([Check(self.id, topic, device, as_of, at_least)]))[0]

    async def preferences(self, *, at_least: int | None = None, as_of: datetime | None = None) -> Preferences:
        """Fetch a snapshot, whose checks are plain and synchronous. It holds for seconds: see `Preferences`.

        Args:
            at_least: Wait up to 2 seconds for this version.
            as_of: A past moment, with a zone, instead of now.

        Raises:
            ConflictError: The server did not reach `at_least` in time.
            UnavailableError: No answer, or only one older than this client has seen.
        """
        return await self._asker.preferences(self.id, at_least=at_least, as_of=as_of)

    def history(self, limit: int | None = None) -> AsyncIterator[PastChoice]:
        """Go through every choice ever recorded, newest first: `async for choice in ann.history():`.

        Args:
            limit: At most so many; None for all. Pages are fetched as they are needed.

        Raises:
            Error: While iterating; the class says why.
        """
        return read_history(self._transport, self.id, limit)

    async def disclosures(self, limit: int | None = None) -> list[PastDisclosure]:
        """Fetch the hand-overs of the consumer's data to and from partners, withheld ones too, newest first.

        Those of before they signed in are among them (GDPR Art. 15(1)(c)). What still waits in an outbox is not.

        Args:
            limit: At most so many; None for all. They come 100 to a request.

        Raises:
            Error: The class says why.
        """
        return await read_disclosures(self._transport, self.id, limit)
