"""Who may call: a token of the brand, of the right class, from where it may be used."""

from sayso.testing.contract.wire import Wire, choice, over_the_wire
from sayso.transport.tokens import TokenMinter

PREFERENCES = "/v1/consumers/cust-42/preferences"


@over_the_wire
async def test_nobody_gets_in_without_a_token(wire: Wire) -> None:
    answered = await wire.call("GET", PREFERENCES, token="")
    assert (answered.status, answered.code) == (401, "token_missing")
    assert answered.headers["WWW-Authenticate"].startswith("Bearer")


@over_the_wire
async def test_a_token_signed_with_another_secret_is_refused(wire: Wire) -> None:
    forged = TokenMinter(wire.server.key_id, wire.server.secret[::-1]).backend_token()
    answered = await wire.call("GET", PREFERENCES, token=forged)
    assert (answered.status, answered.code) == (401, "token_invalid")


@over_the_wire
async def test_a_token_without_its_signature_is_refused(wire: Wire) -> None:
    unsigned = wire.minter.backend_token().rpartition(".")[0] + "."
    answered = await wire.call("GET", PREFERENCES, token=unsigned)
    assert (answered.status, answered.code) == (401, "token_invalid")


@over_the_wire
async def test_a_backend_token_does_not_work_in_a_browser(wire: Wire) -> None:
    for header in ({"Origin": "https://dealer.example"}, {"Sec-Fetch-Site": "same-origin"}):
        assert (await wire.call("GET", PREFERENCES, headers=header)).status == 403


@over_the_wire
async def test_a_backend_key_does_not_publish(wire: Wire) -> None:
    answered = await wire.call("PUT", "/v1/catalogue", {"languages": ["en"]})
    assert (answered.status, answered.code) == (403, "scope")


@over_the_wire
async def test_a_role_that_the_key_does_not_have_can_not_be_claimed(wire: Wire) -> None:
    answered = await wire.call("GET", "/v1/catalogue", token=wire.minter.backend_token("backend admin"))
    assert (answered.status, answered.code) == (403, "scope")


@over_the_wire
async def test_a_consumers_token_reaches_nobody_else(wire: Wire) -> None:
    token = wire.minter.consumer_token(wire.consumer(), origins=["app"])
    assert (await wire.call("GET", PREFERENCES, token=token)).status == 403
    foreign = {"choices": [choice(wire.consumer(), "channel:sms", "denied")]}
    assert (await wire.call("POST", "/v1/choices", foreign, token=token)).status == 403


@over_the_wire
async def test_what_there_is_not_is_a_problem_as_well(wire: Wire) -> None:
    answered = await wire.call("GET", "/v1/nothing")
    assert (answered.status, answered.code) == (404, "not_found")
    answered = await wire.call("DELETE", "/v1/choices")
    assert (answered.status, answered.code) == (405, "method_not_allowed")
