"""The body of `POST /v1/preferences`, and its answer."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from sayso.model.choice import ConsumerId
from sayso.wire import MAX_CONSUMERS
from sayso_server.jsonio import dumps
from sayso_server.services.snapshot import Snapshot


class ConsumerBatch(BaseModel):
    """1 to 500 consumers."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, hide_input_in_errors=True)

    consumer_ids: Annotated[tuple[ConsumerId, ...], Field(min_length=1, max_length=MAX_CONSUMERS)]


def joined(snapshots: Iterable[Snapshot]) -> bytes:
    """Give several snapshots as one JSON object, and beside them the entity tag that each has by itself."""
    found = list(snapshots)
    bodies = b",".join(snapshot.body for snapshot in found)
    return b'{"preferences":[%b],"etags":%b}' % (bodies, dumps([snapshot.etag for snapshot in found]))
