"""One change from a catalogue to the next."""

from dataclasses import dataclass
from enum import StrEnum


class ChangeKind(StrEnum):
    """What became of a topic, of a partner or of the catalogue as a whole."""

    ADDED = "added"
    REMOVED = "removed"
    RETIRED = "retired"
    REVIVED = "revived"
    VERSION_RAISED = "version_raised"
    TEXT_CHANGED = "text_changed"
    BASIS_CHANGED = "basis_changed"
    REQUIRES_CHANGED = "requires_changed"
    SALE_OR_SHARE_CHANGED = "sale_or_share_changed"
    EXPIRES_AFTER_CHANGED = "expires_after_changed"
    REFRESH_BEFORE_CHANGED = "refresh_before_changed"
    GRACE_CHANGED = "grace_changed"
    CAPABILITY_CHANGED = "capability_changed"
    FRESH_FOR_CHANGED = "fresh_for_changed"
    PARTNER_FIELDS_CHANGED = "partner_fields_changed"
    PARTNER_CLASS_CHANGED = "partner_class_changed"
    PARTNER_FLAGS_CHANGED = "partner_flags_changed"
    MAJORITY_CHANGED = "majority_changed"
    UNKNOWN_AGE_CHANGED = "unknown_age_changed"
    DNT_CHANGED = "dnt_changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        kind: What happened.
        topic: The topic's key; for a partner, that of its share; empty for the catalogue as a whole.
        message: What it means, for people.
        asks_again: Whether consumers who had granted it are asked again: their grants no longer allow.
        warns: Whether more is allowed from then on without any consumer having said so.
    """

    kind: ChangeKind
    topic: str
    message: str
    asks_again: bool = False
    warns: bool = False
