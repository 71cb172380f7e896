"""Recorded changes as the history and the export show them."""

from typing import Any

from sayso.model.instant import format_micros
from sayso_server.jsonio import loads_exactly
from sayso_server.services.recorded_body import KEPT_OVER, NOTICE_MINOR, read_body
from sayso_server.storage.base import StoredChange


def choice_json(consumer_id: str, change: StoredChange) -> dict[str, Any]:
    """Give a recorded choice as history shows it: as it was sent, and what the server added."""
    body = read_body(change)
    recorded = body.recorded
    answer: dict[str, Any] = {
        **body.choice,
        "consumer_id": consumer_id,
        "actor": body.actor,
        "made_at": format_micros(recorded.made_at),
        "based_on": recorded.based_on,
        "version": change.version,
        "recorded_at": format_micros(change.recorded_at),
        "effective_at": format_micros(change.effective_at),
        "recorded_by": body.recorded_by,
    }
    if recorded.expires_at is not None:
        answer["expires_at"] = format_micros(recorded.expires_at)
    notice_sent = body.choice.get("notice", {})
    if recorded.notice_version is not None:
        answer["notice"] = {**notice_sent, "version": recorded.notice_version}
    elif "version" in notice_sent:  # a refusal's, that no notice can have
        answer["notice"] = {name: value for name, value in notice_sent.items() if name != "version"}
    if NOTICE_MINOR in body.more:
        answer["notice"] = {**answer["notice"], "minor": int(body.more[NOTICE_MINOR])}
    if notice_sent.get("version", recorded.notice_version) != recorded.notice_version:
        answer["notice_version_sent"] = notice_sent["version"]
    based_on_sent = body.choice.get("based_on")
    if based_on_sent is not None and based_on_sent != recorded.based_on:
        answer["based_on_sent"] = based_on_sent
    for name in ("linked_from", "made_at_sent", KEPT_OVER):
        if name in body.more:
            answer[name] = body.more[name]
    return answer


def change_json(consumer_id: str, change: StoredChange) -> dict[str, Any]:
    """Give any recorded change as the export shows it."""
    if change.kind == "choice":
        return {"kind": "choice", **choice_json(consumer_id, change)}
    body = loads_exactly(change.body)
    return {
        "kind": change.kind,
        "version": change.version,
        "recorded_at": format_micros(change.recorded_at),
        "sent": body["sent"],
        "recorded_by": body["recorded_by"],
    }
