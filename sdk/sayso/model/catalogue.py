"""What a brand publishes: its topics, partners, notices, contacts, retention and deadlines."""

import difflib
import heapq
import json
from contextlib import suppress
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Any, Final

from pydantic import Field, StrictInt, StrictStr, ValidationError, ValidationInfo, field_validator, model_validator

from sayso.model.age_limit import AgeLimit
from sayso.model.contacts import Contacts
from sayso.model.deadline import Deadline
from sayso.model.instant import Micros, span_micros
from sayso.model.partner import Partner
from sayso.model.retention import Retention
from sayso.model.source import Cookie, Source
from sayso.model.table import Language, Table, TimeZone
from sayso.model.topic import LONGEST_TOPIC_KEY, Flow, LegalBasis, Topic, TopicKind
from sayso.model.topic_history import TopicHistory
from sayso.model.transfer import Transfer
from sayso.model.wire_form import in_one_language, topic_to_wire

__all__ = ["Catalogue", "DntPolicy", "Flow", "LegalBasis", "Topic", "TopicKind", "UnknownAge"]

MOST_TOPICS: Final = 500
MOST_PARTNERS: Final = 200
_MOST_LANGUAGES: Final = 40
_LIKELY: Final = 8
_ALIKE: Final = 0.6
"""How much of two names must be the same for one to be taken for a slip of the pen in the other."""
_SHORTEST_WORD: Final = 3


class UnknownAge(StrEnum):
    """What a consumer without age evidence counts as."""

    ADULT = "adult"
    MINOR = "minor"


class DntPolicy(StrEnum):
    """What is done with the old Do Not Track header; GPC is always honoured."""

    RECORD = "record"
    HONOUR = "honour"


class Catalogue(Table):
    """Everything a brand tells its consumers, and what follows from it. Names no brand and no revision.

    Attributes:
        languages: Every language each text is in.
        default_language: One of them.
        majority: Age in years from which a consumer decides alone.
        unknown_age: What a consumer without age evidence counts as.
        ages: By a short name of the law: ages that count in some places in place of `majority`.
        time_zone: Whose calendar the brand's deadlines are counted in, such as `America/Los_Angeles`; UTC without it.
        dnt: Whether DNT is only kept or treated like GPC.
        partners: By name.
        topics: By key, in the order shown; those of the partners' flows included.
        retention: By data class.
        contacts: Whom to turn to.
        transfers: By a short name.
        deadlines: By a short name of the law.
        sources: By a short name.
        cookies: By the name the browser shows.
        history: By topic, for those whose notice has changed. Kept by the server; no file has it.
    """

    languages: Annotated[tuple[Language, ...], Field(min_length=1, max_length=_MOST_LANGUAGES)] = ("en",)
    default_language: Language = Field(default="en", validate_default=True)
    majority: Annotated[StrictInt, Field(ge=0, le=30)] = 18
    unknown_age: UnknownAge = UnknownAge.ADULT
    ages: dict[StrictStr, AgeLimit] = Field(default_factory=dict)
    time_zone: TimeZone | None = None
    dnt: DntPolicy = DntPolicy.RECORD
    partners: dict[StrictStr, Partner] = Field(default_factory=dict)
    topics: dict[StrictStr, Topic] = Field(default_factory=dict)  # after the partners, whose flows they include
    retention: dict[StrictStr, Retention] = Field(default_factory=dict)
    contacts: Contacts = Field(default_factory=Contacts)
    transfers: dict[StrictStr, Transfer] = Field(default_factory=dict)
    deadlines: dict[StrictStr, Deadline] = Field(default_factory=dict)
    sources: dict[StrictStr, Source] = Field(default_factory=dict)
    cookies: dict[StrictStr, Cookie] = Field(default_factory=dict)
    history: dict[StrictStr, TopicHistory] = Field(default_factory=dict)

    @field_validator("topics", "partners", mode="before")
    @classmethod
    def _name_by_table(cls, tables: object) -> object:
        # In a file the table's name is the key; inside, each object knows its own.
        if not isinstance(tables, dict):
            return tables
        return {name: {"key": name, **table} if isinstance(table, dict) else table for name, table in tables.items()}

    @field_validator("topics", "partners")
    @classmethod
    def _check_names(cls, tables: dict[str, Any]) -> dict[str, Any]:
        for name, table in tables.items():
            if table.key != name:
                raise ValueError(f"{name!r} holds {table.key!r}; a table's name is its key")
        return tables

    @field_validator("topics")
    @classmethod
    def _check_topic_count(cls, topics: dict[str, Topic]) -> dict[str, Topic]:
        # Retired topics stay for ever, so that refusals of them can be recorded; they take nobody's place.
        live = sum(not topic.retired and topic.kind is not TopicKind.PARTNER for topic in topics.values())
        if live > MOST_TOPICS:
            raise ValueError(f"holds {live} topics; at most {MOST_TOPICS}")
        return topics

    @field_validator("topics")
    @classmethod
    def _check_partner_topics(cls, topics: dict[str, Topic], info: ValidationInfo) -> dict[str, Topic]:
        partners: dict[str, Partner] = info.data.get("partners", {})
        flows = {key: topic for partner in partners.values() for key, topic in partner.topics().items()}
        for key, topic in topics.items():
            # A partner that is gone leaves its topics retired, so that refusing them stays possible.
            left_behind = topic.retired and key not in flows
            if topic.kind is TopicKind.PARTNER and not left_behind and topic != flows.get(key):
                table = f"partners.{topic.partner}.flows.{topic.flow}"
                raise ValueError(f"{key!r} belongs to its partner: write it as [{table}]")
        return topics

    @field_validator("default_language")
    @classmethod
    def _check_default_language(cls, language: str, info: ValidationInfo) -> str:
        if language not in info.data.get("languages", (language,)):
            raise ValueError(f"{language!r} is not among `languages`")
        return language

    @field_validator("partners")
    @classmethod
    def _check_partner_count(cls, partners: dict[str, Partner]) -> dict[str, Partner]:
        if len(partners) > MOST_PARTNERS:
            raise ValueError(f"holds {len(partners)} partners; at most {MOST_PARTNERS}")
        return partners

    @model_validator(mode="after")
    def _add_the_partners_topics(self) -> "Catalogue":
        for partner in self.partners.values():
            self.topics.update(partner.topics())
        return self

    def topic(self, key: str) -> Topic | None:
        """Give the topic of a key, or None if the catalogue has none."""
        return self.topics.get(key)

    def minor(self, key: str) -> int:
        """Give which text of its present version a topic shows: 0 for the first."""
        past = self.history.get(key)
        return past.minor if past is not None else 0

    def held_until(self, key: str, version: int) -> Micros | None:
        """Give until when a grant that answered an older version of a topic goes on holding; None if it does not.

        Only one of the version right before does, for the topic's `grace` from when the present one was published.
        """
        topic, past = self.topics.get(key), self.history.get(key)
        if topic is None or topic.grace is None or past is None or past.since is None or past.previous is None:
            return None
        return past.since + span_micros(topic.grace) if past.previous <= version < topic.version else None

    def nearest(self, key: str) -> str | None:
        """Give the topic key most like a misspelt one, or None if nothing comes close."""
        key = key[:LONGEST_TOPIC_KEY]
        # Comparing with 500 keys takes 15 ms, which 500 misspelt topics in one request would multiply.
        pairs = _letter_pairs(key)
        known = self._pairs_by_key
        likely = heapq.nlargest(_LIKELY, known, key=lambda name: len(pairs & known[name]))
        near = difflib.get_close_matches(key, likely, n=_LIKELY)
        return next((name for name in near if _names_are_alike(key, name)), None)

    def closure(self, key: str) -> tuple[str, ...]:
        """Give every topic that a topic requires, directly or not, each once.

        Each comes after what it requires itself, the topic asked for is left out, and a required topic that
        the catalogue does not have is in, so that it can fail. Requirements in a circle do no harm.

        Args:
            key: A topic key; an unknown one requires nothing.
        """
        closure = self._closures.get(key)
        if closure is None:
            closure = self._closures[key] = self._find_closure(key)
        return closure

    def uses_device(self, key: str) -> bool:
        """Tell whether the topic, or anything it requires, depends on a device's permission."""
        uses = self._device_users.get(key)
        if uses is None:
            topics = (self.topics.get(name) for name in (key, *self.closure(key)))
            uses = any(topic is not None and topic.kind is TopicKind.PERMISSION for topic in topics)
            self._device_users[key] = uses
        return uses

    @cached_property
    def _pairs_by_key(self) -> dict[str, frozenset[str]]:
        return {key: _letter_pairs(key) for key, topic in self.topics.items() if not topic.retired}

    @cached_property
    def _closures(self) -> dict[str, tuple[str, ...]]:
        return {}

    @cached_property
    def _device_users(self) -> dict[str, bool]:
        return {}

    def _find_closure(self, key: str) -> tuple[str, ...]:
        # Depth first without recursion, each topic once: a ladder of pairs has 2^n paths but only 2n topics.
        found: dict[str, None] = {}
        seen = {key}
        path = [(key, iter(self._requires(key)))]
        while path:
            name, rest = path[-1]
            for required in rest:
                if required not in seen:
                    seen.add(required)
                    path.append((required, iter(self._requires(required))))
                    break
            else:
                path.pop()
                if name != key:
                    found[name] = None
        return tuple(found)

    def _requires(self, key: str) -> tuple[str, ...]:
        topic = self.topics.get(key)
        return topic.requires if topic is not None else ()

    def canonical_json(self) -> bytes:
        """Write the catalogue for storing: UTF-8 JSON, the same bytes for the same catalogue.

        Every default is written out, so that a stored catalogue keeps its meaning when a default changes.
        Order is kept, as topics are shown in it. The partners' topics are left to their partners.
        """
        content = self.model_dump(mode="json", exclude_none=True)
        made = {partner.topic_key(flow) for partner in self.partners.values() for flow in partner.flows}
        content["topics"] = {key: topic for key, topic in content["topics"].items() if key not in made}
        if not self.history:
            del content["history"]  # so that what a brand sends says nothing that only servers know
        if not self.ages:
            del content["ages"]
        return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()

    @classmethod
    def from_json(cls, stored: bytes) -> "Catalogue":
        """Read back what `canonical_json` wrote. Members that only a newer release knows are ignored.

        Raises:
            ValueError: It is something else, a `pydantic.ValidationError` where it is JSON at all. For what people
                write, use `sayso.catalogue`.
        """
        content = json.loads(stored)
        try:
            return cls.model_validate(content)
        except ValidationError as error:
            unknown = [detail["loc"] for detail in error.errors() if detail["type"] == "extra_forbidden"]
            for place in unknown:
                _leave_out(content, place)
            if not unknown:
                raise
        return cls.model_validate(content)

    def to_wire(self, language: str | None = None) -> dict[str, Any]:
        """Give the catalogue as `GET /v1/catalogue` shows it; the server adds `revision` and `brand`.

        Args:
            language: Give each text only in this language, or the nearest there is; None for all of them.

        Returns:
            Plain JSON values; topics and partners as lists in the order shown, all else by name.
        """
        content: dict[str, Any] = self.model_dump(mode="json", exclude_none=True)
        del content["history"]
        if not self.ages:
            del content["ages"]
        content["topics"] = [topic_to_wire(topic, self.history.get(topic.key)) for topic in self.topics.values()]
        content["partners"] = [
            {
                **partner,
                "flows": {flow: f"partner:{key}:{flow}" for flow in partner["flows"]},
            }
            for key, partner in content["partners"].items()
        ]
        if language is not None:
            content = in_one_language(content, language, self.default_language)
        return content


def _leave_out(content: Any, place: tuple[int | str, ...]) -> None:
    with suppress(LookupError, TypeError, AttributeError):  # a place that is named otherwise than it is written
        for name in place[:-1]:
            content = content[name]
        content.pop(place[-1], None)


def _names_are_alike(key: str, other: str) -> bool:
    """Tell whether what follows the kind is alike, too: `channel:fax` and `channel:sms` share most of their letters."""
    names, others = ((text.partition(":")[2] or text).split(":") for text in (key, other))
    if len(names) != len(others):
        names, others = [":".join(names)], [":".join(others)]
    return all(_are_alike(name, other) for name, other in zip(names, others, strict=True))


def _are_alike(name: str, other: str) -> bool:
    if len(name) >= _SHORTEST_WORD and name in other.split("."):
        return True  # purpose:training, where there is purpose:transcript.training
    return difflib.SequenceMatcher(None, other, name).ratio() >= _ALIKE


def _letter_pairs(key: str) -> frozenset[str]:
    return frozenset(map("".join, pairwise(key)))
