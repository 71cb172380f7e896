"""When to try again, and when to stop: tenacity, entered only after a first failure so that success costs nothing."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type

from sayso.errors import Error
from sayso.transport.clock import Clock

FIRST_WAIT = timedelta(milliseconds=200)
LONGEST_WAIT = timedelta(seconds=5)
_SPREAD = 0.1

_log = logging.getLogger("sayso.transport")
T = TypeVar("T")


class FailedError(Exception):
    """One attempt failed in a way that another may not; never leaves the transport.

    Attributes:
        error: What the caller gets if no attempt succeeds.
        retry_after: How long the server asked to wait, in seconds, or None.
    """

    def __init__(self, error: Error, retry_after: float | None = None) -> None:
        """Keep both."""
        super().__init__()
        self.error = error
        self.retry_after = retry_after


async def try_again(
    first: FailedError,
    attempt: Callable[[], Awaitable[T]],
    *,
    deadline: float,
    clock: Clock,
    jitter: Callable[[], float],
) -> T:
    """Repeat an attempt that has failed once, until it succeeds or the time is up.

    Args:
        first: The failure so far.
        attempt: Makes one more attempt; raises `FailedError` if yet another may help, anything else to stop.
        deadline: On the boot clock. No wait begins that would end later.
        clock: Waits, and tells how late it is.
        jitter: Gives a number from 0 to 1, so that clients that failed together don't come back together.

    Raises:
        Error: The last failure's.
    """
    failed: FailedError | None = first

    async def next_attempt() -> T:
        nonlocal failed
        if failed is not None:  # tenacity is shown the first failure instead of making that attempt itself
            known, failed = failed, None
            raise known
        return await attempt()

    def wait(state: RetryCallState) -> float:
        asked = _failure_of(state).retry_after
        if asked is not None:
            return asked * (1 + _SPREAD * jitter())
        doubled = FIRST_WAIT.total_seconds() * 2.0 ** min(state.attempt_number - 1, 10)
        return min(doubled, LONGEST_WAIT.total_seconds()) * (1 - jitter() / 2)

    def out_of_time(state: RetryCallState) -> bool:
        return clock.boot() + state.upcoming_sleep >= deadline

    def note(state: RetryCallState) -> None:
        _log.debug("attempt %d failed, next in %.1f s", state.attempt_number, state.upcoming_sleep)

    retrying = AsyncRetrying(
        retry=retry_if_exception_type(FailedError),
        wait=wait,
        stop=out_of_time,
        sleep=clock.sleep,
        before_sleep=note,
        reraise=True,
    )
    error: Error
    try:
        return await retrying(next_attempt)
    except FailedError as last:
        error = last.error
    # Outside of the handler: a traceback's chain would show what failed inside aiohttp, with the address.
    raise error


def _failure_of(state: RetryCallState) -> FailedError:
    failure = state.outcome.exception() if state.outcome is not None else None
    if not isinstance(failure, FailedError):
        raise TypeError("only a FailedError is tried again")
    return failure
