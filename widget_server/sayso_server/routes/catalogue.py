"""Showing, previewing and publishing a brand's catalogue."""

import asyncio
from http import HTTPStatus

from aiohttp import web

from sayso.catalogue import catalogue_from_python
from sayso.errors import CatalogueError, Problem
from sayso.model.catalogue import Catalogue
from sayso.wire import Code
from sayso_server.routes.asked import Asked
from sayso_server.routes.conditional import answer_unless_known
from sayso_server.services.publishing import pointer_to
from sayso_server.services.refusals import RefusedError, refuse_member
from sayso_server.services.rehearsal import DAYS, MOST_DAYS


async def get_catalogue(asked: Asked) -> web.Response:
    """Show the current catalogue."""
    shown = asked.services.catalogues.of(asked.caller.brand_id).shown
    return answer_unless_known(asked, shown.body, shown.etag)


async def put_catalogue(asked: Asked) -> web.Response:
    """Publish the next revision."""
    catalogue = await _read(asked)
    result = await asked.services.publishing.publish(
        asked.caller.brand_id,
        catalogue,
        allow_lower_majority=asked.request.query.get("allow_lower_majority") == "true",
        allow_newly_shared=asked.request.query.get("allow_newly_shared") == "true",
    )
    return asked.answer(
        {"revision": result.revision, "published_at": result.published_at, "changed": result.changed},
        status=HTTPStatus.CREATED if result.changed else HTTPStatus.OK,
    )


async def preview_catalogue(asked: Asked) -> web.Response:
    """Say what publishing would change and whom it would ask again."""
    return asked.answer(await asked.services.publishing.preview(asked.caller.brand_id, await _read(asked)))


async def replay_catalogue(asked: Asked) -> web.Response:
    """Say which hand-overs of the last days it would newly have withheld or allowed."""
    days = asked.query_int("days", digits=3)
    if days is None:
        days = DAYS.days
    if not 1 <= days <= MOST_DAYS:
        raise refuse_member("", Code.INVALID_VALUE, f"the query parameter days is 1 to {MOST_DAYS}")
    brand_id = asked.caller.brand_id
    return asked.answer(await asked.services.publishing.replay(brand_id, await _read(asked), days=days))


async def get_notices(asked: Asked) -> web.Response:
    """Show every text that a topic was asked with."""
    topic = asked.request.query.get("topic")
    if topic is None:
        raise refuse_member("", Code.MISSING_MEMBER, "the query parameter topic is missing; name a topic")
    found = await asked.services.notices.of(
        asked.caller.brand_id,
        topic,
        version=asked.query_int("version"),
        language=asked.request.query.get("language"),
    )
    return asked.answer(found)


async def _read(asked: Asked) -> Catalogue:
    members = await asked.members()
    if not isinstance(members, dict):
        raise refuse_member("", Code.WRONG_TYPE, "a catalogue is an object")
    try:
        # Beside the loop: a large one takes some 50 ms, and a time zone is looked up on the disk.
        return await asyncio.to_thread(catalogue_from_python, members)
    except CatalogueError as error:
        problems = [
            Problem(pointer_to(found.table, found.key), Code.CATALOGUE_INVALID.value, str(found))
            for found in error.found
        ]
        raise RefusedError(
            HTTPStatus.UNPROCESSABLE_ENTITY, Code.CATALOGUE_INVALID, str(error), problems=problems
        ) from None
