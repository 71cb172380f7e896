"""Which visitors are known to be whom: what is pending under one id counts under the others as well."""

from collections import OrderedDict

MOST = 10_000


class Aliases:
    """Remembers the visitors that were heard of last. Reading takes no lock.

    Attributes:
        visitors: The visitors that stand for a consumer, by the consumer's known id.
    """

    __slots__ = ("_known", "visitors")

    def __init__(self) -> None:
        """Know nobody yet."""
        self._known: OrderedDict[str, str] = OrderedDict()
        self.visitors: dict[str, tuple[str, ...]] = {}

    def learn(self, visitor: str, consumer_id: str) -> None:
        """Note that a visitor is a consumer."""
        before = self._known.get(visitor)
        if before == consumer_id:
            return
        if before is not None:
            self._forget(visitor, before)
        self.visitors[consumer_id] = (*self.visitors.get(consumer_id, ()), visitor)
        self._known[visitor] = consumer_id
        if len(self._known) > MOST:
            self._forget(*self._known.popitem(last=False))

    def known_id(self, consumer_id: str) -> str:
        """Give the consumer that an id stands for, as far as is known."""
        return self._known.get(consumer_id, consumer_id)

    def all_of(self, consumer_id: str) -> tuple[str, ...]:
        """Give every id of whoever an id stands for, that id first."""
        known = self._known.get(consumer_id, consumer_id)
        others = self.visitors.get(known, ())
        return (consumer_id,) if not others else tuple(dict.fromkeys((consumer_id, known, *others)))

    def _forget(self, visitor: str, consumer_id: str) -> None:
        left = tuple(one for one in self.visitors.get(consumer_id, ()) if one != visitor)
        if left:
            self.visitors[consumer_id] = left
        else:
            self.visitors.pop(consumer_id, None)
