"""Filing rights requests: who, by which way, what takes effect at once, and by when an answer is due."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from sayso.model.ids import new_anonymous_id, new_choice_id
from sayso.model.request import NewRequest
from sayso_server.app import SERVICES
from sayso_server.services.caller import Caller
from sayso_server.services.refusals import RefusedError
from sayso_server.services.requests import MOST_OPEN
from sayso_server.services.state import read_state

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

MINE = "/v1/me/requests"
ALL = "/v1/requests"


async def file(brand: Brand, kind: str, **members: Any) -> Answered:
    return await brand.call("POST", ALL, json={"kind": kind, "consumer_id": "cust-42"} | members)


async def filed(brand: Brand, kind: str, **members: Any) -> dict[str, Any]:
    answer = await file(brand, kind, **members)
    assert answer.status == 201, answer.body
    return dict(answer.json)


async def entered(brand: Brand, **members: Any) -> Answered:
    """File as a privacy officer at the server's own page."""
    return await brand.desk("POST", ALL, scope="privacy_officer", json=members)


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_a_consumer_files_with_their_own_token_and_sees_it(dealer: Brand) -> None:
    answer = await dealer.page("POST", MINE, json={"kind": "delete", "jurisdiction": "US-CA"})

    assert answer.status == 201
    mine = answer.json
    assert (mine["consumer_id"], mine["state"], mine["channel"]) == ("cust-42", "received", "widget")
    assert mine["verified"]["how"] == "the consumer's own token"
    assert mine["legal"] == ["revoke"]
    assert (mine["due_at"], mine["days_left"]) == ("2026-12-08T23:59:59.000000Z", 15)
    listed = (await dealer.page("GET", MINE)).json["requests"]
    assert [entry["id"] for entry in listed] == [mine["id"]]
    assert (await dealer.page("GET", MINE, sub="cust-43")).json["requests"] == []
    assert (await dealer.page("GET", f"{MINE}/{mine['id']}", sub="cust-43")).code == "no_request"


async def test_a_consumer_takes_their_request_back_once(dealer: Brand) -> None:
    mine = (await dealer.page("POST", MINE, json={"kind": "copy"})).json

    first = await dealer.page("POST", f"{MINE}/{mine['id']}/revoke", json={})
    again = await dealer.page("POST", f"{MINE}/{mine['id']}/revoke", json={})
    others = await dealer.page("POST", f"{MINE}/{mine['id']}/revoke", json={}, sub="cust-43")

    assert (first.status, first.json["state"]) == (200, "revoked")
    assert (again.status, again.code, again.json["legal"]) == (409, "transition_illegal", [])
    assert (others.status, others.code) == (404, "no_request")


@pytest.mark.parametrize("name", ["consumer_id", "received_at", "held_by"])
async def test_a_consumer_says_nothing_that_only_the_brand_knows(dealer: Brand, name: str) -> None:
    answer = await dealer.page("POST", MINE, json={"kind": "copy", name: "brand"})

    assert answer.problems == [(f"/{name}", "unknown_member")]


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_the_same_request_sent_again_is_filed_once(dealer: Brand) -> None:
    request_id = new_choice_id()

    answers = await asyncio.gather(*(file(dealer, "object", id=request_id) for _ in range(4)))

    assert sorted((answer.status, answer.json["replayed"]) for answer in answers) == [
        (200, True),
        (200, True),
        (200, True),
        (201, False),
    ]
    assert len((await dealer.call("GET", f"{ALL}?state=open")).json["requests"]) == 1
    other = await file(dealer, "delete", id=request_id)
    assert other.problems == [("/id", "id_reused")]
    assert (await file(dealer, "object", id=request_id, consumer_id="cust-43")).problems == [("/id", "id_reused")]


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_withdrawing_from_everything_holds_at_once_and_for_topics_to_come(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    await dealer.say("purpose:marketing", "granted")

    request = await filed(dealer, "withdraw-all")

    assert request["effects"]["refused"] == ["*"]
    assert await dealer.reason("purpose:marketing") == "withdrawn"
    assert await dealer.reason("purpose:analytics") == "withdrawn"
    assert await dealer.reason("purpose:service") == "required"
    new = {**catalogue["topics"]["purpose:analytics"], "title": {"en": "More", "es": "Más"}}
    catalogue["topics"]["purpose:more"] = new
    assert (await dealer.publish(catalogue)).status == 201
    assert await dealer.reason("purpose:more") == "withdrawn"
    said = (await dealer.history())[0]
    assert (said["topic"], said["answer"]) == ("*", "withdrawn")
    assert said["evidence"] == {"kind": "rights-request", "ref": request["id"]}


async def test_an_objection_holds_at_once_for_what_rests_on_a_legitimate_interest(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")

    request = await filed(dealer, "object")

    assert request["effects"]["refused"] == [
        "purpose:analytics",
        "purpose:ads",
        "purpose:nearby",
        "partner:vinsolutions:combine",
    ]
    assert await dealer.reason("purpose:analytics") == "denied"
    assert await dealer.reason("purpose:marketing") == "granted"


async def test_an_objection_to_one_topic_leaves_the_others(dealer: Brand) -> None:
    await filed(dealer, "object", detail={"topics": ["purpose:ads", "purpose:service"]})

    assert await dealer.reason("purpose:ads") == "denied"
    assert await dealer.reason("purpose:analytics") == "default"
    assert await dealer.reason("purpose:service") == "required"


async def test_an_objection_outlives_its_being_taken_back(dealer: Brand) -> None:
    request = await filed(dealer, "object")

    await dealer.call("POST", f"{ALL}/{request['id']}/revoke", json={})

    assert await dealer.reason("purpose:ads") == "denied"


@pytest.mark.parametrize("ended", ["deny", "revoke", "lift"])
async def test_a_restriction_holds_from_filing_until_it_is_lifted(dealer: Brand, ended: str) -> None:
    await dealer.say("purpose:marketing", "granted")

    request = await filed(dealer, "restrict", jurisdiction="DE")

    assert request["effects"]["restricted"] is True
    assert await dealer.reason("purpose:marketing") == "restricted"
    assert await dealer.reason("purpose:service") == "restricted"
    assert await dealer.reason("purpose:recall") == "required"
    steps: list[tuple[str, dict[str, Any]]] = [(ended, {})]
    if ended == "lift":
        steps = [("fulfil", {}), ("lift", {"told": "By letter."})]
    if ended == "deny":
        steps = [("deny", {"reason": "claim_not_covered", "grounds": "The data are right."})]
    for transition, body in steps:
        assert await dealer.reason("purpose:marketing") == "restricted"
        path = f"{ALL}/{request['id']}/{transition}"
        answer = await dealer.desk("POST", path, scope="privacy_officer", json=body)
        assert answer.status == 200, answer.body
    assert await dealer.reason("purpose:marketing") == "granted"
    assert answer.json["effects"]["restricted"] is False


async def test_one_restriction_lifted_leaves_the_other(dealer: Brand) -> None:
    one, two = await filed(dealer, "restrict"), await filed(dealer, "restrict")

    await dealer.call("POST", f"{ALL}/{one['id']}/revoke", json={})
    assert await dealer.reason("purpose:service") == "restricted"
    await dealer.call("POST", f"{ALL}/{two['id']}/revoke", json={})

    assert await dealer.reason("purpose:service") == "required"


async def test_a_restriction_is_part_of_what_held_at_a_past_moment(dealer: Brand, world: World) -> None:
    await dealer.say("purpose:marketing", "granted")
    before = world.clock.text()
    world.clock.forward(timedelta(hours=1))

    await filed(dealer, "restrict")

    assert await dealer.reason("purpose:marketing", query=f"?as_of={before.replace('+', '%2B')}") == "granted"
    during = world.clock.text().replace("+", "%2B")
    assert await dealer.reason("purpose:marketing", query=f"?as_of={during}") == "restricted"


async def test_a_visitors_restriction_goes_along_when_they_sign_in(dealer: Brand) -> None:
    visitor = new_anonymous_id()
    mine = (await dealer.page("POST", MINE, json={"kind": "restrict"}, sub=visitor)).json

    linked = await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})

    assert linked.status == 201
    assert await dealer.reason("purpose:service") == "restricted"
    assert [one["id"] for one in (await dealer.page("GET", MINE)).json["requests"]] == [mine["id"]]
    answer = await dealer.page("POST", f"{MINE}/{mine['id']}/revoke", json={})
    assert answer.status == 200
    assert await dealer.reason("purpose:service") == "required"


async def test_however_many_are_closed_ones_open_requests_are_shown(dealer: Brand) -> None:
    for _ in range(MOST_OPEN):
        one = (await dealer.page("POST", MINE, json={"kind": "copy"})).json
        assert (await dealer.page("POST", f"{MINE}/{one['id']}/revoke", json={})).status == 200
    dealer.world.clock.forward(timedelta(days=1))
    newest = (await dealer.page("POST", MINE, json={"kind": "delete"})).json

    shown = (await dealer.page("GET", MINE)).json["requests"]

    assert [shown[0]["id"], len(shown)] == [newest["id"], MOST_OPEN + 1]


async def test_nothing_was_received_before_there_was_anything_to_receive_it(dealer: Brand, catalogue: Any) -> None:
    await dealer.publish(catalogue | {"time_zone": "America/Los_Angeles"})

    answer = await entered(
        dealer, kind="copy", channel="post", consumer_id="cust-42", received_at="0001-01-01T00:00:00Z"
    )

    assert (answer.status, answer.problems) == (422, [("/received_at", "invalid_value")])


async def test_restrictions_find_an_end_and_none_stays_that_no_request_rests_on(dealer: Brand, world: World) -> None:
    for _ in range(MOST_OPEN):
        assert (await dealer.page("POST", MINE, json={"kind": "restrict"})).status == 201

    one_more = await dealer.page("POST", MINE, json={"kind": "restrict"})

    assert one_more.problems == [("", "too_many")]
    state = read_state(await world.storage.consumer("dealer", "cust-42"))
    assert len(state.restricted) == MOST_OPEN


async def test_a_correction_by_post_holds_once_it_is_known_whose_choice_it_is(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    detail = {"about": "purpose:marketing", "fault": "unauthorised", "answer": "denied"}
    body = {"kind": "correct", "channel": "post", "contact": {"email": "ann@mail.example"}, "detail": detail}
    request = (await dealer.desk("POST", ALL, scope="privacy_officer", json=body)).json

    known = {"consumer_id": "cust-42", "verified": "Her passport."}
    answer = await dealer.desk("POST", f"{ALL}/{request['id']}/start", scope="privacy_officer", json=known)

    assert answer.json["effects"]["refused"] == ["purpose:marketing"]
    assert await dealer.reason("purpose:marketing") == "denied"


@pytest.mark.parametrize("channel", ["widget", "chat", "api"])
async def test_staff_go_on_with_what_a_program_entered(dealer: Brand, channel: str) -> None:
    body = {"kind": "object", "channel": channel, "contact": {"email": "ann@mail.example"}}
    token = dealer.backend("backend", "privacy_officer")
    request = (await dealer.call("POST", ALL, token=token, json=body)).json

    answer = await dealer.desk(
        "POST", f"{ALL}/{request['id']}/start", scope="privacy_officer", json={"consumer_id": "cust-42"}
    )

    assert answer.status == 200, answer.body
    assert await dealer.reason("purpose:ads") == "denied"


async def test_a_correction_of_a_choice_to_no_holds_at_once(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")

    detail = {"about": "purpose:marketing", "fault": "unauthorised", "answer": "denied", "text": "I never said that."}
    request = await filed(dealer, "correct", detail=detail)

    assert request["detail"] == detail
    assert await dealer.reason("purpose:marketing") == "denied"


@pytest.mark.parametrize("fault", ["inaccurate", "incomplete", "ambiguous", "unauthorised"])
async def test_a_correction_says_what_is_wrong(dealer: Brand, fault: str) -> None:
    request = await filed(dealer, "correct", detail={"about": "phone", "fault": fault})

    assert (request["detail"]["fault"], request["effects"]) == (fault, {})


@pytest.mark.parametrize(
    ("kind", "detail", "problem"),
    [
        ("correct", {"about": "phone"}, ("/detail/fault", "missing_member")),
        ("correct", {"about": "phone", "fault": "ugly"}, ("/detail/fault", "invalid_value")),
        (
            "correct",
            {"about": "purpose:marketng", "fault": "inaccurate", "answer": "denied"},
            ("/detail/about", "unknown_topic"),
        ),
        ("object", {"topics": ["purpose:adds"]}, ("/detail/topics/0", "unknown_topic")),
        ("object", {"topics": ["purpose:ads", "purpose:ads"]}, ("/detail", "invalid_value")),
        ("minor-content-removal", {}, ("/detail/urls", "missing_member")),
        ("minor-content-removal", {"urls": ["forum.example/1"]}, ("/detail/urls/0", "invalid_value")),
        ("minor-content-removal", {"urls": ["javascript:alert(1)"]}, ("/detail/urls/0", "invalid_value")),
        ("delete", {"text": ""}, ("/detail/text", "invalid_value")),
        ("delete", {"because": "x"}, ("/detail/because", "unknown_member")),
    ],
)
async def test_a_request_that_lacks_what_its_kind_needs_is_refused_by_member(
    dealer: Brand, kind: str, detail: dict[str, Any], problem: tuple[str, str]
) -> None:
    async with dealer.world.nothing_stored():
        answer = await file(dealer, kind, detail=detail)

    assert (answer.status, answer.problems) == (422, [problem])


async def test_there_are_twelve_kinds_and_no_other(dealer: Brand) -> None:
    answer = await file(dealer, "forget")

    assert answer.problems == [("/kind", "invalid_value")]
    needs = {
        "correct": {"about": "phone", "fault": "ambiguous"},
        "minor-content-removal": {"urls": ["https://forum.example/1"]},
    }
    kinds = (
        "access correct delete transfer copy withdraw-all object restrict minor-content-removal sale-opt-out "
        "sms-opt-out email-opt-out"
    )
    for kind in kinds.split():
        assert (await filed(dealer, kind, detail=needs.get(kind, {})))["kind"] == kind


@pytest.mark.parametrize(
    ("kind", "jurisdiction", "respond_by", "laws"),
    [
        ("access", "DE", "2026-12-23", ["policy", "gdpr"]),
        ("access", "US-CA", "2026-12-23", ["policy", "ccpa"]),
        ("sale-opt-out", "US-CA", "2026-12-15", ["policy", "ccpa-opt-out"]),
        ("access", "CA-QC", "2026-12-23", ["policy", "pipeda", "quebec"]),
    ],
)
async def test_the_dates_are_kept_with_the_laws_that_set_them(
    dealer: Brand, kind: str, jurisdiction: str, respond_by: str, laws: list[str]
) -> None:
    request = await filed(dealer, kind, jurisdiction=jurisdiction)

    assert request["deadlines"]["respond_by"] == f"{respond_by}T23:59:59.000000Z"
    assert set(request["deadlines"]["laws"]) <= set(laws)
    assert "policy" in request["deadlines"]["laws"]


async def test_a_catalogue_with_a_promise_of_its_own_keeps_the_laws_that_are_shipped(
    dealer: Brand, catalogue: dict[str, Any]
) -> None:
    promise = {"law": "Our privacy policy", "regions": ["*"], "respond": "30 days", "valid_from": "2020-01-01"}
    catalogue["deadlines"] = {"policy": promise}
    assert (await dealer.publish(catalogue)).status == 201

    deleted = (await filed(dealer, "delete", jurisdiction="US-CA"))["deadlines"]
    stopped = (await filed(dealer, "sms-opt-out", jurisdiction="US-CA"))["deadlines"]

    assert (deleted["laws"], deleted["acknowledge_by"]) == (["policy", "ccpa"], "2026-12-08T23:59:59.000000Z")
    assert (stopped["set_by"], stopped["respond_by"]) == ("fcc-sms", "2026-12-08T23:59:59.000000Z")


async def test_a_date_stays_when_the_catalogues_law_changes(dealer: Brand, catalogue: dict[str, Any]) -> None:
    request = await filed(dealer, "access")
    catalogue["deadlines"] = {
        "house": {"law": "Our promise", "regions": ["*"], "respond": "10 days", "valid_from": "2020-01-01"}
    }
    assert (await dealer.publish(catalogue)).status == 201

    later = await filed(dealer, "access")

    assert later["deadlines"]["respond_by"] == "2026-12-03T23:59:59.000000Z"
    shown = (await dealer.call("GET", f"{ALL}/{request['id']}")).json
    assert shown["deadlines"] == request["deadlines"]


async def test_days_are_counted_in_the_brands_time_zone(dealer: Brand, catalogue: dict[str, Any], world: World) -> None:
    catalogue["time_zone"] = "America/Los_Angeles"
    assert (await dealer.publish(catalogue)).status == 201
    world.clock.forward(timedelta(hours=8))  # the 24th in UTC, still the 23rd in Los Angeles

    request = await filed(dealer, "access", jurisdiction="DE")

    assert request["deadlines"]["respond_by"] == "2026-12-24T07:59:59.000000Z"
    assert request["days_left"] == 30


async def test_a_time_zone_that_there_is_not_is_refused(dealer: Brand, catalogue: dict[str, Any]) -> None:
    catalogue["time_zone"] = "America/Springfield"

    answer = await dealer.publish(catalogue)

    assert (answer.status, answer.problems) == (422, [("/time_zone", "catalogue_invalid")])


async def test_an_officer_enters_what_came_by_post_days_ago_and_the_clock_ran(dealer: Brand) -> None:
    answer = await entered(
        dealer,
        kind="access",
        channel="post",
        received_at="2026-11-02T00:00:00Z",
        contact={"name": "Ann", "address": "1 Main Street\nSpringfield"},
        jurisdiction="DE",
        held_by="platform",
    )

    assert answer.status == 201, answer.body
    request = answer.json
    assert (request["consumer_id"], request["held_by"], request["channel"]) == (None, "platform", "post")
    assert (request["received_at"], request["filed_at"]) == (
        "2026-11-02T00:00:00.000000Z",
        "2026-11-23T19:00:00.000000Z",
    )
    assert (request["due_at"], request["days_left"]) == ("2026-12-02T23:59:59.000000Z", 9)
    assert "verified" not in request


@pytest.mark.parametrize(
    ("members", "problem"),
    [
        ({"channel": "post"}, ("/contact", "missing_member")),
        ({"contact": {"email": "ann@mail.example"}}, ("/channel", "missing_member")),
        ({"channel": "widget", "consumer_id": "cust-42"}, ("/channel", "invalid_value")),
        (
            {"channel": "post", "consumer_id": "cust-42", "received_at": "2026-11-24T00:00:00Z"},
            ("/received_at", "from_the_future"),
        ),
        ({"channel": "post", "consumer_id": "cust-42", "received_at": "2026-11-02"}, ("/received_at", "invalid_value")),
        ({"channel": "post", "contact": {"email": "ann"}}, ("/contact/email", "invalid_value")),
        ({"channel": "post", "contact": {"phone": "call me"}}, ("/contact/phone", "invalid_value")),
        ({"channel": "post", "consumer_id": "ann@mail.example"}, ("/consumer_id", "personal_id")),
    ],
)
async def test_what_an_officer_enters_is_whole(
    dealer: Brand, members: dict[str, Any], problem: tuple[str, str]
) -> None:
    answer = await entered(dealer, kind="access", **members)

    assert (answer.status, answer.problems) == (422, [problem])


async def test_only_an_officer_says_that_it_was_received_earlier(dealer: Brand) -> None:
    answer = await file(dealer, "access", received_at="2026-11-02T00:00:00Z")

    assert answer.problems == [("/received_at", "actor_not_yours")]


async def test_a_backend_names_the_consumer(dealer: Brand) -> None:
    answer = await dealer.call("POST", ALL, json={"kind": "access", "contact": {"email": "ann@mail.example"}})

    assert answer.problems == [("/consumer_id", "missing_member")]


async def test_an_agent_enters_what_came_by_phone_and_nothing_else(dealer: Brand) -> None:
    body = {"kind": "delete", "consumer_id": "cust-42"}

    entered_by_phone = await dealer.desk("POST", ALL, json=body)
    by_mail = await dealer.desk("POST", ALL, json={**body, "channel": "email"})

    assert entered_by_phone.status == 201
    request = entered_by_phone.json
    assert (request["channel"], request["legal"], request["filed_by"]["staff"]) == ("phone", [], "ann")
    assert by_mail.problems == [("/channel", "invalid_value")]
    for method, path in (("GET", ALL), ("GET", f"{ALL}/{request['id']}"), ("GET", f"{ALL}/{request['id']}/result")):
        assert (await dealer.desk(method, path)).status == 403
    assert (await dealer.desk("POST", f"{ALL}/find", json={"email": "ann@mail.example"})).status == 403


@pytest.mark.parametrize("role", ["auditor", "admin"])
async def test_who_looks_after_others_files_nothing(dealer: Brand, role: str) -> None:
    answer = await dealer.call(
        "POST", ALL, token=dealer.backend(role), json={"kind": "delete", "consumer_id": "cust-42"}
    )

    assert (answer.status, answer.code) == (403, "scope")


async def test_an_auditor_reads(dealer: Brand) -> None:
    request = await filed(dealer, "delete")

    shown = await dealer.call("GET", f"{ALL}/{request['id']}", token=dealer.backend("auditor"))

    assert (shown.status, shown.json["legal"]) == (200, [])
    assert (await dealer.call("GET", ALL, token=dealer.backend("auditor"))).status == 200


async def test_a_page_without_an_account_files_for_nobody_known(dealer: Brand, world: World) -> None:
    requests = world.app[SERVICES].requests
    caller = Caller.by_link("dealer", "rights")
    body = '{"kind": "object", "channel": "page", "contact": {"email": "ann@mail.example"}}'

    request = await requests.file(caller, NewRequest.model_validate_json(body))

    assert (request["consumer_id"], request["channel"], request["effects"]) == (None, "page", {})
    with pytest.raises(RefusedError) as refused:
        await requests.file(caller, NewRequest.model_validate_json('{"kind": "object", "channel": "page"}'))
    assert [problem.pointer for problem in refused.value.problems] == ["/contact"]
    path = f"{ALL}/{request['id']}/start"
    started = await dealer.desk("POST", path, scope="privacy_officer", json={"consumer_id": "cust-42"})
    assert (started.status, started.json["consumer_id"]) == (200, "cust-42")
    assert await dealer.reason("purpose:ads") == "denied"


async def test_whose_request_it_is_has_to_be_known_before_anything_is_handed_out(dealer: Brand) -> None:
    request = (await entered(dealer, kind="copy", channel="email", contact={"email": "ann@mail.example"})).json
    path = f"{ALL}/{request['id']}"

    async def officer(transition: str, **body: Any) -> Answered:
        return await dealer.desk("POST", f"{path}/{transition}", scope="privacy_officer", json=body)

    early = await officer("fulfil")
    assert (early.status, early.code) == (409, "verification_needed")
    assert "start" in early.json["legal"]
    assert (await officer("start")).problems == [("/verified", "verification_needed")]
    assert (await officer("start", verified="Called back.")).status == 200
    nobody = await officer("fulfil")
    assert (nobody.status, nobody.code) == (409, "verification_needed")
    assert (await officer("note", note="Looked it up.")).status == 200


async def test_a_started_request_stays_its_consumers(dealer: Brand) -> None:
    request = await filed(dealer, "copy")

    path = f"{ALL}/{request['id']}/start"
    answer = await dealer.desk("POST", path, scope="privacy_officer", json={"consumer_id": "cust-43"})

    assert answer.problems == [("/consumer_id", "invalid_value")]


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize(
    ("looked_for", "found"),
    [
        ({"email": "Ann@Mail.example"}, True),
        ({"phone": "+1 (555) 010-0142"}, True),
        ({"phone": "555 010 0142"}, True),
        ({"email": "ben@mail.example"}, False),
        ({"phone": "+1 555 010 0143"}, False),
    ],
)
async def test_people_are_found_by_address_and_number_however_written(
    dealer: Brand, shop: Brand, looked_for: dict[str, str], found: bool
) -> None:
    contact = {"email": "ann@mail.example", "phone": "+15550100142"}
    request = (await entered(dealer, kind="copy", channel="email", contact=contact)).json

    async def find(brand: Brand) -> list[str]:
        answer = await brand.desk("POST", f"{ALL}/find", scope="privacy_officer", json=looked_for)
        assert answer.status == 200
        return [one["id"] for one in answer.json["requests"]]

    assert await find(dealer) == ([request["id"]] if found else [])
    assert await find(shop) == []


@pytest.mark.parametrize("body", [{}, {"email": "ann@mail.example", "phone": "+15550100142"}])
async def test_looking_for_people_takes_one_address(dealer: Brand, body: dict[str, str]) -> None:
    answer = await dealer.desk("POST", f"{ALL}/find", scope="privacy_officer", json=body)

    assert answer.problems == [("", "invalid_value")]


async def test_the_address_itself_is_no_part_of_what_it_is_found_by(dealer: Brand, world: World) -> None:
    contact = {"email": "ann@mail.example", "phone": "+15550100142"}
    await entered(dealer, kind="copy", channel="email", contact=contact)

    (stored,) = await world.storage.documents("dealer", "request", limit=2)

    assert len(stored.marks) == 3
    assert all(len(mark) == 32 and b"ann" not in mark for mark in stored.marks)


async def test_the_queue_goes_by_what_is_due_next_page_by_page(dealer: Brand, world: World) -> None:
    expected = []
    for place in range(103):
        received = (world.clock.moment - timedelta(days=103 - place)).isoformat()
        answer = await entered(
            dealer, kind="access", channel="post", consumer_id=f"cust-{place}", received_at=received, jurisdiction="DE"
        )
        expected.append(answer.json["id"])

    first = await dealer.call("GET", ALL)
    link = first.headers["Link"].partition(">")[0].removeprefix("<")
    second = await dealer.call("GET", link)

    assert [one["id"] for page in (first, second) for one in page.json["requests"]] == expected
    assert "Link" not in second.headers
    assert first.json["requests"][0]["days_left"] == -73


@pytest.mark.parametrize(
    "query",
    ["state=lost", "after=1", "after=x.y", "consumer=ann%40mail.example", "after=-1.a", f"after={2**63}.a", "state="],
)
async def test_a_list_that_nobody_can_mean_is_refused(dealer: Brand, query: str) -> None:
    assert (await dealer.call("GET", f"{ALL}?{query}")).status == 422


async def test_a_backend_asks_for_one_consumers_requests_whatever_their_state(dealer: Brand) -> None:
    one = await filed(dealer, "copy")
    await filed(dealer, "copy", consumer_id="cust-43")
    await dealer.call("POST", f"{ALL}/{one['id']}/revoke", json={})

    answer = await dealer.call("GET", f"{ALL}?consumer=cust-42")
    nothing_open = await dealer.call("GET", f"{ALL}?consumer=cust-42&state=open")

    assert [entry["id"] for entry in answer.json["requests"]] == [one["id"]]
    assert nothing_open.json["requests"] == []


async def test_a_hundred_open_requests_are_enough_and_a_refusal_counts_all_the_same(dealer: Brand) -> None:
    for _ in range(MOST_OPEN):
        await filed(dealer, "copy")

    answer = await file(dealer, "object")

    assert answer.code == "too_many"
    assert await dealer.reason("purpose:ads") == "denied"


async def test_recourse_is_shown_before_anything_is_filed(dealer: Brand) -> None:
    answer = await dealer.page("GET", "/v1/recourse?jurisdiction=CA-QC&language=fr")

    assert answer.status == 200
    assert "Commission d’accès à l’information" in answer.json["words"]
    assert (await dealer.call("GET", "/v1/recourse?jurisdiction=Quebec")).status == 422


async def test_each_public_address_of_a_removal_is_followed(dealer: Brand) -> None:
    first, second = "https://forum.example/1", "https://forum.example/2?page=3"
    request = await filed(dealer, "minor-content-removal", detail={"urls": [first, second]}, jurisdiction="US-CA")
    assert request["detail"]["urls"] == {first: "open", second: "open"}

    async def backend(transition: str, **body: Any) -> Answered:
        return await dealer.call("POST", f"{ALL}/{request['id']}/{transition}", json=body)

    noted = await backend("note", urls={first: "removed"})
    early = await backend("fulfil")
    wrong = await backend("note", urls={"https://forum.example/9": "removed"})
    done = await backend("fulfil", urls={second: "kept"}, answer="The second quotes somebody else.")

    assert noted.json["detail"]["urls"] == {first: "removed", second: "open"}
    assert (early.status, early.problems) == (422, [("/urls", "missing_member")])
    assert wrong.problems == [("/urls", "invalid_value")]
    assert (done.json["state"], done.json["detail"]["urls"]) == ("fulfilled", {first: "removed", second: "kept"})
