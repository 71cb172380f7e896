"""How a service says no: a status, a code and the members at fault. Routes turn it into problem+json."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from sayso.errors import Problem
from sayso.wire import Code


class RefusedError(Exception):
    """The request can't be carried out; nothing of it was."""

    def __init__(
        self,
        status: HTTPStatus,
        code: Code,
        message: str,
        *,
        problems: Sequence[Problem] = (),
        current_version: int | None = None,
        retry_after: int | None = None,
        members: Mapping[str, object] | None = None,
    ) -> None:
        """Keep what the answer needs; `retry_after` is in seconds, `members` are more that the answer gets."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.problems = tuple(problems)
        self.current_version = current_version
        self.retry_after = retry_after
        self.members = members or {}


def come_again(message: str) -> RefusedError:
    """Make a 429: as much of this as may run at once is running; a second later it may be over."""
    return RefusedError(HTTPStatus.TOO_MANY_REQUESTS, Code.RATE_LIMITED, message, retry_after=1)


def refuse_members(problems: Sequence[Problem]) -> RefusedError:
    """Make one refusal of several problems: 422, or 409 when a stale notice is all that is wrong.

    A 410 names only what is from before an erasure. That has to go first, whatever else is wrong.
    """
    erased = [problem for problem in problems if problem.code == Code.ERASED]
    if erased:
        return RefusedError(HTTPStatus.GONE, Code.ERASED, erased[0].message, problems=erased)
    stale = all(problem.code == Code.NOTICE_STALE for problem in problems)
    ordered = sorted(problems, key=lambda problem: problem.code == Code.NOTICE_STALE)
    status = HTTPStatus.CONFLICT if stale else HTTPStatus.UNPROCESSABLE_ENTITY
    return RefusedError(status, Code(ordered[0].code), ordered[0].message, problems=ordered)


def refuse_member(pointer: str, code: Code, message: str) -> RefusedError:
    """Make a 422 about one member."""
    return refuse_members([Problem(pointer, code.value, message)])
