"""Who deals with a request: what a token is, in the words of `sayso.rules.requests`."""

from http import HTTPStatus
from typing import Final

from sayso.rules.requests import READ_BY, Party, Refusal
from sayso.wire import Code, Role, TokenClass
from sayso_server.services.caller import Caller
from sayso_server.services.refusals import RefusedError

_BACKENDS: Final = {
    Role.BACKEND: Party.BACKEND,
    Role.PRIVACY_OFFICER: Party.OFFICER,
    Role.AUDITOR: Party.AUDITOR,
    Role.ADMIN: Party.ADMIN,
}
_STAFF: Final = {
    Role.AGENT: Party.AGENT,
    Role.PRIVACY_OFFICER: Party.OFFICER,
    Role.AUDITOR: Party.AUDITOR,
    Role.ADMIN: Party.ADMIN,
}


def parties_of(caller: Caller) -> frozenset[Party]:
    """Give every part that a caller may play."""
    match caller.token_class:
        case TokenClass.CONSUMER:
            return frozenset({Party.CONSUMER})
        case TokenClass.BACKEND:
            return frozenset(party for role, party in _BACKENDS.items() if role in caller.roles)
        case TokenClass.STAFF:
            return frozenset(party for role, party in _STAFF.items() if role in caller.roles)
        case None:
            return frozenset({Party.LINK})


def check_reader(parties: frozenset[Party]) -> None:
    """Refuse whoever may not look at requests.

    Raises:
        RefusedError: 403 `not_yours`.
    """
    if not parties & READ_BY:
        message = "an agent enters what came by phone, and an admin publishes; neither looks at requests"
        raise RefusedError(HTTPStatus.FORBIDDEN, Code.NOT_YOURS, message)


def refused(refusal: Refusal, legal: tuple[str, ...]) -> RefusedError:
    """Make the answer to a transition that can't be made: it names those that can."""
    status = HTTPStatus.FORBIDDEN if refusal.code is Code.NOT_YOURS else HTTPStatus.CONFLICT
    can = f"now you can {', '.join(legal)}" if legal else "there is nothing that you can do with it now"
    return RefusedError(status, refusal.code, f"{refusal.message}; {can}", members={"legal": list(legal)})
