"""How a catalogue's parts look in `GET /v1/catalogue`."""

from typing import Any, Final

from sayso.model.duration import format_duration
from sayso.model.instant import format_micros
from sayso.model.table import text_in
from sayso.model.topic import Topic
from sayso.model.topic_history import TopicHistory

_TEXTS: Final = frozenset({"title", "notice", "warning", "change", "ground", "description"})


def topic_to_wire(topic: Topic, past: TopicHistory | None = None) -> dict[str, Any]:
    """Give a topic as plain JSON values; members without meaning for its kind are left out.

    Args:
        topic: As published.
        past: How its notice came to be; None while it is the first.
    """
    shown: dict[str, Any] = {
        "key": topic.key,
        "kind": topic.kind.value,
        "basis": topic.basis.value,
        "version": topic.version,
        "title": dict(topic.title),
        "notice": dict(topic.notice),
        "requires": list(topic.requires),
        "refusable": topic.refusable,
        "sale_or_share": topic.sale_or_share,
        "data_classes": list(topic.data_classes),
        "retired": topic.retired,
    }
    if topic.partner is not None and topic.flow is not None:
        shown |= {"partner": topic.partner, "flow": topic.flow.value}
    if topic.capability is not None:
        shown |= {
            "capability": topic.capability,
            "fresh_for": format_duration(topic.fresh_for),
            "fresh_for_one_time": format_duration(topic.fresh_for_one_time),
        }
    if topic.expires_after is not None:
        shown["expires_after"] = format_duration(topic.expires_after)
    if topic.refresh_before is not None:
        shown["refresh_before"] = format_duration(topic.refresh_before)
    if topic.grace is not None:
        shown["grace"] = format_duration(topic.grace)
    if past is not None:
        shown["minor"] = past.minor
        if past.since is not None:
            shown |= {"version_since": format_micros(past.since), "previous_version": past.previous}
    if topic.senders:
        shown["senders"] = {name: sender.model_dump(mode="json") for name, sender in topic.senders.items()}
    if topic.warning is not None:
        shown["warning"] = dict(topic.warning)
    if topic.change is not None:
        shown["change"] = dict(topic.change)
    return shown


def in_one_language(value: Any, language: str, default: str) -> Any:
    """Keep of each text in a JSON value only the language nearest to the one asked for.

    Args:
        value: What `topic_to_wire` and its like give.
        language: The reader's language.
        default: The catalogue's.

    Returns:
        The same shape; each text is an object with one member, named by the language found.
    """
    if isinstance(value, list):
        return [in_one_language(item, language, default) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        name: _nearest(item, language, default)
        if name in _TEXTS and isinstance(item, dict)
        else in_one_language(item, language, default)
        for name, item in value.items()
    }


def _nearest(texts: dict[str, str], language: str, default: str) -> dict[str, str]:
    found = text_in(texts, language, default)
    return dict([found]) if found else {}
