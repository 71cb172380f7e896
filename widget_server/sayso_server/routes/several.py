"""Several consumers' preferences at once, for clients that fill their cache."""

from aiohttp import web

from sayso_server.routes.answers import json_answer
from sayso_server.routes.asked import Asked
from sayso_server.services.several import ConsumerBatch, joined


async def post_preferences(asked: Asked) -> web.Response:
    """Give the snapshot of each consumer, in the order asked."""
    batch = await asked.parse(ConsumerBatch)
    found = await asked.services.reading.snapshots(asked.caller.brand_id, batch.consumer_ids)
    return json_answer(joined(found), request_id=asked.request_id)
