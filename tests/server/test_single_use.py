"""Calls that take a token once: whoever overhears one can't make the call again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from sayso.wire import Code, TokenClass
from sayso_server.auth import Claims, TokenRefusedError
from sayso_server.auth.used import UsedTokens

if TYPE_CHECKING:
    from tests.server.conftest import Brand

EXPORT = "/v1/consumers/cust-42/export"
SECOND = 1_000_000


async def test_an_export_takes_a_token_once(dealer: Brand) -> None:
    token = dealer.backend()

    first = await dealer.call("GET", EXPORT, token=token)
    again = await dealer.call("GET", EXPORT, token=token)

    assert first.status == 200
    assert (again.status, again.code) == (401, "token_used")
    assert again.headers["WWW-Authenticate"] == "Bearer"
    assert "cust-42" not in again.body.decode()


async def test_a_used_token_opens_no_other_consumers_export_and_not_by_head_either(dealer: Brand) -> None:
    token = dealer.backend()
    assert (await dealer.call("HEAD", EXPORT, token=token)).status == 200

    assert (await dealer.call("GET", "/v1/consumers/ben/export", token=token)).code == "token_used"


async def test_a_used_token_still_serves_for_what_may_be_repeated(dealer: Brand) -> None:
    token = dealer.backend()
    await dealer.call("GET", EXPORT, token=token)

    for _ in range(2):
        assert (await dealer.call("GET", "/v1/consumers/cust-42/preferences", token=token)).status == 200


async def test_a_token_used_for_what_may_be_repeated_is_good_for_one_export(dealer: Brand) -> None:
    token = dealer.backend()
    await dealer.call("GET", "/v1/consumers/cust-42/preferences", token=token)

    assert (await dealer.call("GET", EXPORT, token=token)).status == 200


async def test_two_tokens_of_one_id_and_key_are_one_token(dealer: Brand) -> None:
    first, second = dealer.backend(jti="same"), dealer.backend("privacy_officer", jti="same")
    assert first != second
    assert (await dealer.call("GET", EXPORT, token=first)).status == 200

    assert (await dealer.call("GET", EXPORT, token=second)).code == "token_used"


async def test_the_same_id_under_another_key_is_another_token(dealer: Brand, shop: Brand) -> None:
    assert (await dealer.call("GET", EXPORT, token=dealer.backend(jti="same"))).status == 200

    assert (await shop.call("GET", EXPORT, token=shop.backend(jti="same"))).status == 200


async def test_a_call_that_was_not_let_in_uses_nothing_up(dealer: Brand) -> None:
    token = dealer.backend(jti="same")
    refused = [
        await dealer.call("GET", EXPORT, token=dealer.backend("auditor", jti="same")),
        await dealer.call("GET", EXPORT, token=token, headers={"Origin": dealer.origin}),
        await dealer.page("GET", EXPORT, token=dealer.consumer(jti="same")),
        await dealer.desk("GET", EXPORT, token=dealer.staff("agent", jti="same")),
    ]
    assert [answer.status for answer in refused] == [403, 403, 403, 403]

    assert (await dealer.call("GET", EXPORT, token=token)).status == 200


async def test_a_used_token_is_used_until_it_has_expired(dealer: Brand) -> None:
    token = dealer.backend()
    await dealer.call("GET", EXPORT, token=token)
    dealer.world.clock.forward(timedelta(seconds=299))
    assert (await dealer.call("GET", EXPORT, token=token)).code == "token_used"

    dealer.world.clock.forward(timedelta(seconds=1))
    assert (await dealer.call("GET", EXPORT, token=token)).code == "token_expired"


# --- what remembers them ------------------------------------------------------------------------------------


def claims(jti: str, *, key_id: str = "dealer.a", expires_at: int = 300 * SECOND) -> Claims:
    return Claims(key_id, "dealer", TokenClass.BACKEND, None, frozenset({"backend"}), (), 0, expires_at, jti)


def test_a_token_is_remembered_30_seconds_longer_than_it_lives_for_clocks_that_are_put_back() -> None:
    used = UsedTokens()
    used.use(claims("one"), now=0)
    with pytest.raises(TokenRefusedError) as caught:
        used.use(claims("one"), now=330 * SECOND - 1)
    assert (caught.value.code, caught.value.status) == (Code.TOKEN_USED, 401)

    used.use(claims("one", expires_at=600 * SECOND), now=330 * SECOND)
    assert len(used) == 1


def test_a_key_that_uses_up_too_many_tokens_has_to_wait_and_no_other_key_with_it() -> None:
    used = UsedTokens(per_key=2)
    for jti in ("one", "two"):
        used.use(claims(jti), now=0)
    with pytest.raises(TokenRefusedError) as caught:
        used.use(claims("three"), now=SECOND)
    assert (caught.value.code, caught.value.status) == (Code.RATE_LIMITED, 429)

    used.use(claims("three", key_id="dealer.b"), now=SECOND)
    with pytest.raises(TokenRefusedError) as caught:
        used.use(claims("one"), now=SECOND)
    assert caught.value.code is Code.TOKEN_USED

    used.use(claims("three", expires_at=600 * SECOND), now=330 * SECOND)


def test_what_has_expired_is_forgotten_for_keys_that_are_no_longer_used_too() -> None:
    used = UsedTokens()
    for number in range(100):
        used.use(claims(f"{number}"), now=0)
    assert len(used) == 100

    used.use(claims("later", key_id="dealer.b", expires_at=900 * SECOND), now=600 * SECOND)

    assert len(used) == 1
