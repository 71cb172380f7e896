"""Everything Sayso raises, one class for each way a caller reacts.

::

    Error
    ├── ConfigurationError     the set-up is wrong; no retry helps
    ├── CatalogueError         a catalogue can't be published; `found` says where
    ├── InvalidError           the request was refused as written; `pointer` names the member
    ├── NotAuthenticatedError  the token or key is not accepted
    ├── ForbiddenError         the key may not do this
    ├── NotFoundError          there is no such thing
    ├── ConflictError          something newer exists; `current_version` tells which
    ├── ErasedError            the consumer was erased after this was made
    ├── RateLimitedError       slow down; `retry_after` tells for how long
    ├── UnavailableError       no answer in time; trying later may help
    ├── OutboxFullError        no answer, and no room to keep it until there is one
    └── NotAllowedError        the consumer's choices do not let this happen
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a request.

    Attributes:
        pointer: RFC 6901 JSON pointer to the member at fault, empty for the whole body.
        code: Stable word for programs, one of `sayso.wire.Code`.
        message: What is wrong and what to do, for people.
        notice: With `notice_stale`: what to show instead: `topic`, `version`, `minor`, `language`, `title`, `notice`,
            and `change` and `warning` where there are any. Else None.
    """

    pointer: str
    code: str
    message: str
    notice: Mapping[str, Any] | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class CatalogueProblem:
    """One thing that is wrong with a catalogue file.

    Attributes:
        table: The TOML table, such as `topics."purpose:marketing"`.
        key: The key in that table, empty for the table as a whole.
        message: What is wrong and what to do.
    """

    table: str
    key: str
    message: str

    def __str__(self) -> str:
        """Give the problem as one line that names table and key."""
        where = " ".join(part for part in (f"[{self.table}]" if self.table else "", self.key) if part)
        return f"{where}: {self.message}"


class Error(Exception):
    """Base of everything Sayso raises on purpose.

    Attributes:
        code: Stable word for programs.
        request_id: The server's id of the failed request, to quote to its operator; empty if none was made.
        status: The HTTP status of the server's answer; 0 if there was none.
        problems: Each member at fault, when the server named any.
    """

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        request_id: str = "",
        problems: tuple[Problem, ...] = (),
    ) -> None:
        """Keep the facts as attributes, so that nobody has to parse the message."""
        super().__init__(message)
        self.code = code
        self.request_id = request_id
        self.status = 0
        self.problems = problems

    @property
    def pointer(self) -> str:
        """JSON pointer to the first member at fault, or an empty string."""
        return self.problems[0].pointer if self.problems else ""


class ConfigurationError(Error):
    """The set-up is wrong: a setting is missing, malformed or unsafe."""


class CatalogueError(Error):
    """A catalogue can't be read or published; every problem names its table and key."""

    def __init__(
        self, message: str, *, found: tuple[CatalogueProblem, ...] = (), code: str = "catalogue_invalid"
    ) -> None:
        """Keep what was found; the message lists it, one line each."""
        lines = "".join(f"\n  {problem}" for problem in found)
        super().__init__(message + lines, code=code)
        self.found = found


class InvalidError(Error, ValueError):
    """The request was refused as written (400, 413, 415, 422); sending it again won't help."""


class NotAuthenticatedError(Error):
    """The token or key is not accepted (401)."""


class ForbiddenError(Error):
    """The key's roles don't cover this call (403)."""


class NotFoundError(Error):
    """There is no such thing (404)."""


class ConflictError(Error):
    """Something newer exists (409).

    Attributes:
        current_version: The consumer's version on the server, when the server told it.
        legal: Of a rights request: what can be done with it now, such as `("start", "deny")`.
    """

    def __init__(
        self,
        message: str,
        *,
        current_version: int | None = None,
        legal: tuple[str, ...] = (),
        code: str = "",
        request_id: str = "",
        problems: tuple[Problem, ...] = (),
    ) -> None:
        """Keep the server's version beside the message."""
        super().__init__(message, code=code, request_id=request_id, problems=problems)
        self.current_version = current_version
        self.legal = legal


class ErasedError(Error):
    """The consumer was erased after this was made (410); nothing brings it back."""


class RateLimitedError(Error):
    """Too many requests (429).

    Attributes:
        retry_after: How long the server asks to wait.
    """

    def __init__(
        self,
        message: str,
        *,
        retry_after: timedelta = timedelta(0),
        code: str = "",
        request_id: str = "",
        problems: tuple[Problem, ...] = (),
    ) -> None:
        """Keep the wait beside the message."""
        super().__init__(message, code=code, request_id=request_id, problems=problems)
        self.retry_after = retry_after


class UnavailableError(Error):
    """No answer came in time, or the server said that it can't answer now (408, 425, 5xx, network)."""


class OutboxFullError(Error):
    """The server can't be reached and there is no room to keep this until it can: it was not recorded.

    A refusal doesn't raise this while there is memory: it is kept there when the disk is full, and counts at once.
    """


class NotAllowedError(Error):
    """The consumer's choices do not let this happen; `code` is the decision's reason."""
