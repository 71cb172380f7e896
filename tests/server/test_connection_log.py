"""What the log says of requests that end badly."""

import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest
from aiohttp import web

from sayso_server.connection import Connection


@pytest.mark.parametrize(
    ("error", "level"),
    [(ConnectionResetError(), logging.DEBUG), (BrokenPipeError(), logging.DEBUG), (ValueError(), logging.ERROR)],
)
async def test_only_the_server_s_own_faults_are_errors_in_the_log(
    caplog: pytest.LogCaptureFixture, error: Exception, level: int
) -> None:
    caplog.set_level(logging.DEBUG, logger="sayso_server.connection")
    request = cast("web.BaseRequest", SimpleNamespace(writer=SimpleNamespace(output_size=0)))

    Connection.handle_error(cast("Any", None), request, 500, error)

    assert [record.levelno for record in caplog.records] == [level]
