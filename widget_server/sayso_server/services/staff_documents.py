"""Staff, their sign-in links and their sessions, as they are stored."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple

from sayso.model.instant import Micros, format_micros, span_micros
from sayso.wire import Role
from sayso_server.jsonio import dumps, loads
from sayso_server.storage.base import DocumentKey, StoredDocument

STAFF: Final = "staff"
INVITATION: Final = "invitation"
SESSION: Final = "staff-session"
SIGNING_KEY: Final = "staff-key"
"""The kinds of document: a person by name, a link by its digest, a sign-in by its id, and which key signs."""

SIGNING: Final = DocumentKey(SIGNING_KEY, "current")

STAFF_ROLES: Final = tuple(role.value for role in Role if role is not Role.BACKEND)
"""What a person may be. A person is no backend."""
LINK_BITS: Final = 256
LINK_LASTS: Final = timedelta(hours=72)
SESSION_LASTS: Final = timedelta(hours=12)
"""A working day: a page that was left open signs nobody in for ever."""

ACTIVE: Final = "active"
REVOKED: Final = "revoked"
OPEN: Final = "open"
USED: Final = "used"
_ANY: Final = 0


class Member(NamedTuple):
    """A staff member of one brand.

    Attributes:
        name: What they are called; it stands in the audit and beside what they enter.
        roles: What they may do.
        active: False once they were revoked.
        generation: Grows when they are revoked or their roles change; sign-ins and links of an earlier one are void.
        since: When they were first invited.
        link: The digest of the open link that they made for themselves, if there is one.
        signed_in: Whether they have used a link of this generation.
    """

    name: str
    roles: tuple[str, ...]
    active: bool
    generation: int
    since: Micros
    link: str | None = None
    signed_in: bool = False


class SignIn(NamedTuple):
    """A page that somebody has signed in on.

    Attributes:
        session_id: Its id.
        name: Who.
        generation: That of the member when they signed in.
        ends_at: From when on its token is not renewed.
    """

    session_id: str
    name: str
    generation: int
    ends_at: Micros


def member_key(name: str) -> DocumentKey:
    """Give where a member is stored."""
    return DocumentKey(STAFF, name)


def read_member(stored: StoredDocument) -> Member:
    """Unpack a member."""
    body = loads(stored.body)
    return Member(
        name=stored.document_id,
        roles=tuple(body["roles"]),
        active=stored.state == ACTIVE,
        generation=body["generation"],
        since=stored.created_at,
        link=body.get("link"),
        signed_in=body.get("signed_in", True),  # of those from before this was kept, most have
    )


def write_member(member: Member) -> StoredDocument:
    """Pack a member."""
    body = {"roles": list(member.roles), "generation": member.generation, "link": member.link}
    body["signed_in"] = member.signed_in
    state = ACTIVE if member.active else REVOKED
    return StoredDocument(STAFF, member.name, None, state, member.since, _ANY, None, (), dumps(body))


def write_link(link_id: str, member: Member, now: Micros) -> StoredDocument:
    """Pack a sign-in link. A used one stays until it would have ended, so that it can be said that it was used."""
    body = {"staff": member.name, "generation": member.generation}
    ends = now + span_micros(LINK_LASTS)
    return StoredDocument(INVITATION, link_id, None, OPEN, now, _ANY, ends, (), dumps(body))


def write_sign_in(sign_in: SignIn, now: Micros) -> StoredDocument:
    """Pack a sign-in."""
    body = {"staff": sign_in.name, "generation": sign_in.generation}
    return StoredDocument(SESSION, sign_in.session_id, None, OPEN, now, _ANY, sign_in.ends_at, (), dumps(body))


def read_sign_in(stored: StoredDocument) -> SignIn:
    """Unpack a sign-in."""
    body = loads(stored.body)
    return SignIn(stored.document_id, body["staff"], body["generation"], stored.expires_at or 0)


def staff_line(event: str, member: Member, by: Mapping[str, str], now: Micros, **more: Any) -> bytes:
    """Give a line of the audit."""
    return dumps({"event": event, "staff": member.name, **more, "by": dict(by), "at": format_micros(now)})


def check_roles(roles: Collection[str]) -> tuple[str, ...]:
    """Give roles in their order.

    Raises:
        ValueError: None, or one that no person can have.
    """
    unknown = set(roles) - set(STAFF_ROLES)
    if unknown or not roles:
        raise ValueError(f"a staff member is at least one of {', '.join(STAFF_ROLES)}")
    return tuple(role for role in STAFF_ROLES if role in roles)
