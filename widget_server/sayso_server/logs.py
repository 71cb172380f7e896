"""Logging that names nobody: what happened, never to whom, from where or with what content.

Exceptions are where logs leak: their messages quote what was sent. So a trace shows its frames and the kinds of its
exceptions, without their messages.
"""

import logging
import sys
import time
import traceback
from types import TracebackType
from typing import TextIO

_FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class QuietFormatter(logging.Formatter):
    """Writes UTC times, and traces without the messages of their exceptions."""

    converter = staticmethod(time.gmtime)
    default_msec_format = "%s.%03dZ"

    def formatException(  # noqa: N802 - logging's own name
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        """Give the frames and the kind of each exception in the chain, the one that started it first."""
        parts: list[str] = []
        error = ei[1]
        while error is not None and len(parts) < 2 * _LONGEST_CHAIN:
            parts.append("".join(traceback.format_tb(error.__traceback__)) + type(error).__qualname__)
            error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        return "\n".join(reversed(parts))


_LONGEST_CHAIN = 10


def forget_the_peer(record: logging.LogRecord) -> bool:
    """Take the peer's address and the bytes it sent out of what aiohttp logs about a broken request.

    Used as a logging filter: what it leaves is the kind of error, at the level of something that any stranger on the
    network can cause.
    """
    if record.args or record.exc_info:
        error = record.exc_info[1] if isinstance(record.exc_info, tuple) else None
        record.msg = f"a connection failed: {type(error).__name__}" if error is not None else "a connection failed"
        record.args = ()
        record.exc_info = None
        record.exc_text = None
        record.levelno, record.levelname = logging.INFO, "INFO"
    return True


def set_up_logging(level: str, stream: TextIO | None = None) -> None:
    """Log to stderr.

    Args:
        level: debug, info, warning or error.
        stream: Another place, for tests.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(QuietFormatter(_FORM))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # At debug level asyncio and aiohttp would write down addresses.
    logging.getLogger("asyncio").setLevel(max(logging.INFO, root.level))
    peer = logging.getLogger("aiohttp.server")
    peer.setLevel(max(logging.INFO, root.level))
    if forget_the_peer not in peer.filters:
        peer.addFilter(forget_the_peer)
