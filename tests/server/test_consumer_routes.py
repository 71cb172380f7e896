"""/v1/me: what a consumer's own token reaches, from which pages."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sayso.model.ids import new_anonymous_id

if TYPE_CHECKING:
    from tests.server.conftest import Brand

BOTH = pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
ME = "/v1/me/preferences"


@BOTH
async def test_a_consumer_records_and_reads_their_own(dealer: Brand, make_choice: Any) -> None:
    sent = make_choice("channel:sms", "granted", method="widget")

    recorded = await dealer.page("POST", "/v1/me/choices", json={"choices": [sent]})
    snapshot = await dealer.page("GET", ME)
    history = await dealer.page("GET", "/v1/me/choices")
    check = {"checks": [{"consumer_id": "cust-42", "topic": "channel:sms"}]}
    decided = await dealer.page("POST", "/v1/me/decisions", json=check)

    assert (recorded.status, recorded.json["recorded"][0]["version"]) == (201, 1)
    assert (snapshot.json["consumer_id"], snapshot.json["topics"]["channel:sms"]["reason"]) == ("cust-42", "granted")
    assert history.json["choices"][0]["id"] == sent["id"]
    assert history.json["choices"][0]["recorded_by"] == {
        "key": dealer.keys["all"][0].key_id,
        "class": "consumer",
        "origin": "https://dealer.example",
    }
    assert decided.json["decisions"][0]["allowed"] is True
    assert snapshot.json == await dealer.preferences()


async def test_a_consumer_reports_their_own_device_signal_and_age(dealer: Brand) -> None:
    states = {"vocabulary": "web", "observed_at": dealer.world.clock.text(), "states": {"geolocation": "granted"}}

    device = await dealer.page("PUT", "/v1/me/devices/laptop", json=states)
    signal = await dealer.page("POST", "/v1/me/signals", json={"name": "gpc", "source": "navigator"})
    age = await dealer.page("PUT", "/v1/me/age", json={"source": "self", "lower": 21})

    assert [answer.json["version"] for answer in (device, signal, age)] == [1, 2, 3]
    snapshot = await dealer.preferences()
    assert (list(snapshot["devices"]), list(snapshot["signals"]), list(snapshot["age"])) == (
        ["laptop"],
        ["gpc"],
        ["self"],
    )


async def test_a_visitor_not_yet_known_has_the_same(dealer: Brand, make_choice: Any) -> None:
    visitor = new_anonymous_id()
    sent = make_choice("channel:sms", "denied", visitor, method="widget")

    answer = await dealer.page("POST", "/v1/me/choices", sub=visitor, json={"choices": [sent]})

    assert (answer.status, answer.json["recorded"][0]["consumer_id"]) == (201, visitor)


@pytest.mark.parametrize("members", [{}, {"consumer_id": None}, {"consumer_id": "cust-42"}])
async def test_whose_choice_it_is_need_not_be_said(dealer: Brand, make_choice: Any, members: dict[str, Any]) -> None:
    sent = make_choice("channel:sms", "denied", None, method="widget") | members

    answer = await dealer.page("POST", "/v1/me/choices", json={"choices": [sent]})

    assert (answer.status, answer.json["recorded"][0]["consumer_id"]) == (201, "cust-42")
    assert await dealer.reason("channel:sms") == "denied"


async def test_a_choice_is_the_same_whether_it_says_whose_it_is_or_not(dealer: Brand, make_choice: Any) -> None:
    sent = make_choice("channel:sms", "granted", None, method="widget", detail={"campaign": "spring"})
    first = await dealer.page("POST", "/v1/me/choices", json={"choices": [sent]})

    async with dealer.world.nothing_stored():
        again = await dealer.page("POST", "/v1/me/choices", json={"choices": [sent | {"consumer_id": "cust-42"}]})

    assert (again.status, again.json["recorded"]) == (201, [first.json["recorded"][0] | {"replayed": True}])


async def test_an_id_twice_in_a_batch_is_found_whether_it_says_whose_it_is_or_not(
    dealer: Brand, make_choice: Any
) -> None:
    one = make_choice("channel:sms", "denied", None, method="widget")

    answer = await dealer.page("POST", "/v1/me/choices", json={"choices": [one, one | {"consumer_id": "cust-42"}]})

    assert (answer.status, answer.problems) == (422, [("/choices/1/id", "duplicate_id")])


@pytest.mark.parametrize("members", [{}, {"consumer_id": None}, {"consumer_id": "cust-42"}])
async def test_whom_a_check_is_about_need_not_be_said(dealer: Brand, members: dict[str, Any]) -> None:
    await dealer.say("channel:sms", "granted")

    answer = await dealer.page("POST", "/v1/me/decisions", json={"checks": [{"topic": "channel:sms"} | members]})

    assert answer.status == 200
    (decision,) = answer.json["decisions"]
    assert (decision["consumer_id"], decision["reason"]) == ("cust-42", "granted")


@pytest.mark.parametrize("consumer_id", ["", "ann@mail.example", 7])
async def test_a_wrong_consumer_id_is_no_missing_one(dealer: Brand, make_choice: Any, consumer_id: Any) -> None:
    sent = make_choice("channel:sms", "denied", consumer_id, method="widget")

    async with dealer.world.nothing_stored():
        choosing = await dealer.page("POST", "/v1/me/choices", json={"choices": [sent]})
    asking = await dealer.page(
        "POST", "/v1/me/decisions", json={"checks": [{"topic": "channel:sms", "consumer_id": consumer_id}]}
    )

    assert (choosing.status, [pointer for pointer, _ in choosing.problems]) == (422, ["/choices/0/consumer_id"])
    assert (asking.status, [pointer for pointer, _ in asking.problems]) == (422, ["/checks/0/consumer_id"])


async def test_a_backend_says_whose_choice_it_is(dealer: Brand, make_choice: Any) -> None:
    answer = await dealer.post(make_choice("channel:sms", "denied", None))

    assert (answer.status, answer.problems) == (422, [("/choices/0/consumer_id", "missing_member")])


async def test_a_consumer_sees_the_catalogue_that_decides(dealer: Brand) -> None:
    mine = await dealer.page("GET", "/v1/me/catalogue")
    backends = await dealer.call("GET", "/v1/catalogue")

    assert (mine.status, mine.json, mine.headers["ETag"]) == (200, backends.json, backends.headers["ETag"])


async def test_a_consumers_history_names_no_staff_and_shows_no_remark_of_the_brand(
    dealer: Brand, make_choice: Any
) -> None:
    detail = {"sender": "the desk", "note": "sounded annoyed"}
    sent = make_choice("channel:sms", "denied", method="phone", detail=detail)
    assert (await dealer.desk("POST", "/v1/choices", json={"choices": [sent]})).status == 201
    await dealer.say("purpose:marketing", "denied", detail={"note": "by letter"})

    answer = await dealer.page("GET", "/v1/me/choices")

    by_backend, by_staff = answer.json["choices"]
    assert by_staff["recorded_by"] == {
        "key": dealer.keys["all"][0].key_id,
        "class": "staff",
        "origin": "https://privacy.example",
    }
    assert by_staff["detail"] == {"sender": "the desk"}
    assert "detail" not in by_backend
    assert (await dealer.history())[1]["recorded_by"]["staff"] == "ann"
    assert (await dealer.history())[1]["detail"] == detail


async def test_a_consumers_history_shows_what_they_wrote_themselves(dealer: Brand, make_choice: Any) -> None:
    sent = make_choice("channel:sms", "denied", method="widget", detail={"note": "at home"})
    await dealer.page("POST", "/v1/me/choices", json={"choices": [sent]})

    answer = await dealer.page("GET", "/v1/me/choices")

    assert answer.json["choices"][0]["detail"] == {"note": "at home"}


# --- nobody else --------------------------------------------------------------------------------------------


async def test_one_foreign_consumer_id_refuses_the_whole_batch(dealer: Brand, make_choice: Any) -> None:
    own, other = (make_choice("channel:sms", "denied", consumer, method="widget") for consumer in ("cust-42", "ben"))

    async with dealer.world.nothing_stored():
        answer = await dealer.page("POST", "/v1/me/choices", json={"choices": [own, other]})

    assert (answer.status, answer.problems) == (403, [("/choices/1/consumer_id", "scope")])


async def test_one_foreign_consumer_id_refuses_every_check(dealer: Brand) -> None:
    checks = [{"consumer_id": name, "topic": "channel:sms"} for name in ("cust-42", "ben", "cust-42", "cleo")]

    answer = await dealer.page("POST", "/v1/me/decisions", json={"checks": checks})

    assert (answer.status, answer.problems) == (
        403,
        [("/checks/1/consumer_id", "scope"), ("/checks/3/consumer_id", "scope")],
    )


@pytest.mark.parametrize(
    ("members", "pointer"),
    [
        ({"actor": "guardian"}, "/choices/0/actor"),
        ({"actor": "brand"}, "/choices/0/actor"),
        ({"actor": "agent"}, "/choices/0/actor"),
        ({"method": "api"}, "/choices/0/method"),
        ({"method": "sms"}, "/choices/0/method"),
        ({"method": "import"}, "/choices/0/method"),
        ({"expires_at": "2027-11-23T19:00:00Z"}, "/choices/0/expires_at"),
        ({"evidence": {"kind": "call"}}, "/choices/0/evidence"),
        ({"jurisdiction": "US-CA"}, "/choices/0/jurisdiction"),
    ],
)
async def test_a_consumers_token_says_only_what_a_consumer_can(
    dealer: Brand, make_choice: Any, members: dict[str, Any], pointer: str
) -> None:
    sent = make_choice("channel:sms", "granted", **{"method": "widget"} | members)

    async with dealer.world.nothing_stored():
        answer = await dealer.page("POST", "/v1/me/choices", json={"choices": [sent]})

    assert (answer.status, answer.problems) == (422, [(pointer, "actor_not_yours")])


@pytest.mark.parametrize("source", ["unknown", "os_signal", "brand", "guardian", "verified"])
async def test_a_consumer_states_their_age_and_proves_nothing(dealer: Brand, source: str) -> None:
    async with dealer.world.nothing_stored():
        answer = await dealer.page("PUT", "/v1/me/age", json={"source": source, "lower": 18})

    assert (answer.status, answer.problems) == (422, [("/source", "actor_not_yours")])


async def test_a_minor_cannot_talk_themselves_of_age(dealer: Brand) -> None:
    await dealer.call("PUT", "/v1/consumers/cust-42/age", json={"source": "brand", "upper": 15})

    await dealer.page("PUT", "/v1/me/age", json={"source": "self", "lower": 21})

    assert await dealer.reason("purpose:analytics") == "minor"


# --- from where ---------------------------------------------------------------------------------------------

HERE = "https://dealer.example"


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": HERE}, 200),
        ({"Origin": HERE, "Sec-Fetch-Site": "cross-site"}, 200),
        ({}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": HERE + "/"}, 403),
        ({"Origin": HERE.upper()}, 403),
        ({"Origin": "http://dealer.example"}, 403),
        ({"Origin": "https://dealer.example.evil.example"}, 403),
        ({"Origin": "app"}, 403),
        ({"Sec-Fetch-Site": "same-origin"}, 403),  # of the server's own pages, which the token doesn't name
    ],
)
async def test_a_consumers_token_works_only_on_the_pages_it_names(
    dealer: Brand, headers: dict[str, str], status: int
) -> None:
    answer = await dealer.world.call("GET", ME, token=dealer.consumer(), headers=headers)

    assert answer.status == status
    assert status == 200 or answer.code == "origin"


async def test_a_page_that_the_brand_did_not_register_is_refused_though_the_token_names_it(dealer: Brand) -> None:
    token = dealer.consumer(origins=["https://elsewhere.example"])

    answer = await dealer.world.call("GET", ME, token=token, headers={"Origin": "https://elsewhere.example"})
    assert (answer.status, answer.code) == (403, "origin")

    await dealer.world.storage.add_origin("dealer", "https://elsewhere.example")
    answer = await dealer.world.call("GET", ME, token=token, headers={"Origin": "https://elsewhere.example"})
    assert answer.status == 200

    await dealer.world.storage.remove_origin("dealer", "https://elsewhere.example")
    answer = await dealer.world.call("GET", ME, token=token, headers={"Origin": "https://elsewhere.example"})
    assert (answer.status, answer.code) == (403, "origin")


async def test_a_page_of_another_brand_is_refused(dealer: Brand, shop: Brand) -> None:
    token = dealer.consumer(origins=[shop.origin])

    answer = await dealer.world.call("GET", ME, token=token, headers={"Origin": shop.origin})

    assert (answer.status, answer.code) == (403, "origin")


async def test_an_app_without_origin_needs_the_token_and_the_brand_to_say_app(dealer: Brand) -> None:
    token = dealer.consumer(origins=["app"])
    assert (await dealer.world.call("GET", ME, token=token)).status == 403

    await dealer.world.storage.add_origin("dealer", "app")

    assert (await dealer.world.call("GET", ME, token=token)).status == 200
    assert (await dealer.world.call("GET", ME, token=token, headers={"Origin": "app"})).status == 403


async def test_the_servers_own_pages_need_no_registration(dealer: Brand) -> None:
    token = dealer.consumer(origins=["https://privacy.example"])

    by_fetch = await dealer.world.call("GET", ME, token=token, headers={"Sec-Fetch-Site": "same-origin"})
    by_origin = await dealer.world.call("GET", ME, token=token, headers={"Origin": "https://privacy.example"})
    by_sibling = await dealer.world.call("GET", ME, token=token, headers={"Sec-Fetch-Site": "same-site"})

    assert (by_fetch.status, by_origin.status, by_sibling.status) == (200, 200, 403)


@pytest.mark.parametrize(
    "headers", [{"Origin": HERE}, {"Sec-Fetch-Site": "none"}, {"Sec-Fetch-Mode": "cors"}, {"Sec-Fetch-Dest": "empty"}]
)
async def test_a_backends_token_is_refused_in_a_browser(dealer: Brand, headers: dict[str, str]) -> None:
    answer = await dealer.call("GET", "/v1/consumers/cust-42/preferences", headers=headers)

    assert (answer.status, answer.code) == (403, "origin")


# --- CORS ---------------------------------------------------------------------------------------------------


async def test_a_page_may_read_its_answers_and_the_headers_that_matter(dealer: Brand) -> None:
    answer = await dealer.page("GET", ME)

    assert answer.headers["Access-Control-Allow-Origin"] == HERE
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["Access-Control-Expose-Headers"] == "ETag, Link, X-Request-Id"
    assert "Access-Control-Allow-Credentials" not in answer.headers


async def test_a_page_may_read_why_it_was_refused(dealer: Brand, make_choice: Any) -> None:
    stale = make_choice("purpose:training", "granted", notice={"language": "en", "version": 1}, method="widget")
    refused = [
        await dealer.page("POST", "/v1/me/choices", json={"choices": [stale]}),
        await dealer.page("POST", "/v1/me/choices", body=b"{"),
        await dealer.page("GET", ME + "?at_least=5000"),
        await dealer.page("GET", ME + "?as_of=soon"),
        await dealer.page("POST", "/v1/me/choices", body=b" " * 65_537),
    ]

    assert [answer.status for answer in refused] == [409, 400, 409, 422, 413]
    assert {answer.headers.get("Access-Control-Allow-Origin") for answer in refused} == {HERE}
    assert {answer.headers.get("Vary") for answer in refused} == {"Origin"}


async def test_a_visitor_who_has_signed_in_may_read_that_the_token_is_closed(dealer: Brand) -> None:
    visitor = new_anonymous_id()
    await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})

    answer = await dealer.page("GET", ME, sub=visitor)

    assert (answer.status, answer.code) == (401, "linked")
    assert answer.headers["Access-Control-Allow-Origin"] == HERE


async def test_a_page_may_read_that_its_token_has_expired(dealer: Brand) -> None:
    token = dealer.consumer()
    dealer.world.clock.forward(timedelta(minutes=15))

    answer = await dealer.page("GET", ME, token=token)

    assert (answer.status, answer.code) == (401, "token_expired")
    assert answer.headers["Access-Control-Allow-Origin"] == HERE
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize("flaw", ["another page", "a page the brand dropped", "forged", "a revoked key", "a backend's"])
async def test_an_expired_token_that_would_not_have_counted_here_is_shared_with_no_page(
    dealer: Brand, flaw: str
) -> None:
    token = dealer.backend() if flaw == "a backend's" else dealer.consumer()
    dealer.world.clock.forward(timedelta(minutes=15))
    origin = "https://evil.example" if flaw == "another page" else HERE
    if flaw == "a page the brand dropped":
        await dealer.world.storage.remove_origin("dealer", HERE)
    if flaw == "a revoked key":
        await dealer.world.storage.revoke_key("dealer", dealer.keys["all"][0].key_id, dealer.world.clock.now())
    if flaw == "forged":
        token = token[:-4] + ("AAAA" if not token.endswith("AAAA") else "BBBB")

    answer = await dealer.page("GET", ME, token=token, headers={"Origin": origin})

    assert answer.status == 401
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_page_that_is_not_the_brands_reads_nothing(dealer: Brand, shop: Brand) -> None:
    answers = [
        await dealer.page("GET", ME, headers={"Origin": "https://evil.example"}),
        await dealer.page("GET", ME, headers={"Origin": shop.origin}),
        await dealer.page("GET", ME, token=None),
        await dealer.page("GET", ME, token="made.up.token"),
    ]

    assert [answer.status for answer in answers] == [403, 403, 401, 401]
    assert not any("Access-Control-Allow-Origin" in answer.headers for answer in answers)


async def test_an_answer_to_a_backend_is_shared_with_no_page(dealer: Brand) -> None:
    for path in ("/v1/catalogue", "/v1/consumers/cust-42/preferences"):
        assert "Access-Control-Allow-Origin" not in (await dealer.call("GET", path)).headers


@pytest.mark.parametrize("path", [ME, "/v1/me/choices", "/v1/me/devices/laptop", "/v1/catalogue"])
async def test_a_preflight_lets_a_registered_page_try(dealer: Brand, path: str) -> None:
    asked = {"Origin": HERE, "Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}

    answer = await dealer.world.call("OPTIONS", path, headers=asked)

    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == HERE
    assert answer.headers["Access-Control-Allow-Methods"] == "GET, POST, PUT"
    assert answer.headers["Access-Control-Allow-Headers"] == "Authorization, Content-Type, If-None-Match"
    assert answer.headers["Access-Control-Max-Age"] == "600"
    assert answer.headers["Vary"] == "Origin"


@pytest.mark.parametrize("origin", [None, "null", "https://evil.example", "*"])
async def test_a_preflight_of_any_other_page_is_refused(dealer: Brand, origin: str | None) -> None:
    headers = {} if origin is None else {"Origin": origin}

    answer = await dealer.world.call("OPTIONS", ME, headers=headers)

    assert (answer.status, answer.code) == (403, "origin")
    assert "Access-Control-Allow-Origin" not in answer.headers


async def test_a_page_registered_a_moment_ago_may_try_at_once(dealer: Brand) -> None:
    await dealer.world.storage.add_origin("dealer", "https://new.example")

    answer = await dealer.world.call("OPTIONS", ME, headers={"Origin": "https://new.example"})

    assert answer.status == 204


async def test_no_page_may_try_what_only_backends_call(dealer: Brand) -> None:
    answer = await dealer.world.call("OPTIONS", "/v1/consumers/cust-42/preferences", headers={"Origin": HERE})

    assert (answer.status, answer.code) == (405, "method_not_allowed")
