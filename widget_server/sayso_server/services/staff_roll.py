"""The roll of staff, which only commands change: who is invited, as what, and who is out."""

from collections.abc import Mapping
from typing import Final

from sayso.model.ids import ID_PATTERN
from sayso.model.instant import Micros
from sayso_server.jsonio import dumps
from sayso_server.services.link_tokens import new_link_token
from sayso_server.services.staff_documents import (
    ACTIVE,
    LINK_BITS,
    SIGNING,
    STAFF,
    Member,
    check_roles,
    member_key,
    read_member,
    staff_line,
    write_link,
    write_member,
)
from sayso_server.storage.base import DocumentKey, DocumentWrites, Storage, StoredDocument

_MOST: Final = 1000
_OPERATOR: Final = {"key": "command", "class": "operator"}


class StaffRoll:
    """Invites, lists and revokes."""

    def __init__(self, storage: Storage) -> None:
        """Take what it works with."""
        self._storage = storage

    async def invite(self, brand_id: str, name: str, roles: tuple[str, ...]) -> str:
        """Make somebody staff, or change their roles, and give a sign-in link's token, which is kept nowhere.

        Other roles end every sign-in and link there was.

        Raises:
            ValueError: The name or the roles won't do.
        """
        if not ID_PATTERN.fullmatch(name):
            raise ValueError("a name is 1 to 128 letters, digits or . _ : @ + = - and starts with a letter or digit")
        wanted = check_roles(roles)

        def invited(before: Member | None, now: Micros) -> Member:
            if before is None:
                return Member(name, wanted, active=True, generation=1, since=now)
            changed = before.roles != wanted or not before.active
            signed_in = before.signed_in and not changed
            return before._replace(
                roles=wanted, active=True, generation=before.generation + changed, signed_in=signed_in
            )

        key, (token, link_id) = member_key(name), new_link_token(brand_id, LINK_BITS)

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, str]:
            member = invited(read_member(found[key]) if key in found else None, now)
            line = staff_line("staff.invited", member, _OPERATOR, now, roles=list(member.roles))
            return DocumentWrites(put=(write_member(member), write_link(link_id, member, now)), audit=(line,)), token

        return await self._storage.change_documents(brand_id, [key], plan)

    async def link(self, brand_id: str, name: str) -> str | None:
        """Give another sign-in link's token for somebody as they are; None for nobody, or somebody revoked."""
        key, (token, link_id) = member_key(name), new_link_token(brand_id, LINK_BITS)

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, str | None]:
            member = read_member(found[key]) if key in found else None
            if member is None or not member.active:
                return DocumentWrites(), None
            line = staff_line("staff.link", member, _OPERATOR, now)
            return DocumentWrites(put=(write_link(link_id, member, now),), audit=(line,)), token

        return await self._storage.change_documents(brand_id, [key], plan)

    async def revoke(self, brand_id: str, name: str) -> bool:
        """Put somebody out, with every page they have open; False if they were not staff."""
        key = member_key(name)

        def plan(found: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, bool]:
            member = read_member(found[key]) if key in found else None
            if member is None or not member.active:
                return DocumentWrites(), False
            gone = member._replace(active=False, generation=member.generation + 1, link=None)
            line = staff_line("staff.revoked", gone, _OPERATOR, now)
            return DocumentWrites(put=(write_member(gone),), audit=(line,)), True

        return await self._storage.change_documents(brand_id, [key], plan)

    async def every(self, brand_id: str) -> list[Member]:
        """Give everybody who is or was staff, by name."""
        return [read_member(stored) for stored in await self._storage.documents(brand_id, STAFF, limit=_MOST)]

    async def sign_with(self, brand_id: str, key_id: str) -> None:
        """Let a key sign the brand's staff tokens from now on."""

        def plan(_: Mapping[DocumentKey, StoredDocument], now: Micros) -> tuple[DocumentWrites, None]:
            stored = StoredDocument(*SIGNING, None, ACTIVE, now, 0, None, (), dumps({"key_id": key_id}))
            return DocumentWrites(put=(stored,)), None

        await self._storage.change_documents(brand_id, [SIGNING], plan)
