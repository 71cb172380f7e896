"""Erasing a consumer."""

from aiohttp import web

from sayso_server.routes.access import EXPORT
from sayso_server.routes.asked import Asked
from sayso_server.routes.table import RateClass, Row


async def delete_consumer(asked: Asked) -> web.Response:
    """Erase everything about a consumer, at once and for good."""
    return asked.answer(await asked.services.erasing.erase(asked.caller, asked.consumer_id, reason="api"))


def erasure_rows() -> tuple[Row, ...]:
    """Give the room's rows."""
    return (
        Row("DELETE", "/v1/consumers/{id}", delete_consumer, "Erase everything about a consumer, for good", EXPORT,
            single_use=True, rate_class=RateClass.ADMIN, answer="Erased"),
    )  # fmt: skip
