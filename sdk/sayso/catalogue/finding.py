"""What is wrong with a catalogue, and where: in the words of its TOML file."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sayso.errors import CatalogueProblem
from sayso.model.catalogue import Catalogue
from sayso.model.topic import Topic

_BARE_KEY: Final = re.compile(r"[A-Za-z0-9_-]+")


class Level(StrEnum):
    """How bad it is: an error keeps the catalogue from being published, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that a catalogue has to answer for.

    Attributes:
        level: Error or warning.
        table: The TOML table, such as `topics."purpose:marketing"`; empty for keys above the first table.
        key: The key in that table, empty for the table as a whole.
        message: What is wrong and what to do.
    """

    level: Level
    table: str
    key: str
    message: str

    def __str__(self) -> str:
        """Give it as one line: level, table, key, message."""
        return f"{self.level}: {self.problem}"

    @property
    def problem(self) -> CatalogueProblem:
        """The same without its level, as `CatalogueError.found` holds it."""
        return CatalogueProblem(self.table, self.key, self.message)


def error(table: str, key: str, message: str) -> Finding:
    """Make a finding that keeps the catalogue from being published."""
    return Finding(Level.ERROR, table, key, message)


def warning(table: str, key: str, message: str) -> Finding:
    """Make a finding that a publisher should know of."""
    return Finding(Level.WARNING, table, key, message)


def dotted(*names: str) -> str:
    """Join names as TOML writes them, quoting where it must: `topics."purpose:marketing"`."""
    return ".".join(name if _BARE_KEY.fullmatch(name) else _quoted(name) for name in names)


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + "".join(char if char.isprintable() else f"\\U{ord(char):08x}" for char in escaped) + '"'


def no_topic(catalogue: Catalogue, key: str) -> str:
    """Say that a catalogue has no such topic, and which one was probably meant."""
    near = catalogue.nearest(key)
    hint = f"did you mean {near!r}?" if near else "add it, or take it out here"
    return f"{key!r} is no topic of this catalogue; {hint}"


def table_of(topic: Topic) -> str:
    """Name the table in which a topic is written; a partner's topics stand with the partner."""
    if topic.partner is not None and topic.flow is not None and not topic.retired:
        return dotted("partners", topic.partner, "flows", topic.flow)
    return dotted("topics", topic.key)
