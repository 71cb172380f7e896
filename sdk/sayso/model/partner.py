"""Whom a brand exchanges data with."""

import math
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AfterValidator, Field, JsonValue, StrictStr, StringConstraints, field_validator

from sayso.model.table import Country, HttpsUrl, Table, Texts, matching
from sayso.model.topic import Flow, Topic, TopicKey, TopicSettings, parse_partner_key

ANY_FIELD: Final = "*"
"""In a field map, stands for every field it does not name."""

MOST_FIELDS: Final = 500
_DEEPEST_FLAGS: Final = 6
_WHOLE_NUMBERS: Final = range(-(2**63), 2**63)


def _check_numbers(flag: JsonValue) -> JsonValue:
    """Refuse what TOML can say and JSON can't carry to the partner: inf, nan, and whole numbers beyond 64 bits."""
    if not _is_carried(flag):
        raise ValueError("is or holds a number that JSON can't carry: it must be finite and fit 64 bits")
    return flag


def _is_carried(value: JsonValue) -> bool:
    if isinstance(value, dict):
        return all(map(_is_carried, value.values()))
    if isinstance(value, list):
        return all(map(_is_carried, value))
    if isinstance(value, float):
        return math.isfinite(value)
    return not isinstance(value, int) or value in _WHOLE_NUMBERS


_Flag = Annotated[JsonValue, AfterValidator(_check_numbers)]
_FieldPath = Annotated[StrictStr, StringConstraints(min_length=1, max_length=200)]
_Host = Annotated[
    StrictStr,
    matching(r"(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+", "a host name in small letters, such as crm.example"),
]
_Word = Annotated[StrictStr, matching(r"[a-z0-9][a-z0-9._+-]{0,39}", "a short word such as adf or email")]


class PartnerClass(StrEnum):
    """What a partner is to the brand; transcripts leave freely only to service providers."""

    SERVICE_PROVIDER = "service_provider"
    INTEGRATION = "integration"
    AFFILIATE = "affiliate"
    AUTHORITY = "authority"


MAY_HEAR: Final = frozenset({PartnerClass.SERVICE_PROVIDER, PartnerClass.AUTHORITY})
"""Who may have what people said without their consent."""


class Partner(Table):
    """A company or authority that data goes to or comes from.

    Attributes:
        key: Its name in topic keys: `vinsolutions` in `partner:vinsolutions:share`.
        title: Its name for people, by language.
        partner_class: What it is to the brand.
        country: Where it processes the data.
        policy_url: Its own privacy policy, which governs what it does with the data.
        flows: The topic of each direction that data takes.
        fields: For `share`: each field that may leave, with the topics that must all be allowed besides the
            share itself. A field it does not name is held back; `"*"` names all others. At most 500.
        restricted: The partner's own flags for limited use, sent instead of withholding
            (Meta's LDU, Google's denied consent). Empty if it has none.
        hosts: Host names its traffic goes to; `*.` before a name takes in all below it.
        lead_format: The format of what is handed over, such as `adf` or `json`.
        delivery: How it gets there, such as `email` or `https`.
    """

    key: StrictStr
    title: Texts = Field(default_factory=dict)
    partner_class: PartnerClass
    country: Country | None = None
    policy_url: HttpsUrl | None = None
    flows: dict[Flow, TopicSettings] = Field(default_factory=dict)
    fields: dict[_FieldPath, tuple[TopicKey, ...]] = Field(default_factory=dict)
    restricted: dict[str, _Flag] = Field(default_factory=dict)
    hosts: tuple[_Host, ...] = ()
    lead_format: _Word | None = None
    delivery: _Word | None = None

    @field_validator("key")
    @classmethod
    def _check_key(cls, key: str) -> str:
        return parse_partner_key(key)

    @field_validator("fields")
    @classmethod
    def _check_field_count(cls, fields: dict[str, tuple[TopicKey, ...]]) -> dict[str, tuple[TopicKey, ...]]:
        if len(fields) > MOST_FIELDS:
            raise ValueError(f"holds {len(fields)} fields; at most {MOST_FIELDS}")
        return fields

    @field_validator("restricted")
    @classmethod
    def _check_restricted(cls, restricted: dict[str, JsonValue]) -> dict[str, JsonValue]:
        if _depth(restricted) > _DEEPEST_FLAGS:
            raise ValueError(f"is nested deeper than {_DEEPEST_FLAGS} levels, which no partner's flags are")
        return restricted

    def topic_key(self, flow: Flow) -> str:
        """Give the key of the topic that decides about a flow."""
        return f"partner:{self.key}:{flow}"

    def topics(self) -> dict[str, Topic]:
        """Give the topics that this partner's flows make, by key."""
        return {
            self.topic_key(flow): Topic.model_validate(
                {"key": self.topic_key(flow), **{name: getattr(settings, name) for name in _SETTINGS}}
            )
            for flow, settings in self.flows.items()
        }


_SETTINGS: Final = tuple(TopicSettings.model_fields)


def _depth(value: JsonValue) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0
