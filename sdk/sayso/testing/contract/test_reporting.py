"""What is seen of a consumer and is no choice: devices, signals, age, visits; and where their data went."""

import uuid
from datetime import timedelta

from sayso.model.ids import new_anonymous_id
from sayso.testing.brand import ORIGIN
from sayso.testing.contract.wire import Wire, choice, over_the_wire

ANDROID = {"android.permission.CAMERA": "granted"}


@over_the_wire
async def test_a_permission_needs_the_consumer_and_the_device(wire: Wire) -> None:
    ann = wire.consumer()
    path = f"/v1/consumers/{ann}/devices/pixel-8"
    answered = await wire.call("PUT", path, {"vocabulary": "react-native", "states": ANDROID})
    assert answered.json["version"] == 1
    assert answered.json["states"]["camera"]["state"] == "granted"
    assert await wire.reason(ann, "permission:camera", device_id="pixel-8") == "not_asked"
    await wire.record(choice(ann, "permission:camera", "granted"))
    assert await wire.reason(ann, "permission:camera", device_id="pixel-8") == "granted"
    assert await wire.reason(ann, "permission:camera", device_id="iphone") == "device_unknown"
    assert await wire.reason(ann, "permission:camera") == "device_unknown"


@over_the_wire
async def test_a_denial_of_the_device_leaves_the_consent_alone(wire: Wire) -> None:
    ann = wire.consumer()
    path = f"/v1/consumers/{ann}/devices/pixel-8"
    await wire.record(choice(ann, "permission:camera", "granted"))
    denied = {"android.permission.CAMERA": "denied"}
    await wire.call("PUT", path, {"vocabulary": "react-native", "states": denied})
    assert await wire.reason(ann, "permission:camera", device_id="pixel-8") == "device_denied"
    assert (await wire.preferences(ann))["topics"]["permission:camera"]["answer"] == "granted"


@over_the_wire
async def test_a_state_that_nobody_knows_is_named(wire: Wire) -> None:
    body = {"vocabulary": "react-native", "states": {"android.permission.CAMERA": "perhaps"}}
    answered = await wire.call("PUT", f"/v1/consumers/{wire.consumer()}/devices/pixel-8", body)
    assert answered.json["unknown"] == [{"name": "android.permission.CAMERA", "value": "perhaps"}]


@over_the_wire
async def test_a_vocabulary_that_nobody_knows_is_refused(wire: Wire) -> None:
    body = {"vocabulary": "symbian", "states": ANDROID}
    answered = await wire.call("PUT", f"/v1/consumers/{wire.consumer()}/devices/pixel-8", body)
    assert (answered.status, answered.code) == (422, "unknown_vocabulary")


@over_the_wire
async def test_gpc_turns_off_what_is_sold_or_shared_and_is_recorded_once(wire: Wire) -> None:
    ann = wire.consumer()
    assert await wire.reason(ann, "cookie:advertising") == "default"
    first = await wire.call("POST", f"/v1/consumers/{ann}/signals", {"name": "gpc"})
    again = await wire.call("POST", f"/v1/consumers/{ann}/signals", {"name": "gpc"})
    assert (first.json["version"], again.json["version"]) == (1, 1)
    assert await wire.reason(ann, "cookie:advertising") == "signal"
    assert await wire.reason(ann, "purpose:analytics") == "default"


@over_the_wire
async def test_a_yes_given_knowingly_overrides_gpc(wire: Wire) -> None:
    ann = wire.consumer()
    await wire.call("POST", f"/v1/consumers/{ann}/signals", {"name": "gpc"})
    await wire.record(choice(ann, "cookie:advertising", "granted", overrides=["gpc"], based_on=1))
    assert await wire.reason(ann, "cookie:advertising") == "granted"


@over_the_wire
async def test_a_minor_needs_a_guardian(wire: Wire) -> None:
    ann = wire.consumer()
    await wire.record(choice(ann, "channel:sms", "granted"))
    answered = await wire.call("PUT", f"/v1/consumers/{ann}/age", {"source": "verified", "upper": 15})
    assert answered.json["version"] == 2
    assert await wire.reason(ann, "channel:sms") == "minor"


@over_the_wire
async def test_a_visitors_refusals_carry_over_and_grants_only_with_their_token(wire: Wire) -> None:
    ann, visitor = wire.consumer(), new_anonymous_id()
    await wire.record(choice(visitor, "channel:sms", "denied"), choice(visitor, "channel:email", "granted"))
    path = f"/v1/consumers/{ann}/links"
    linked = await wire.call("POST", path, {"anonymous_id": visitor})
    assert (linked.status, [one["topic"] for one in linked.json["carried"]]) == (201, ["channel:sms"])
    assert [one["topic"] for one in linked.json["left"]] == ["channel:email"]
    assert (await wire.call("POST", path, {"anonymous_id": visitor})).json["replayed"] is True
    other = await wire.call("POST", f"/v1/consumers/{wire.consumer()}/links", {"anonymous_id": visitor})
    assert (other.status, other.code) == (409, "already_linked")


@over_the_wire
async def test_a_visitors_grants_carry_over_with_their_live_token(wire: Wire) -> None:
    ann, visitor = wire.consumer(), new_anonymous_id()
    token = wire.minter.consumer_token(visitor, origins=[ORIGIN], ttl=timedelta(minutes=1))
    await wire.record(choice(visitor, "channel:email", "granted"))
    body = {"anonymous_id": visitor, "anonymous_token": token}
    linked = await wire.call("POST", f"/v1/consumers/{ann}/links", body)
    assert [one["topic"] for one in linked.json["carried"]] == ["channel:email"]
    assert await wire.reason(ann, "channel:email") == "granted"


@over_the_wire
async def test_a_hand_over_is_kept_once_with_names_and_no_values(wire: Wire) -> None:
    ann = wire.consumer()
    sent = {
        "id": str(uuid.uuid4()),
        "consumer_id": ann,
        "partner": "vinsolutions",
        "flow": "share",
        "answer": "send_redacted",
        "fields_sent": ["name"],
        "fields_held_back": ["email", "phone"],
        "at": "2026-11-23T18:59:58Z",
        "outcome": "handed_over",
    }
    replayed = [
        (await wire.call("POST", "/v1/disclosures", {"disclosures": [sent]})).json["recorded"][0]["replayed"]
        for _ in range(2)
    ]
    assert replayed == [False, True]
    (kept,) = (await wire.call("GET", f"/v1/disclosures?consumer={ann}")).json["disclosures"]
    assert (kept["partner"], kept["answer"]) == ("vinsolutions", "send_redacted")
    assert (kept["fields_sent"], kept["fields_held_back"]) == (["name"], ["email", "phone"])
    value = {**sent, "id": str(uuid.uuid4()), "values": {"email": "ann@example.com"}}
    assert (await wire.call("POST", "/v1/disclosures", {"disclosures": [value]})).status == 422
