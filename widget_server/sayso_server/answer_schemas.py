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
    sometimes={"erased": _FLAG, "erased_at": _TIME},
    consumer_id=_TEXT,
    version=_WHOLE,
    store_id=_TEXT,
    catalogue_revision=_WHOLE,
    valid_until=_OPTIONAL_TIME,
    topics={"type": "object", "additionalProperties": _object(sometimes={"ask_from": _OPTIONAL_TIME}, **_DECIDED)},
    devices=_ANY_OBJECT,
    signals=_ANY_OBJECT,
    age=_ANY_OBJECT,
)

_REHEARSED = _object(
    topic=_TEXT, field=_OPTIONAL_TEXT, was=_TEXT, now=_TEXT, reason=_TEXT, hand_overs=_WHOLE, consumers=_WHOLE
)

_RECOURSE = _object(words=_TEXT, authority=_TEXT, url=_TEXT, offices=_list(_object(name=_TEXT, url=_TEXT)))

_REQUEST_SOMETIMES: dict[str, Any] = {
    "verified": _ANY_OBJECT,
    "verify_until": _TIME,
    "extension": _object(reason=_TEXT, at=_TIME, until=_TIME),
    "answer": _TEXT,
    "denial": _object(
        words=_TEXT, recourse=_RECOURSE, sometimes={"reason": _TEXT, "grounds": _TEXT, "barred_by": _TEXT}
    ),
    "closed_at": _TIME,
    "result_until": _TIME,
}
_REQUEST: dict[str, Any] = {
    "id": _TEXT,
    "consumer_id": _OPTIONAL_TEXT,
    "kind": _TEXT,
    "state": _TEXT,
    "channel": _TEXT,
    "jurisdiction": _OPTIONAL_TEXT,
    "language": _TEXT,
    "held_by": _TEXT,
    "received_at": _TIME,
    "filed_at": _TIME,
    "filed_by": _ANY_OBJECT,
    "deadlines": _object(
        acknowledge_by=_OPTIONAL_TIME,
        respond_by=_TIME,
        extend_by=_OPTIONAL_TIME,
        extended_until=_OPTIONAL_TIME,
        laws=_list(_TEXT),
        set_by=_TEXT,
    ),
    "due_at": _OPTIONAL_TIME,
    "days_left": _OPTIONAL_WHOLE,
    "contact": _ANY_OBJECT,
    "detail": _ANY_OBJECT,
    "effects": _ANY_OBJECT,
    "recourse": _RECOURSE,
    "events": _list(_object(at=_TIME, transition=_TEXT, to=_TEXT, by=_ANY_OBJECT)),
    "legal": _list(_TEXT),
}

_AGE_HOLD: dict[str, Any] = {
    "id": _TEXT,
    "consumer_id": _TEXT,
    "state": _TEXT,
    "reason": _TEXT,
    "held_at": _TIME,
    "held_by": _ANY_OBJECT,
}

ANSWERS: dict[str, dict[str, Any]] = {
    "Request": _object(sometimes=_REQUEST_SOMETIMES, **_REQUEST),
    "Filed": _object(sometimes=_REQUEST_SOMETIMES, replayed=_FLAG, **_REQUEST),
    "Requests": _object(requests=_list(_object(sometimes=_REQUEST_SOMETIMES, **_REQUEST))),
    "Recourse": _RECOURSE,
    "ExerciseStatus": _object(
        sometimes={
            "agent_request_id": _TEXT,
            "processing_details": _TEXT,
            "user_verification_url": _TEXT,
            "expires_at": _TIME,
        },
        request_id=_TEXT,
        received_at=_TIME,
        expected_by=_TIME,
        status={"enum": ["open", "in_progress", "fulfilled", "revoked", "denied", "expired"]},
        reason=_OPTIONAL_TEXT,
    ),
    "AgentToken": _object(**{"agent-id": _TEXT, "token": _TEXT}),
    "AgentError": _object(code=_TEXT, message=_TEXT),
    "Object": _ANY_OBJECT,
    "StaffToken": _object(
        token=_TEXT,
        expires_in=_WHOLE,
        renew_in=_WHOLE,
        session_ends_at=_TIME,
        staff=_TEXT,
        roles=_list(_TEXT),
        brand=_TEXT,
        brand_name=_TEXT,
    ),
    "StaffLink": _object(url=_TEXT),
    "ConsumerLinks": _object(
        links=_list(_object(sometimes={"topic": _TEXT}, consumer_id=_TEXT, kind=_TEXT, url=_TEXT))
    ),
    "GuardianLink": _object(
        consumer_id=_TEXT, state=_TEXT, topics=_list(_TEXT), expires_at=_TIME, confirmed_later=_FLAG, url=_TEXT
    ),
    "GuardianNamed": _object(state=_TEXT, topics=_list(_TEXT), deleted_at=_TIME),
    "GuardianRequests": _object(
        requests=_list(
            _object(
                sometimes={"chosen": _list(_TEXT), "confirm_from": _TIME},
                consumer_id=_TEXT,
                state=_TEXT,
                topics=_list(_TEXT),
                language=_TEXT,
                contact_from=_TEXT,
                contact=_ANY_OBJECT,
                asked_at=_TIME,
                deleted_at=_TIME,
            )
        )
    ),
    "AgeHold": _object(sometimes={"replayed": _FLAG}, version=_WHOLE, **_AGE_HOLD),
    "AgeHolds": _object(doubts=_list(_object(**_AGE_HOLD))),
    "AgeHoldConfirmed": _object(id=_TEXT, state=_TEXT, consumer_id=_TEXT, version=_WHOLE, erased_at=_TIME),
    "GpcSupport": _object(gpc=_FLAG, lastUpdate=_TEXT),
    "Audit": _object(audit=_list(_object(event=_TEXT, recorded_at=_TIME, by=_ANY_OBJECT))),
    "Erased": _object(consumer_id=_TEXT, version=_WHOLE, erased_at=_TIME),
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
        requests=_list(_ANY_OBJECT),
    ),
    "Head": _object(sometimes={"renewed": _FLAG}, store_id=_TEXT, position=_WHOLE),
    "Catalogue": _object(
        revision=_WHOLE, brand=_TEXT, languages=_list(_TEXT), topics=_list(_ANY_OBJECT), partners=_list(_ANY_OBJECT)
    ),
    "Notices": _object(
        topic=_TEXT,
        notices=_list(
            _object(
                sometimes={"title": _ANY_OBJECT, "notice": _ANY_OBJECT, "warning": _ANY_OBJECT, "change": _ANY_OBJECT},
                version=_WHOLE,
                minor=_WHOLE,
                revision=_WHOLE,
                published_at=_TIME,
                replaced_at=_OPTIONAL_TIME,
            )
        ),
    ),
    "Replay": _object(
        revision=_WHOLE,
        days=_WHOLE,
        since=_TIME,
        hand_overs=_WHOLE,
        consumers=_WHOLE,
        newly_allowed=_list(_REHEARSED),
        newly_withheld=_list(_REHEARSED),
    ),
    "Published": _object(revision=_WHOLE, published_at=_TIME, changed=_FLAG),
    "Preview": _object(
        revision=_WHOLE,
        consumers=_WHOLE,
        changes=_list(_ANY_OBJECT),
        asked_again=_ANY_OBJECT,
        texts=_list(_object(topic=_TEXT, text=_TEXT, language=_TEXT, before=_OPTIONAL_TEXT, after=_OPTIONAL_TEXT)),
        warnings=_list(_TEXT),
    ),
}
