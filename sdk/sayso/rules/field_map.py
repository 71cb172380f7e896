"""A partner's field map, made ready for walking through payloads: which topics each path needs.

A path names a field by its place, `customer.contact.email`. It covers all that lies beneath, list elements have the
list's own name, and a whole step `*` stands for any one name (`vehicles.*.vin`). Every entry that covers a field
counts, so that an entry can only add to what those above it need. `*` alone covers what no other entry does.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from sayso.model.partner import ANY_FIELD

SPOKEN: Final = ("transcript", "survey", "recording")
"""What people said; a field whose name has one of these words in it."""


def is_spoken(name: str) -> bool:
    """Tell whether a field, by its name, holds what somebody said."""
    folded = name.lower()
    return any(word in folded for word in SPOKEN)


class Place:
    """Where a walk through a payload has come to.

    Attributes:
        needs: The topics of the entries that end here; None if none does.
        beneath: The topics of all entries that end further down.
        spoken_beneath: The topics of each of them that is about what people said.
    """

    __slots__ = ("_nodes", "_other", "_steps", "beneath", "needs", "spoken_beneath")

    def __init__(self, nodes: tuple["_Node", ...]) -> None:
        """Take the nodes that the steps so far lead to: several where both a name and a `*` fit."""
        self._nodes = nodes
        self._steps: dict[str, Place] = {}
        self._other: Place | None = None
        ending = [node.topics for node in nodes if node.topics is not None]
        self.needs = frozenset[str]().union(*ending) if ending else None
        self.beneath = frozenset[str]().union(*(node.beneath for node in nodes))
        self.spoken_beneath = tuple(topics for node in nodes for topics in node.spoken_beneath)

    def step(self, name: str) -> "Place":
        """Give the place that a name leads to."""
        place = self._steps.get(name)
        if place is not None:
            return place
        # Only names that the map has are remembered: a payload's own, such as the keys of a table, have no end.
        if self.knows(name):
            place = self._steps[name] = self._following(name)
            return place
        if self._other is None:
            self._other = self._following(None)
        return self._other

    def knows(self, name: str) -> bool:
        """Tell whether the map has this very name here."""
        return any(name in node.children for node in self._nodes)

    def _following(self, name: str | None) -> "Place":
        found = [node.children[step] for node in self._nodes for step in (name, ANY_FIELD) if step in node.children]
        return Place(tuple(dict.fromkeys(found)))


class _Node:
    __slots__ = ("beneath", "children", "spoken_beneath", "topics")

    def __init__(self) -> None:
        self.children: dict[str | None, _Node] = {}
        self.topics: frozenset[str] | None = None
        self.beneath: set[str] = set()
        self.spoken_beneath: list[frozenset[str]] = []


class FieldMap:
    """A field map of the catalogue.

    Attributes:
        topics: Every topic that it names.
        hears: Whether the partner may have what people said without their consent.
        root: Where a walk begins.
        otherwise: The topics of `*`, for fields that no other entry covers; None holds them back.
        entries: The topics of each entry.
    """

    __slots__ = ("entries", "hears", "otherwise", "root", "topics")

    def __init__(self, fields: Mapping[str, Iterable[str]], *, hears: bool) -> None:
        """Take the map as the catalogue has it, and whether the partner is a service provider or an authority."""
        self.entries = {path: frozenset(topics) for path, topics in fields.items()}
        self.topics = frozenset[str]().union(*self.entries.values())
        self.hears = hears
        self.otherwise = self.entries.get(ANY_FIELD)
        top = _Node()
        for path, topics in self.entries.items():
            if path != ANY_FIELD:
                _add(top, path, topics)
        self.root = Place((top,))

    def holds_back(self, allowed: frozenset[str]) -> bool:
        """Tell whether any field that it names has to stay when only these topics are allowed."""
        return not self.topics <= allowed


def _add(node: _Node, path: str, topics: frozenset[str]) -> None:
    for name in path.split("."):
        node.beneath |= topics
        if is_spoken(path):
            node.spoken_beneath.append(topics)
        node = node.children.setdefault(name, _Node())
    node.topics = topics
