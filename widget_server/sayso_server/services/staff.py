"""Staff who sign in: by a link that works once, and until they are revoked.

A page holds its token in its memory alone, so what it can do ends with the page. The server remembers who signed in and
until when, which is what lets a revocation count at once and not when the token ends.
"""

import re
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from typing import Final, NamedTuple

from sayso.model.instant import Micros, span_micros
from sayso.wire import Code
from sayso_server.clock import Clock
from sayso_server.jsonio import loads
from sayso_server.services.caller import Caller
from sayso_server.services.link_tokens import new_link_token, read_link_token
from sayso_server.services.refusals import RefusedError
from sayso_server.services.staff_documents import (
    INVITATION,
    LINK_BITS,
    SESSION,
    SESSION_LASTS,
    SIGNING,
    STAFF,
    USED,
    Member,
    SignIn,
    member_key,
    read_member,
    read_sign_in,
    staff_line,
    write_link,
    write_member,
    write_sign_in,
)
from sayso_server.storage.base import DocumentKey, DocumentWrites, Storage, StoredDocument

_TOKEN_ID: Final = re.compile(r"session\.([0-9a-f]{32})\.[0-9a-f]{16}")


class SignedIn(NamedTuple):
    """Somebody who is in.

    Attributes:
        brand_id: For which brand.
        brand: What people call it.
        member: Who.
        sign_in: Since when and until when.
    """

    brand_id: str
    brand: str
    member: Member
    sign_in: SignIn

    def new_token_id(self) -> str:
        """Give another token's id. It leads back to the sign-in."""
        return f"session.{self.sign_in.session_id}.{secrets.token_hex(8)}"


class Staff:
    """Signs in, and tells whether somebody still is."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        """Take what it works with."""
        self._storage = storage
        self._clock = clock

    async def signing_key(self, brand_id: str) -> str | None:
        """Give the id of the key that signs the brand's staff tokens."""
        stored = await self._storage.document(brand_id, *SIGNING)
        return None if stored is None else str(loads(stored.body)["key_id"])

    # --- by link ---

    async def look(self, token: str) -> SignedIn:
        """Say whom a link would sign in. This changes nothing.

        Raises:
            RefusedError: 410 `link_used` or `link_expired`; 404 for what is no link.
        """
        brand_id, key = _place(token)
        stored = await self._storage.document(brand_id, *key)
        member = None if stored is None else await self._member(brand_id, loads(stored.body)["staff"])
        checked = _check_link(stored, member, self._clock.now())
        return SignedIn(brand_id, await self._brand(brand_id), checked, SignIn("", checked.name, 0, 0))

    async def sign_in(self, token: str) -> SignedIn:
        """Use a link up.

        Raises:
            RefusedError: As `look`.
        """
        seen = await self.look(token)
        brand_id, key = _place(token)
        whom = member_key(seen.member.name)
        session_id = secrets.token_hex(16)

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, SignedIn]:
            member = _check_link(found.get(key), read_member(found[whom]) if whom in found else None, now)
            if member.link == key.document_id:
                member = member._replace(link=None)
            member = member._replace(signed_in=True)
            sign_in = SignIn(session_id, member.name, member.generation, now + span_micros(SESSION_LASTS))
            used = found[key]._replace(state=USED)
            line = staff_line("staff.signed-in", member, {"key": "link:invitation", "class": "link"}, now)
            writes = DocumentWrites(put=(used, write_sign_in(sign_in, now), write_member(member)), audit=(line,))
            return writes, SignedIn(brand_id, seen.brand, member, sign_in)

        return await self._storage.change_documents(brand_id, [key, whom], plan)

    # --- while a page is open ---

    async def check(self, brand_id: str, name: str, token_id: str, roles: frozenset[str]) -> None:
        """Refuse the token of somebody who was revoked, or whose sign-in has ended or was made with other roles.

        A token that the brand's own sign-on signed has no sign-in here; a name that was revoked here is refused all
        the same. One that claims a sign-in has to have all its roles, or renewing it would add to them.

        Raises:
            RefusedError: 401 `token_invalid`.
        """
        member = await self._member(brand_id, name)
        if member is not None and not member.active:
            raise _over()
        if _TOKEN_ID.fullmatch(token_id):
            signed_in = await self._signed_in(brand_id, name, token_id)
            if signed_in is None or roles != set(signed_in.member.roles):
                raise _over()

    async def renew(self, caller: Caller) -> SignedIn:
        """Give the sign-in of a page that wants another token.

        Raises:
            RefusedError: 403 `not_yours` for a token that was not given by a link, 401 `token_invalid` once it is over.
        """
        if not _TOKEN_ID.fullmatch(caller.token_id):
            message = "this token was signed by the brand's own sign-on; it gives another"
            raise RefusedError(HTTPStatus.FORBIDDEN, Code.NOT_YOURS, message)
        signed_in = await self._signed_in(caller.brand_id, caller.subject or "", caller.token_id)
        if signed_in is None:
            raise _over()
        return signed_in

    async def next_link(self, caller: Caller) -> str:
        """Give somebody who is in the link for the next time; the one they made before no longer works.

        Raises:
            RefusedError: As `renew`.
        """
        signed_in = await self.renew(caller)
        key, (token, link_id) = member_key(signed_in.member.name), new_link_token(caller.brand_id, LINK_BITS)

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, str]:
            member = read_member(found[key]) if key in found else None
            if member is None or not member.active or member.generation != signed_in.sign_in.generation:
                raise _over()
            old = () if member.link is None else (DocumentKey(INVITATION, member.link),)
            member = member._replace(link=link_id)
            line = staff_line("staff.link", member, caller.stamp(), now)
            put = (write_member(member), write_link(link_id, member, now))
            return DocumentWrites(put=put, delete=old, audit=(line,)), token

        return await self._storage.change_documents(caller.brand_id, [key], plan)

    async def sign_out(self, caller: Caller) -> None:
        """End a sign-in; doing it again changes nothing."""
        found = _TOKEN_ID.fullmatch(caller.token_id)
        member = await self._member(caller.brand_id, caller.subject or "")
        if found is None or member is None:
            return
        key = DocumentKey(SESSION, found[1])

        def plan(there: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, None]:
            line = staff_line("staff.signed-out", member, caller.stamp(), now)
            return (DocumentWrites(delete=(key,), audit=(line,)) if key in there else DocumentWrites()), None

        await self._storage.change_documents(caller.brand_id, [key], plan)

    async def _signed_in(self, brand_id: str, name: str, token_id: str) -> SignedIn | None:
        match = _TOKEN_ID.fullmatch(token_id)
        stored = None if match is None else await self._storage.document(brand_id, SESSION, match[1])
        member = await self._member(brand_id, name)
        if stored is None or member is None or not member.active:
            return None
        sign_in = read_sign_in(stored)
        if sign_in.name != name or sign_in.generation != member.generation or self._clock.now() >= sign_in.ends_at:
            return None
        return SignedIn(brand_id, await self._brand(brand_id), member, sign_in)

    async def _member(self, brand_id: str, name: str) -> Member | None:
        stored = await self._storage.document(brand_id, STAFF, name)
        return None if stored is None else read_member(stored)

    async def _brand(self, brand_id: str) -> str:
        return next((one.name for one in await self._storage.brands() if one.brand_id == brand_id), brand_id)


def _place(token: str) -> tuple[str, DocumentKey]:
    read = read_link_token(token)
    if read is None:
        raise _no_link()
    return read[0], DocumentKey(INVITATION, read[1])


def _check_link(stored: StoredDocument | None, member: Member | None, now: Micros) -> Member:
    if stored is None or member is None:
        raise _no_link()
    if stored.state == USED:
        raise RefusedError(HTTPStatus.GONE, Code.LINK_USED, "this link was used before; each works once")
    void = loads(stored.body)["generation"] != member.generation or not member.active
    if void or (stored.expires_at is not None and now >= stored.expires_at):
        raise RefusedError(HTTPStatus.GONE, Code.LINK_EXPIRED, "this link no longer works; ask for another")
    return member


def _no_link() -> RefusedError:
    return RefusedError(HTTPStatus.NOT_FOUND, Code.NOT_FOUND, "this link opens nothing, or nothing any more")


def _over() -> RefusedError:
    return RefusedError(HTTPStatus.UNAUTHORIZED, Code.TOKEN_INVALID, "this sign-in is over; use another sign-in link")
