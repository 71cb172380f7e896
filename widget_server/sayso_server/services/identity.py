"""Which consumer an id stands for: an anonymous id that was linked stands for the known consumer."""

from contextvars import ContextVar
from http import HTTPStatus

from sayso.model.ids import is_anonymous
from sayso.wire import Code
from sayso_server.services.refusals import RefusedError
from sayso_server.services.state import read_state
from sayso_server.storage.base import Storage

AS_VISITOR: ContextVar[bool] = ContextVar("as_visitor", default=False)
"""A consumer's own token is asking: it never reaches the consumer that its id was linked to meanwhile."""


class LinkedMeanwhileError(Exception):
    """The anonymous id was linked between looking and recording; look again."""


async def resolve(storage: Storage, brand_id: str, consumer_id: str) -> str:
    """Give the consumer that an id stands for now."""
    if not is_anonymous(consumer_id):
        return consumer_id
    linked = read_state(await storage.consumer(brand_id, consumer_id)).linked_to
    if linked is not None and AS_VISITOR.get():
        raise RefusedError(HTTPStatus.UNAUTHORIZED, Code.LINKED, "this visitor has signed in; get the account's token")
    return linked or consumer_id


async def is_closed(storage: Storage, brand_id: str, consumer_id: str) -> bool:
    """Tell whether tokens of this id are closed because it was linked."""
    return is_anonymous(consumer_id) and await resolve(storage, brand_id, consumer_id) != consumer_id
