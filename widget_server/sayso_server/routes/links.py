"""Linking an anonymous visitor at login."""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Protocol

from aiohttp import web

from sayso_server.routes.asked import Asked
from sayso_server.services.linking import LinkBody


class VisitorIsHere(Protocol):
    """Tells whether a live token of the anonymous id was shown."""

    async def __call__(self, token: str, *, brand_id: str, anonymous_id: str) -> bool:
        """Tell it."""
        ...


def make_post_link(visitor_is_here: VisitorIsHere) -> Callable[[Asked], Awaitable[web.Response]]:
    """Give the handler; it needs the verifier to look at the visitor's own token."""

    async def post_link(asked: Asked) -> web.Response:
        body = await asked.parse(LinkBody)
        caller = asked.caller
        here = body.anonymous_token is not None and await visitor_is_here(
            body.anonymous_token, brand_id=caller.brand_id, anonymous_id=body.anonymous_id
        )
        answer = await asked.services.linking.link(caller, asked.consumer_id, body.anonymous_id, with_grants=here)
        return asked.answer(answer, status=HTTPStatus.OK if answer["replayed"] else HTTPStatus.CREATED)

    return post_link
