"""Links by which consumers refuse without signing in: RFC 8058, and a page of plain HTML."""

import re
from datetime import timedelta

import pytest
from tests.server.conftest import choice

ORIGIN = "https://privacy.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def links(brand, *wanted):
    answer = await brand.call("POST", "/v1/unsubscribe-links", json={"links": list(wanted)})
    assert answer.status == 201, answer.body
    return answer.json["links"]


async def path_of(brand, **wanted):
    (link,) = await links(brand, {"consumer_id": "cust-42", "topic": "channel:sms"} | wanted)
    assert link["url"].startswith(ORIGIN + "/")
    return link["url"].removeprefix(ORIGIN)


async def click(world, path, **request):
    request.setdefault("body", b"List-Unsubscribe=One-Click")
    return await world.call("POST", path, headers=FORM | request.pop("headers", {}), **request)


async def test_a_button_whose_form_arrives_in_pieces_refuses_its_topic(world, dealer):
    await dealer.say("channel:sms", "granted")
    path = await path_of(dealer, kind="preferences")
    await world.send_in_pieces(path, b"topic=c", b"hannel%3Asms")
    assert await dealer.reason("channel:sms") == "withdrawn"


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_one_click_withdraws(world, dealer):
    await dealer.say("channel:sms", "granted")
    path = await path_of(dealer)
    answer = await click(world, path)
    assert answer.status == 200
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert "Set-Cookie" not in answer.headers
    assert await dealer.reason("channel:sms") == "withdrawn"
    (said, _) = await dealer.history()
    assert (said["answer"], said["method"], said["actor"]) == ("withdrawn", "email", "consumer")
    assert said["recorded_by"] == {"key": "link:unsubscribe", "class": "link"}
    assert said["based_on"] == 1, "the click has seen everything before it"


async def test_clicking_again_changes_nothing(world, dealer):
    path = await path_of(dealer)
    for _ in range(3):
        assert (await click(world, path)).status == 200
    assert len(await dealer.history()) == 1


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_a_later_click_outdoes_a_yes_that_was_given_before_it_and_comes_after_it(world, dealer):
    path = await path_of(dealer)
    await click(world, path)
    world.clock.forward(timedelta(hours=1))
    yes = choice("channel:sms", "granted", made_at="2026-11-23T20:00:00Z", based_on=1)
    world.clock.forward(timedelta(hours=1))
    await click(world, path)
    world.clock.forward(timedelta(hours=1))
    late = await dealer.call("POST", "/v1/choices", json={"sent_at": "2026-11-23T22:00:00Z", "choices": [yes]})
    assert late.status == 201, late.body
    assert await dealer.reason("channel:sms") == "withdrawn"


async def test_the_same_link_works_again_after_a_new_yes(world, dealer):
    path = await path_of(dealer)
    await click(world, path)
    version = (await dealer.preferences())["version"]
    await dealer.say("channel:sms", "granted", based_on=version)
    assert await dealer.reason("channel:sms") == "granted"
    await click(world, path)
    assert await dealer.reason("channel:sms") == "withdrawn"


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"List-Unsubscribe=One-Click"),
        (
            "multipart/form-data; boundary=x",
            b'--x\r\nContent-Disposition: form-data; name="List-Unsubscribe"\r\n\r\nOne-Click\r\n--x--\r\n',
        ),
        ("text/plain", b""),
        ("application/json", b"{"),
    ],
)
async def test_no_refusal_is_turned_away_for_the_form_it_comes_in(world, dealer, content_type, body):
    path = await path_of(dealer)
    answer = await world.call("POST", path, body=body, headers={"Content-Type": content_type})
    assert answer.status == 200
    assert await dealer.reason("channel:sms") == "withdrawn"


@pytest.mark.parametrize("kind", ["unsubscribe", "preferences"])
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS"])
async def test_opening_a_link_changes_nothing(world, dealer, kind, method):
    path = await path_of(dealer, kind=kind)
    async with world.nothing_stored():
        answer = await world.call(method, path, headers={"Sec-GPC": "1"})
    assert answer.status == (405 if method == "OPTIONS" else 200)


async def test_the_page_asks_with_one_button_and_without_script(world, dealer):
    answer = await world.call("GET", await path_of(dealer))
    page = answer.body.decode()
    assert re.findall(r"<form method=\"post\">", page) == ['<form method="post">']
    assert 'name="List-Unsubscribe" value="One-Click"' in page
    assert "Text messages" in page
    assert "<script" not in page
    assert "http" not in page
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "cust-42" not in page


@pytest.mark.parametrize(
    ("accept", "query", "spoken"),
    [
        ("es-MX,es;q=0.9,en;q=0.8", "", ("es", "Cancelar la suscripción")),
        ("de, fr;q=0.5, en;q=0.1", "", ("fr", "Se désabonner")),
        ("de", "", ("en", "Unsubscribe")),
        ("en", "?language=es", ("es", "Cancelar la suscripción")),
        ("", "", ("en", "Unsubscribe")),
        (";;;q=x,,", "", ("en", "Unsubscribe")),
    ],
)
async def test_the_page_speaks_the_readers_language(world, dealer, accept, query, spoken):
    language, button = spoken
    answer = await world.call("GET", await path_of(dealer) + query, headers={"Accept-Language": accept})
    page = answer.body.decode()
    assert f'<html lang="{language}">' in page
    assert f'<button type="submit">{button}</button>' in page


async def test_a_link_may_name_its_own_language(world, dealer):
    answer = await world.call("GET", await path_of(dealer, language="fr"), headers={"Accept-Language": "de"})
    assert '<html lang="fr">' in answer.body.decode()


async def test_a_link_may_be_about_one_sender(world, dealer):
    await dealer.say("channel:sms", "granted")
    path = await path_of(dealer, sender="+15550100001")
    assert "+15550100001" in (await world.call("GET", path)).body.decode()
    await click(world, path)
    await click(world, path)
    assert len(await dealer.history()) == 2
    assert (await dealer.decide("channel:sms", sender="+1 555 010 0001"))["reason"] == "withdrawn"


@pytest.mark.parametrize(
    "token", ["x", "dealer.x", "dealer." + "A" * 22, "shop." + "A" * 22, "%3Cscript%3E." + "A" * 22, "." + "A" * 22]
)
@pytest.mark.parametrize("room", ["u", "p"])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_made_up_link_opens_nothing(world, dealer, token, room, method):
    async with world.nothing_stored():
        answer = await world.call(method, f"/{room}/{token}")
    assert answer.status == 404
    assert "This link no longer works" in answer.body.decode()


async def test_a_link_of_one_kind_is_none_of_the_other(world, dealer):
    unsubscribe, preferences = await path_of(dealer), await path_of(dealer, kind="preferences")
    assert (await world.call("GET", "/p/" + unsubscribe.removeprefix("/u/"))).status == 404
    assert (await world.call("POST", "/u/" + preferences.removeprefix("/p/"))).status == 404


async def test_a_link_of_one_brand_opens_nothing_of_another(world, dealer, shop):
    path = await path_of(dealer)
    assert (await world.call("POST", path.replace("/u/dealer.", "/u/shop."))).status == 404


async def test_only_the_digest_of_a_link_is_stored(world, dealer):
    path = await path_of(dealer)
    (stored,) = await world.storage.documents("dealer", "unsubscribe", limit=10)
    assert path.rpartition(".")[2] not in repr(stored)


async def test_a_link_outlives_the_key_that_made_it(world, dealer):
    path = await path_of(dealer)
    key, _ = dealer.keys["all"]
    assert await world.storage.revoke_key("dealer", key.key_id, world.clock.now())
    assert (await click(world, path)).status == 200


async def test_a_link_dies_with_the_erasure_of_its_consumer(world, dealer):
    await dealer.say("channel:sms", "granted")
    paths = [await path_of(dealer), await path_of(dealer, kind="preferences")]
    erased = await dealer.call("DELETE", "/v1/consumers/cust-42")
    assert erased.status == 200, erased.body
    assert [(await world.call("GET", path)).status for path in paths] == [404, 404]


async def test_a_visitors_link_refuses_for_whom_they_turned_out_to_be(world, dealer):
    visitor = "anon_" + "v" * 22
    path = await path_of(dealer, consumer_id=visitor)
    await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})
    await click(world, path)
    await click(world, path)
    assert await dealer.reason("channel:sms") == "withdrawn"
    assert len(await dealer.history()) == 1


@pytest.mark.parametrize(
    ("wanted", "problem"),
    [
        ({"topic": "channel:smss"}, ("/links/0/topic", "unknown_topic")),
        ({"topic": "purpose:service"}, ("/links/0/topic", "not_refusable")),
        ({"topic": "purpose:marketing", "sender": "+15550100001"}, ("/links/0/sender", "invalid_value")),
        ({"consumer_id": "ann@dealer.example"}, ("/links/0/consumer_id", "personal_id")),
        ({"kind": "grant"}, ("/links/0/kind", "invalid_value")),
        ({"more": 1}, ("/links/0/more", "unknown_member")),
    ],
)
async def test_a_link_that_could_do_nothing_is_not_made(dealer, wanted, problem):
    link = {"consumer_id": "cust-42", "topic": "channel:sms"} | wanted
    answer = await dealer.call("POST", "/v1/unsubscribe-links", json={"links": [link]})
    assert (answer.status, answer.problems) == (422, [problem])


async def test_500_links_are_made_at_once_and_501_are_not(dealer):
    wanted = [{"consumer_id": f"cust-{number}", "topic": "channel:sms"} for number in range(501)]
    made = await links(dealer, *wanted[:500])
    assert len({link["url"] for link in made}) == 500
    assert [link["consumer_id"] for link in made] == [one["consumer_id"] for one in wanted[:500]]
    answer = await dealer.call("POST", "/v1/unsubscribe-links", json={"links": wanted})
    assert (answer.status, answer.problems[0][1]) == (422, "batch_too_large")


async def test_only_a_backend_makes_links(dealer):
    body = {"links": [{"consumer_id": "cust-42"}]}
    assert (await dealer.page("POST", "/v1/unsubscribe-links", json=body)).code == "token_class"
    assert (await dealer.desk("POST", "/v1/unsubscribe-links", json=body)).code == "token_class"


async def test_a_click_with_global_privacy_control_notes_it(world, dealer):
    await click(world, await path_of(dealer), headers={"Sec-GPC": "1"})
    assert (await dealer.preferences())["signals"]["gpc"]["honoured"] is True


# --- the page of preferences --------------------------------------------------------------------------------


async def test_the_page_shows_what_stands_and_refuses_but_never_grants(world, dealer):
    await dealer.say("purpose:marketing", "granted")
    path = await path_of(dealer, kind="preferences")
    page = (await world.call("GET", path)).body.decode()
    assert 'aria-label="Turn off: Offers"' in page
    assert 'aria-label="Turn off: Text messages"' not in page
    assert "Always on" in page
    assert "Dealer" in page
    answer = await click(world, path, body=b"topic=purpose%3Amarketing")
    assert answer.status == 200
    assert '<p role="status"><strong>Turned off: Offers.</strong></p>' in answer.body.decode()
    assert 'aria-label="Turn off: Offers"' not in answer.body.decode()
    assert await dealer.reason("purpose:marketing") == "withdrawn"
    assert (await dealer.history())[0]["recorded_by"] == {"key": "link:preferences", "class": "link"}


async def test_everything_can_be_refused_at_once(world, dealer):
    path = await path_of(dealer, kind="preferences")
    answer = await click(world, path, body=b"topic=*")
    assert "Turned off: everything." in answer.body.decode()
    topics = (await dealer.preferences())["topics"]
    assert {key for key, entry in topics.items() if entry["allowed"]} == {"purpose:service", "purpose:recall"}


@pytest.mark.parametrize(
    "body", [b"", b"topic=", b"topic=purpose:service", b"topic=no:such", b"\xff=\xff", b"a=1&" * 50]
)
async def test_a_form_that_names_nothing_refusable_changes_nothing(world, dealer, body):
    path = await path_of(dealer, kind="preferences")
    async with world.nothing_stored():
        answer = await click(world, path, body=body)
    assert answer.status == 200
    assert "Turned off" not in answer.body.decode()


async def test_what_a_device_keeps_from_happening_can_be_taken_back(world, dealer):
    await dealer.say("permission:location", "granted")
    page = (await world.call("GET", await path_of(dealer, kind="preferences"))).body.decode()
    assert 'aria-label="Turn off: Location"' in page


async def test_a_preferences_link_ends_after_90_days_and_an_unsubscribe_link_does_not(world, dealer):
    preferences, unsubscribe = await path_of(dealer, kind="preferences"), await path_of(dealer)
    world.clock.forward(timedelta(days=90))
    assert (await world.call("GET", preferences)).status == 404
    world.clock.forward(timedelta(days=3650))
    assert (await world.call("GET", unsubscribe)).status == 200


async def test_the_page_says_in_the_readers_language_that_the_signal_is_honoured(world, dealer):
    await dealer.call("POST", "/v1/consumers/cust-42/signals", json={"name": "gpc"})
    path = await path_of(dealer, kind="preferences")
    page = (await world.call("GET", path, headers={"Accept-Language": "es"})).body.decode()
    assert "Control Global de Privacidad" in page
    assert "<h2>Ofertas</h2>" in page
