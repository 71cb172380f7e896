"""What every side of a consumer's handle stands on: an id, and what does the work."""

from sayso.client.parts import Parts


class Handle:
    """The id and the parts of the client. `Consumer` puts the sides together."""

    __slots__ = ("_asker", "_clock", "_guard", "_memory", "_recorder", "_transport", "_vouched", "id")

    def __init__(self, consumer_id: str, parts: Parts) -> None:
        """Take a checked id and what does the work; made by `Client.consumer`."""
        self.id = consumer_id
        self._transport, self._recorder, self._asker, self._memory, self._clock, self._guard = parts
        self._vouched = self._asker.vouched

    def __repr__(self) -> str:
        return "<Consumer>"  # ids stay out of logs
