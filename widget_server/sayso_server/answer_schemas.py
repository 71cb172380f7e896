"""JSON schemas of the answers, as other programs may rely on them. More members may come; these stay."""

from typing import Any

_TEXT: dict[str, Any] = {"type": "string"}
_TIME: dict[str, Any] = {"type": "string", "format": "date-time"}
_WHOLE: dict[str, Any] = {"type": "integer"}
_FLAG: dict[str, Any] = {"type": "boolean"}
_ANY_OBJECT: dict[str, Any] = {"type": "object"}
_OPTIONAL_TEXT: dict[str, Any] = {"type": ["string", "null"]}
_OPTIONAL_TIME: dict[str, Any] = {"type": ["string", "null"], "format": "date-time"}
_OPTIONAL_WHOLE: dict[str, Any] = {"type": ["integer", "null"]}
_OPTIONAL_TEXTS: dict[str, Any] = {"type": ["array", "null"], "items": _TEXT}


def _object(*, sometimes: dict[str, Any] | None = None, **members: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": list(members), "properties": {**members, **(sometimes or {})}}


def _list(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


_DECIDED = {
    "allowed": _FLAG,
    "reason": _TEXT,
    "answer": _OPTIONAL_TEXT,
    "choice_id": _OPTIONAL_TEXT,
    "made_at": _OPTIONAL_TIME,
    "expires_at": _OPTIONAL_TIME,
    "notice_version": _OPTIONAL_WHOLE,
    "valid_until": _OPTIONAL_TIME,
}

_PREFERENCES = _object(
    consumer_id=_TEXT,
    version=_WHOLE,
    store_id=_TEXT,
    catalogue_revision=_WHOLE,
    valid_until=_OPTIONAL_TIME,
    topics={"type": "object", "additionalProperties": _object(**_DECIDED)},
    devices=_ANY_OBJECT,
    signals=_ANY_OBJECT,
    age=_ANY_OBJECT,
)

ANSWERS: dict[str, dict[str, Any]] = {
    "Object": _ANY_OBJECT,
    "Recorded": _object(
        recorded=_list(
            _object(
                sometimes={"superseded_by": _TEXT},
                choice_id=_TEXT,
                consumer_id=_TEXT,
                topic=_TEXT,
                version=_WHOLE,
                recorded_at=_TIME,
                effective_at=_TIME,
                stands=_FLAG,
                allowed=_FLAG,
                reason=_TEXT,
                replayed=_FLAG,
            )
        )
    ),
    "Preferences": _PREFERENCES,
    "PreferencesOfSeveral": _object(preferences=_list(_PREFERENCES), etags=_list(_TEXT)),
    "History": _object(choices=_list(_ANY_OBJECT)),
    "Decisions": _object(
        store_id=_TEXT,
        decisions=_list(
            _object(consumer_id=_TEXT, topic=_TEXT, **_DECIDED, version=_WHOLE, title=_ANY_OBJECT, explanation=_TEXT)
        ),
    ),
    "DeviceRecorded": _object(version=_WHOLE, states=_ANY_OBJECT, unknown=_list(_object(name=_TEXT, value=_TEXT))),
    "SignalRecorded": _object(version=_WHOLE, signals=_ANY_OBJECT, replayed=_FLAG),
    "AgeRecorded": _object(version=_WHOLE, age=_ANY_OBJECT),
    "Linked": _object(
        consumer_id=_TEXT, version=_WHOLE, carried=_list(_ANY_OBJECT), left=_list(_ANY_OBJECT), replayed=_FLAG
    ),
    "Disclosed": _object(recorded=_list(_object(id=_TEXT, replayed=_FLAG))),
    "Disclosures": _object(
        disclosures=_list(
            _object(
                sometimes={"outcome": _TEXT, "choice_id": _TEXT, "reason": _TEXT, "linked_from": _TEXT},
                id=_TEXT,
                consumer_id=_TEXT,
                partner=_TEXT,
                flow=_TEXT,
                answer=_TEXT,
                fields_sent=_OPTIONAL_TEXTS,
                fields_held_back=_OPTIONAL_TEXTS,
                at=_TIME,
                recorded_at=_TIME,
                recorded_by=_ANY_OBJECT,
            )
        )
    ),
    "Export": _object(
        consumer_id=_TEXT,
        exported_at=_TIME,
        preferences=_ANY_OBJECT,
        changes=_list(_ANY_OBJECT),
        disclosures=_list(_ANY_OBJECT),
    ),
    "Head": _object(sometimes={"renewed": _FLAG}, store_id=_TEXT, position=_WHOLE),
    "Catalogue": _object(
        revision=_WHOLE, brand=_TEXT, languages=_list(_TEXT), topics=_list(_ANY_OBJECT), partners=_list(_ANY_OBJECT)
    ),
    "Published": _object(revision=_WHOLE, published_at=_TIME, changed=_FLAG),
    "Preview": _object(revision=_WHOLE, consumers=_WHOLE, changes=_list(_ANY_OBJECT), asked_again=_ANY_OBJECT),
}
