"""Everything held about one consumer, as JSON."""

from collections.abc import Iterable, Mapping
from typing import Any

from sayso_server.jsonio import dumps
from sayso_server.services.history_json import change_json
from sayso_server.storage.base import StoredChange


def export_json(
    consumer_id: str,
    exported_at: str,
    preferences: bytes,
    *,
    before: Mapping[str, Iterable[StoredChange]],
    changes: Iterable[StoredChange],
    disclosed: object,
    requests: object,
    facts: Mapping[str, Any],
) -> bytes:
    """Put an export together. It may be long, so it is encoded change by change: other threads get their turn.

    Args:
        consumer_id: Whose it is.
        exported_at: When, as the wire has it.
        preferences: Their snapshot, encoded.
        before: What was recorded of each visitor who became them, by the visitor's id.
        changes: What was recorded of them, oldest first.
        disclosed: What was handed to whom.
        requests: Their rights requests.
        facts: Devices, signals and age.
    """
    members = {
        "consumer_id": dumps(consumer_id),
        "exported_at": dumps(exported_at),
        "preferences": preferences,
        "linked_from": _object({visitor: _list(visitor, said) for visitor, said in before.items()}),
        "changes": _list(consumer_id, changes),
        "disclosures": dumps(disclosed),
        "requests": dumps(requests),
        **{name: dumps(value) for name, value in facts.items()},
    }
    return _object(members)


def _object(members: Mapping[str, bytes]) -> bytes:
    return b"{%b}" % b",".join([dumps(name) + b":" + value for name, value in members.items()])


def _list(consumer_id: str, changes: Iterable[StoredChange]) -> bytes:
    return b"[%b]" % b",".join([dumps(change_json(consumer_id, change)) for change in changes])
