"""Recording: once, whole, and never a refusal turned away."""

from sayso.model.ids import new_choice_id
from sayso.testing.contract.wire import Wire, choice, over_the_wire


@over_the_wire
async def test_a_grant_is_recorded_and_decides(wire: Wire) -> None:
    ann = wire.consumer()
    sent = choice(ann, "purpose:marketing", "granted")
    (recorded,) = await wire.record(sent)
    assert {name: recorded[name] for name in ("choice_id", "consumer_id", "topic", "version")} == {
        "choice_id": sent["id"],
        "consumer_id": ann,
        "topic": "purpose:marketing",
        "version": 1,
    }
    assert (recorded["stands"], recorded["allowed"], recorded["reason"]) == (True, True, "granted")
    assert recorded["replayed"] is False


@over_the_wire
async def test_the_same_choice_sent_again_is_recorded_once(wire: Wire) -> None:
    ann = wire.consumer()
    sent = choice(ann, "channel:sms", "denied")
    (first,) = await wire.record(sent)
    (again,) = await wire.record(sent)
    assert again == {**first, "replayed": True}
    history = await wire.call("GET", f"/v1/consumers/{ann}/choices")
    assert [past["id"] for past in history.json["choices"]] == [sent["id"]]


@over_the_wire
async def test_an_id_is_not_taken_for_another_content(wire: Wire) -> None:
    ann = wire.consumer()
    sent = choice(ann, "channel:sms", "denied")
    await wire.record(sent)
    answered = await wire.post_choices({**sent, "topic": "channel:email"})
    assert (answered.status, answered.problems) == (422, [("/choices/0/id", "id_reused")])


@over_the_wire
async def test_a_batch_is_refused_whole_and_names_what_is_wrong(wire: Wire) -> None:
    ann = wire.consumer()
    answered = await wire.post_choices(
        choice(ann, "channel:sms", "denied"), choice(ann, "channel:fax", "denied"), choice(ann, "channel:email", "no")
    )
    assert answered.status == 422
    assert ("/choices/2/answer", "invalid_value") in answered.problems
    assert (await wire.preferences(ann))["version"] == 0


@over_the_wire
async def test_an_unknown_topic_is_named(wire: Wire) -> None:
    answered = await wire.post_choices(choice(wire.consumer(), "channel:fax", "denied"))
    assert (answered.status, answered.problems) == (422, [("/choices/0/topic", "unknown_topic")])


@over_the_wire
async def test_a_grant_without_a_notice_is_none(wire: Wire) -> None:
    sent = choice(wire.consumer(), "channel:sms", "granted")
    del sent["notice"]
    answered = await wire.post_choices(sent)
    assert (answered.status, answered.code) == (422, "notice_required")


@over_the_wire
async def test_unknown_members_are_refused(wire: Wire) -> None:
    answered = await wire.post_choices(choice(wire.consumer(), "channel:sms", "denied", colour="red"))
    assert (answered.status, answered.problems) == (422, [("/choices/0/colour", "unknown_member")])


@over_the_wire
async def test_json_with_a_member_twice_is_refused(wire: Wire) -> None:
    answered = await wire.call("POST", "/v1/choices", b'{"choices": [], "choices": []}')
    assert (answered.status, answered.code) == (400, "duplicate_member")


@over_the_wire
async def test_a_refusal_is_taken_whatever_its_clock_says(wire: Wire) -> None:
    ann = wire.consumer()
    (recorded,) = await wire.record(choice(ann, "channel:sms", "denied", made_at="2199-01-01T00:00:00Z"))
    assert recorded["stands"] is True
    assert recorded["effective_at"] <= recorded["recorded_at"]


@over_the_wire
async def test_a_grant_from_the_future_is_not_taken(wire: Wire) -> None:
    sent = choice(wire.consumer(), "channel:sms", "granted", made_at="2199-01-01T00:00:00Z")
    answered = await wire.post_choices(sent)
    assert (answered.status, answered.problems) == (422, [("/choices/0/made_at", "from_the_future")])


@over_the_wire
async def test_a_refusal_of_a_notice_that_never_was_is_taken(wire: Wire) -> None:
    notice = {"language": "xx", "version": 99}
    (recorded,) = await wire.record(choice(wire.consumer(), "channel:sms", "withdrawn", notice=notice))
    assert recorded["reason"] == "withdrawn"


@over_the_wire
async def test_what_a_contract_rests_on_can_not_be_refused(wire: Wire) -> None:
    answered = await wire.post_choices(choice(wire.consumer(), "purpose:service", "denied"))
    assert (answered.status, answered.code) == (422, "not_refusable")


@over_the_wire
async def test_an_older_grant_never_overrides_a_newer_refusal(wire: Wire) -> None:
    ann = wire.consumer()
    (refused,) = await wire.record(choice(ann, "purpose:marketing", "denied"))
    late = choice(ann, "purpose:marketing", "granted", made_at="2020-01-01T00:00:00Z")
    (recorded,) = await wire.record(late)
    assert (recorded["stands"], recorded["superseded_by"]) == (False, refused["choice_id"])
    assert await wire.reason(ann, "purpose:marketing") == "denied"


@over_the_wire
async def test_a_grant_that_has_seen_the_refusal_holds_at_once(wire: Wire) -> None:
    ann = wire.consumer()
    (refused,) = await wire.record(choice(ann, "purpose:marketing", "denied"))
    (recorded,) = await wire.record(choice(ann, "purpose:marketing", "granted", based_on=refused["version"]))
    assert (recorded["stands"], recorded["allowed"]) == (True, True)


@over_the_wire
async def test_a_grant_can_not_have_seen_what_is_yet_to_come(wire: Wire) -> None:
    answered = await wire.post_choices(choice(wire.consumer(), "channel:sms", "granted", based_on=7))
    assert (answered.status, answered.problems) == (422, [("/choices/0/based_on", "based_on_ahead")])


@over_the_wire
async def test_a_withdrawal_of_everything_closes_every_topic_until_it_is_named_again(wire: Wire) -> None:
    ann = wire.consumer()
    await wire.record(choice(ann, "channel:sms", "granted"), choice(ann, "channel:email", "granted"))
    (everything,) = await wire.record(choice(ann, "*", "withdrawn", based_on=2))
    await wire.record(choice(ann, "channel:email", "granted", based_on=everything["version"]))
    assert await wire.reason(ann, "channel:sms") == "withdrawn"
    assert await wire.reason(ann, "channel:email") == "granted"


@over_the_wire
async def test_what_the_brand_decides_never_beats_the_person(wire: Wire) -> None:
    ann = wire.consumer()
    await wire.record(choice(ann, "channel:sms", "denied"))
    file = {"kind": "crm", "wording": "May we text you?", "date": "2025-01-01", "source": "crm"}
    own = choice(ann, "channel:sms", "granted", actor="brand", based_on=1, evidence=file)
    (recorded,) = await wire.record(own)
    assert recorded["stands"] is False


@over_the_wire
async def test_ids_that_name_a_person_are_refused(wire: Wire) -> None:
    answered = await wire.post_choices(choice("ann@example.com", "channel:sms", "denied"))
    assert (answered.status, answered.problems) == (422, [("/choices/0/consumer_id", "personal_id")])


@over_the_wire
async def test_a_batch_holds_500_at_most(wire: Wire) -> None:
    ann = wire.consumer()
    one = choice(ann, "channel:sms", "denied")
    batch = [{**one, "id": new_choice_id()} for _ in range(501)]
    answered = await wire.post_choices(*batch)
    assert (answered.status, answered.code) == (422, "batch_too_large")
    assert len(await wire.record(*batch[:500])) == 500
