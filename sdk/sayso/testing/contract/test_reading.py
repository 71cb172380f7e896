"""Reading: snapshots, decisions and history."""

import asyncio

from sayso.testing.contract.wire import Wire, choice, over_the_wire


@over_the_wire
async def test_a_consumer_nobody_knows_reads_as_version_0(wire: Wire) -> None:
    preferences = await wire.preferences(wire.consumer())
    assert preferences["version"] == 0
    reasons = {key: (topic["allowed"], topic["reason"]) for key, topic in preferences["topics"].items()}
    assert reasons["purpose:service"] == (True, "required")
    assert reasons["purpose:analytics"] == (True, "default")
    assert reasons["purpose:marketing"] == (False, "not_asked")
    assert reasons["partner:vinsolutions:share"] == (False, "not_asked")


@over_the_wire
async def test_a_snapshot_tells_what_was_said(wire: Wire) -> None:
    ann = wire.consumer()
    (recorded,) = await wire.record(choice(ann, "purpose:transcript.training", "granted"))
    preferences = await wire.preferences(ann)
    topic = preferences["topics"]["purpose:transcript.training"]
    assert (preferences["consumer_id"], preferences["version"]) == (ann, 1)
    assert (topic["allowed"], topic["reason"], topic["answer"]) == (True, "granted", "granted")
    assert topic["choice_id"] == recorded["choice_id"]
    assert topic["expires_at"] is not None


@over_the_wire
async def test_answers_about_a_consumer_are_not_stored_on_the_way(wire: Wire) -> None:
    answered = await wire.call("GET", f"/v1/consumers/{wire.consumer()}/preferences")
    assert answered.headers["Cache-Control"] == "no-store"


@over_the_wire
async def test_a_snapshot_that_has_not_changed_is_not_sent_again(wire: Wire) -> None:
    ann = wire.consumer()
    path = f"/v1/consumers/{ann}/preferences"
    tag = {"If-None-Match": (await wire.call("GET", path)).headers["ETag"]}
    assert (await wire.call("GET", path, headers=tag)).status == 304
    await wire.record(choice(ann, "channel:sms", "denied"))
    assert (await wire.call("GET", path, headers=tag)).status == 200


@over_the_wire
async def test_two_consumers_never_share_an_entity_tag(wire: Wire) -> None:
    tags = {(await wire.call("GET", f"/v1/consumers/{wire.consumer()}/preferences")).headers["ETag"] for _ in range(2)}
    assert len(tags) == 2


@over_the_wire
async def test_a_version_is_waited_for(wire: Wire) -> None:
    ann = wire.consumer()
    asked = asyncio.create_task(wire.preferences(ann, "?at_least=1"))
    await wire.record(choice(ann, "channel:sms", "denied"))
    assert (await asked)["version"] >= 1


@over_the_wire
async def test_a_version_that_does_not_come_is_a_conflict(wire: Wire) -> None:
    answered = await wire.call("GET", f"/v1/consumers/{wire.consumer()}/preferences?at_least=5")
    assert (answered.status, answered.code) == (409, "version_not_reached")


@over_the_wire
async def test_a_past_moment_is_answered_by_what_was_recorded_then(wire: Wire) -> None:
    ann = wire.consumer()
    (granted,) = await wire.record(choice(ann, "channel:sms", "granted"))
    await wire.record(choice(ann, "channel:sms", "withdrawn", based_on=1))
    then = granted["recorded_at"]
    past = await wire.preferences(ann, f"?as_of={then}")
    assert (past["version"], past["topics"]["channel:sms"]["reason"]) == (1, "granted")
    assert await wire.reason(ann, "channel:sms", as_of=then) == "granted"
    assert await wire.reason(ann, "channel:sms") == "withdrawn"


@over_the_wire
async def test_decisions_come_in_the_order_asked_and_explain_themselves(wire: Wire) -> None:
    ann = wire.consumer()
    await wire.record(choice(ann, "channel:sms", "denied"))
    topics = ["channel:sms", "purpose:analytics", "purpose:nonsense"]
    checks = [{"consumer_id": ann, "topic": topic} for topic in topics]
    answered = await wire.call("POST", "/v1/decisions", {"checks": checks})
    decisions = answered.json["decisions"]
    assert [(decision["topic"], decision["allowed"], decision["reason"]) for decision in decisions] == [
        ("channel:sms", False, "denied"),
        ("purpose:analytics", True, "default"),
        ("purpose:nonsense", False, "unknown_topic"),
    ]
    assert all(decision["explanation"] for decision in decisions)


@over_the_wire
async def test_the_history_comes_newest_first_and_in_pages(wire: Wire) -> None:
    ann = wire.consumer()
    await wire.record(*(choice(ann, "channel:sms", "denied") for _ in range(101)))
    page = await wire.call("GET", f"/v1/consumers/{ann}/choices")
    assert [past["version"] for past in page.json["choices"]] == list(range(101, 1, -1))
    link = page.headers["Link"]
    assert link.endswith('>; rel="next"')
    rest = await wire.call("GET", link[1 : link.index(">")])
    assert [past["version"] for past in rest.json["choices"]] == [1]
    assert "Link" not in rest.headers


@over_the_wire
async def test_the_catalogue_names_topics_and_partners(wire: Wire) -> None:
    catalogue = (await wire.call("GET", "/v1/catalogue")).json
    topics = {topic["key"]: topic["basis"] for topic in catalogue["topics"]}
    assert topics["purpose:service"] == "contract"
    assert topics["partner:vinsolutions:combine"] == "consent"
    assert [partner["key"] for partner in catalogue["partners"]] == ["vinsolutions"]
    assert catalogue["languages"] == ["en", "es"]


@over_the_wire
async def test_the_server_describes_itself(wire: Wire) -> None:
    description = await wire.call("GET", "/openapi.json", token="")
    assert description.json["openapi"].startswith("3.1")
    assert "/v1/choices" in description.json["paths"]
    assert (await wire.call("GET", "/readyz", token="")).status == 200
