"""Staff sign in by a link and get tokens for the page they are on. No cookie; nothing is kept in the browser.

Opening a link changes nothing: mail programs and scanners open links. Only the page that it shows uses it up, by a
POST, and gets the first token as the answer, so that no token is ever part of a page, an address or a form.
"""

from datetime import timedelta
from http import HTTPStatus
from typing import Any

from aiohttp import web

from sayso.model.instant import MICROS_PER_SECOND, format_micros, span_micros
from sayso.wire import Code, Role
from sayso_server.auth import Key, LiveKeys
from sayso_server.auth.signing import STAFF_TOKEN_LASTS, sign_staff_token
from sayso_server.clock import Clock
from sayso_server.pages.officer import FILES, OFFICER_POLICY, officer_page
from sayso_server.routes.access import Access
from sayso_server.routes.answers import asset_answer, html_answer
from sayso_server.routes.asked import Asked
from sayso_server.routes.same_origin import insist_on_own_page
from sayso_server.routes.table import Handler, RateClass, Row
from sayso_server.services.refusals import RefusedError
from sayso_server.services.staff import SignedIn

PEOPLE = Access(staff=frozenset(Role) - {Role.BACKEND})
_RENEW_BEFORE = timedelta(minutes=5)
_HEADERS = {"Content-Security-Policy": OFFICER_POLICY}


def staff_rows(public_origin: str, keys: LiveKeys, clock: Clock) -> tuple[Row, ...]:
    """Give the rows of signing in, and of the page for it.

    Args:
        public_origin: What links begin with.
        keys: Which keys are accepted; one of them signs.
        clock: The time.
    """
    desk = _Desk(public_origin, keys, clock)
    # fmt: off
    return (
        Row("GET", "/officer", get_officer, "The privacy officer's page", rate_class=RateClass.PUBLIC, answer="Page"),
        *(
            Row("GET", f"/officer/{name}", _make_file(name), "A part of the page", rate_class=RateClass.PUBLIC,
                answer="Style" if name.endswith(".css") else "Script")
            for name in FILES
        ),
        Row("GET", "/invite/{token}", get_invitation, "Whom a sign-in link signs in; opening it changes nothing",
            rate_class=RateClass.PUBLIC, answer="Page"),
        Row("POST", "/invite/{token}", desk.use, "Use a sign-in link up, for the server's own page",
            rate_class=RateClass.PUBLIC, answer="StaffToken"),
        Row("POST", "/v1/staff/renew", desk.renew, "Another token for a page that is open", PEOPLE,
            rate_class=RateClass.ADMIN, answer="StaffToken"),
        Row("POST", "/v1/staff/links", desk.make_link, "A link for one's own next sign-in", PEOPLE,
            rate_class=RateClass.ADMIN, status=201, answer="StaffLink"),
        Row("POST", "/v1/staff/sign-out", sign_out, "End one's own sign-in", PEOPLE, rate_class=RateClass.ADMIN),
    )
    # fmt: on


async def get_officer(asked: Asked) -> web.Response:
    """Show the page; without a token it can only ask for a sign-in link."""
    return html_answer(officer_page(), request_id=asked.request_id, headers=_HEADERS)


async def get_invitation(asked: Asked) -> web.Response:
    """Show whom a link signs in, or that it no longer does."""
    status = HTTPStatus.OK
    try:
        signed_in = await asked.services.staff.look(asked.request.match_info["token"])
        page = officer_page(name=signed_in.member.name, brand=signed_in.brand, roles=signed_in.member.roles)
    except RefusedError as refusal:
        status = refusal.status
        page = officer_page(refused=refusal.code)
    return html_answer(page, request_id=asked.request_id, status=status, headers=_HEADERS)


async def sign_out(asked: Asked) -> web.Response:
    """End the sign-in of the page that asks."""
    await asked.services.staff.sign_out(asked.caller)
    return asked.answer({"signed_out": True})


class _Desk:
    """Gives tokens and links."""

    def __init__(self, public_origin: str, keys: LiveKeys, clock: Clock) -> None:
        self._public_origin = public_origin
        self._keys = keys
        self._clock = clock

    async def use(self, asked: Asked) -> web.Response:
        """Use a link up and give the first token."""
        insist_on_own_page(asked.request)
        staff, token = asked.services.staff, asked.request.match_info["token"]
        # Made sure of first, so that no link is used up for nothing.
        await self._signing_key(asked, (await staff.look(token)).brand_id)
        return await self._signed(asked, await staff.sign_in(token))

    async def renew(self, asked: Asked) -> web.Response:
        """Give another token."""
        insist_on_own_page(asked.request)
        return await self._signed(asked, await asked.services.staff.renew(asked.caller))

    async def make_link(self, asked: Asked) -> web.Response:
        """Give the link for the next time."""
        insist_on_own_page(asked.request)
        token = await asked.services.staff.next_link(asked.caller)
        return asked.answer({"url": f"{self._public_origin}/invite/{token}"}, status=HTTPStatus.CREATED)

    async def _signed(self, asked: Asked, signed_in: SignedIn) -> web.Response:
        key = await self._signing_key(asked, signed_in.brand_id)
        now = self._clock.now()
        until = min(now + span_micros(STAFF_TOKEN_LASTS), signed_in.sign_in.ends_at)
        roles = frozenset(signed_in.member.roles)
        name = signed_in.member.name
        # Whole seconds: a sign-in that is about to end still gets a token that lives for one.
        until = max(until, now + MICROS_PER_SECOND)
        token = sign_staff_token(key, staff=name, roles=roles, jti=signed_in.new_token_id(), now=now, until=until)
        answer: dict[str, Any] = {
            "token": token,
            "expires_in": (until - now) // MICROS_PER_SECOND,
            "renew_in": max(0, (until - now - span_micros(_RENEW_BEFORE)) // MICROS_PER_SECOND),
            "session_ends_at": format_micros(signed_in.sign_in.ends_at),
            "staff": name,
            "roles": list(signed_in.member.roles),
            "brand": signed_in.brand_id,
            "brand_name": signed_in.brand,
        }
        return asked.answer(answer)

    async def _signing_key(self, asked: Asked, brand_id: str) -> Key:
        await self._keys.refresh()
        key_id = await asked.services.staff.signing_key(brand_id)
        key = None if key_id is None else self._keys.usable(key_id)
        if key is None:
            message = (
                "the key that signs staff tokens was revoked; `sayso-server staff link NAME --brand ID` makes another"
            )
            raise RefusedError(HTTPStatus.CONFLICT, Code.TOKEN_INVALID, message)
        return key


def _make_file(name: str) -> Handler:
    media_type, content = FILES[name]

    async def get_file(asked: Asked) -> web.Response:
        return asset_answer(content, media_type=media_type, request_id=asked.request_id)

    return get_file
