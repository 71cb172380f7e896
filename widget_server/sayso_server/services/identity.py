"""Which consumer an id stands for: an anonymous id that was linked stands for the known consumer."""

from sayso.model.ids import is_anonymous
from sayso_server.services.state import read_state
from sayso_server.storage.base import Storage


async def resolve(storage: Storage, brand_id: str, consumer_id: str) -> str:
    """Give the consumer that an id stands for now."""
    if not is_anonymous(consumer_id):
        return consumer_id
    return read_state(await storage.consumer(brand_id, consumer_id)).linked_to or consumer_id


async def is_closed(storage: Storage, brand_id: str, consumer_id: str) -> bool:
    """Tell whether tokens of this id are closed because it was linked."""
    return is_anonymous(consumer_id) and await resolve(storage, brand_id, consumer_id) != consumer_id
