"""The application: which rooms there are and how they hang together, on one screen."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from functools import cache
from typing import Protocol

from aiohttp import web
from aiohttp.http_parser import HttpRequestParser, HttpRequestParserPy

from sayso.errors import ConfigurationError
from sayso.wire import MAX_BODY
from sayso_server.auth import LiveKeys, Verifier
from sayso_server.auth.live import SecretFile
from sayso_server.clock import Clock, SystemClock
from sayso_server.live import Live
from sayso_server.middleware import answer_everything, meet_expectation
from sayso_server.openapi import describe
from sayso_server.routes import service
from sayso_server.routes.consumer_links import consumer_link_rows
from sayso_server.routes.drp import drp_rows
from sayso_server.routes.guard import Guard
from sayso_server.routes.guardians import guardian_rows
from sayso_server.routes.origins import Origins
from sayso_server.routes.pace import Network
from sayso_server.routes.rights import rights_rows
from sayso_server.routes.rows import make_rows
from sayso_server.routes.staff import staff_rows
from sayso_server.routes.table import RateClass, Row, check_router, check_rows
from sayso_server.services import Beside, Services, make_services
from sayso_server.services.holidays import load_calendars
from sayso_server.services.mark_check import check_mark_key
from sayso_server.services.re_erasing import erase_again
from sayso_server.services.sweeping import sweep_again_and_again
from sayso_server.storage.base import Storage


class Secrets(SecretFile, Beside, Protocol):
    """The key file, or what stands for it in tests."""


SERVICES = web.AppKey("services", Services)
ROWS = web.AppKey("rows", tuple[Row, ...])

RUNNER_OPTIONS = {
    # The access log costs more than half of the throughput and would hold paths with ids in them.
    "access_log": None,
    # Also bounds how long the header of a request may take to arrive.
    "keepalive_timeout": 15.0,
    # After an early refusal the rest of the body is read for so long, that the sender gets to see the answer.
    "lingering_time": 2.0,
    "shutdown_timeout": 10.0,
    "auto_decompress": False,
    "max_line_size": 8190,
    "max_field_size": 8190,
}


def create_app(
    storage: Storage,
    key_file: Secrets,
    *,
    public_origin: str,
    clock: Clock | None = None,
    trusted_proxies: Sequence[Network] = (),
) -> web.Application:
    """Put the server together over a storage.

    Args:
        storage: Opened when the application starts and closed when it stops.
        key_file: The secrets that tokens are verified with.
        public_origin: The origin of the server's own pages.
        clock: Another clock, for tests.
        trusted_proxies: Networks whose `X-Forwarded-For` is believed, where people without a token are counted.

    Raises:
        ValueError: The route table leaves a question open.
        ConfigurationError: This aiohttp lacks its C parser, whose pure-Python stand-in had most of the smuggling bugs.
    """
    if HttpRequestParser is HttpRequestParserPy:
        raise ConfigurationError("aiohttp was installed without its C extensions; install a wheel for this platform")
    time = clock or SystemClock()
    services = make_services(storage, time, key_file)
    verifier, origins = Verifier(), Origins(storage)
    keys = LiveKeys(storage, key_file, verifier, time)
    live = Live(storage, keys, origins, services.catalogues)
    guard = Guard(services, verifier, refresh=live.refresh, origins=origins, clock=time, public_origin=public_origin)
    itself = service.make_openapi(cache(lambda: describe(rows)))
    rows: tuple[Row, ...] = (
        *make_rows(guard.visitor_is_here),
        *consumer_link_rows(public_origin),
        *guardian_rows(public_origin),
        *drp_rows(public_origin),
        *staff_rows(public_origin, keys, time),
        *rights_rows(public_origin, live.refresh, time, trusted_proxies),
        Row("GET", "/openapi.json", itself, "What the server can do", rate_class=RateClass.PUBLIC),
    )
    check_rows(rows)

    app = web.Application(middlewares=[answer_everything], client_max_size=MAX_BODY)
    app[SERVICES] = services
    app[ROWS] = rows
    for path in dict.fromkeys(row.path for row in rows):
        resource = app.router.add_resource(path)
        here = [row for row in rows if row.path == path]
        for row in here:
            endpoint = guard.endpoint(row)
            for method in row.methods:
                resource.add_route(method, endpoint, expect_handler=meet_expectation)
        if any(row.access.consumer for row in here):
            resource.add_route("OPTIONS", guard.preflight)
    check_router(app, rows)

    async def storage_and_keys(_: web.Application) -> AsyncIterator[None]:
        check_router(app, rows)  # again: whoever made the application may have added to it
        await storage.start()
        try:
            await check_mark_key(storage, services.marks, serving=True)
            if services.journal is not None:
                await erase_again(storage, services.marks, services.journal)
            await asyncio.to_thread(load_calendars)
            await live.refresh()
            services.feed.start(live)
            sweeping = asyncio.create_task(
                sweep_again_and_again(storage, time, services.requests.expire), name="sayso-sweep"
            )
            try:
                yield
            finally:
                sweeping.cancel()
                await asyncio.wait([sweeping])
        finally:
            # What was accepted is finished even if whoever stops the server grows impatient.
            await asyncio.shield(storage.close())

    async def end_streams(_: web.Application) -> None:
        await services.feed.stop()

    app.cleanup_ctx.append(storage_and_keys)
    app.on_shutdown.append(end_streams)  # before the server waits for what is underway
    return app
