"""How reasons, methods and times read in the report."""

from datetime import UTC, datetime

import sayso

ANSWERS = {"granted": "yes", "denied": "no", "withdrawn": "taken back"}

_REASONS = {
    "granted": "said yes",
    "default": "by default",
    "required": "required",
    "not_asked": "not asked",
    "denied": "said no",
    "withdrawn": "taken back",
    "signal": "signal",
    "expired": "expired",
    "minor": "under age",
    "device_denied": "device says no",
    "device_not_asked": "device not asked",
    "device_unknown": "device unknown",
}


def reason_in_words(decision: sayso.Decision) -> str:
    """The reason in one to three words; the sentence is `decision.explain()`."""
    reason, _, needed = decision.reason.partition(":")
    return f"needs {needed.rpartition(':')[2]}" if reason == "requires" else _REASONS.get(reason, reason)


def clock(moment: datetime) -> str:
    """The time of day, in the zone that explanations use."""
    return moment.astimezone(UTC).strftime("%H:%M")


def is_telling(decision: sayso.Decision) -> bool:
    """Whether a decision says something about this consumer, rather than being what everybody starts with."""
    return decision.reason not in {"default", "required", "not_asked"} and not (
        decision.reason.startswith("requires:") and decision.answer is None
    )
