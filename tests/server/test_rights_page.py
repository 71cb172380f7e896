"""The page `/rights`: no account, no script, and everything said before anything is sent."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from sayso.model.deadline import RequestKind
from sayso_server.pages.rights.texts import FAULTS, KINDS, PLACES, TEXTS

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

PUBLIC_ORIGIN = "https://privacy.example"
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Sec-Fetch-Site": "same-origin"}
FIELDS = {"brand": "dealer", "kind": "access", "place": "", "email": "ann@mail.example"}


async def look(world: World, language: str = "en", **query: str) -> Answered:
    return await world.call("GET", f"/rights?{urlencode({'language': language, **query})}")


async def send(world: World, headers: dict[str, str] = FORM, **fields: str) -> Answered:
    body = urlencode({**FIELDS, "language": "en", **fields})
    return await world.call("POST", "/rights", body=body.encode(), headers=headers)


async def queue(dealer: Brand) -> list[dict[str, Any]]:
    answer = await dealer.desk("GET", "/v1/requests", scope="privacy_officer")
    return list(answer.json["requests"])


async def test_brands_are_chosen_by_name_and_only_those_that_can_be_asked(world, dealer, shop):
    await world.add_brand("empty", publish=False)
    page = (await look(world)).body.decode()

    assert '<option value="dealer">Dealer</option><option value="shop">Shop</option>' in page
    assert "empty" not in page
    assert page.count('type="radio"') == len(RequestKind)


async def test_the_only_brand_is_chosen_already(world, dealer):
    assert b'<option value="dealer" selected>Dealer</option>' in (await look(world)).body


async def test_deadline_recourse_and_address_are_shown_before_anything_is_sent(world, dealer):
    page = (await look(world, brand="dealer", kind="delete", place="US-CA")).body.decode()

    assert "Nothing has been sent yet." in page
    # Received on 23 November; the policy's 30 days come before California's 45.
    assert "You get an answer by 23 December 2026 at the latest." in page
    assert "makes sure that it is you who is asking" in page
    assert "California Privacy Protection Agency" in page
    assert "privacy@dealer.example" in page
    assert await queue(dealer) == []


@pytest.mark.parametrize(("kind", "checked"), [("access", True), ("sale-opt-out", False), ("withdraw-all", False)])
async def test_a_request_by_the_page_waits_for_verification_except_opt_outs(world, dealer, kind, checked):
    assert (await send(world, kind=kind)).status == 201
    (filed,) = await queue(dealer)

    assert (filed["state"], filed["channel"], filed["consumer_id"]) == ("received", "page", None)
    assert "verified" not in filed
    fulfil = await dealer.desk("POST", f"/v1/requests/{filed['id']}/fulfil", scope="privacy_officer", json={})
    named = {"consumer_id": "cust-42"}
    start = await dealer.desk("POST", f"/v1/requests/{filed['id']}/start", scope="privacy_officer", json=named)
    assert fulfil.code == "verification_needed"
    assert (start.status == 422) is checked


async def test_what_was_sent_gets_a_reference_and_a_date(world, dealer):
    answer = await send(world, kind="correct", about="my number", fault="inaccurate", text="It changed.", name="Ann")
    (filed,) = await queue(dealer)

    assert answer.status == 201
    assert f'<strong class="reference">{filed["id"]}</strong>'.encode() in answer.body
    assert b"by 23 December 2026 at the latest" in answer.body
    assert filed["contact"] == {"email": "ann@mail.example", "name": "Ann"}
    assert filed["detail"] == {"about": "my number", "fault": "inaccurate", "text": "It changed."}
    assert filed["filed_by"] == {"key": "link:rights", "class": "link"}


async def test_the_days_that_are_named_are_those_of_the_brands_own_calendar(world, dealer, catalogue):
    await dealer.publish(catalogue | {"time_zone": "America/Los_Angeles"})
    # In California it is the evening of 22 November, and its 22 December ends at 8 o'clock of the 23rd in UTC.
    world.clock.forward(timedelta(hours=-13))

    before = await look(world, brand="dealer", kind="access")
    after = await send(world)

    assert b"by 22 December 2026 at the latest" in before.body
    assert b"by 22 December 2026 at the latest" in after.body
    assert (await queue(dealer))[0]["deadlines"]["respond_by"] == "2026-12-23T07:59:59.000000Z"


async def test_the_same_form_sent_twice_files_one_request(world, dealer):
    page = (await look(world, brand="dealer", kind="access")).body.decode()
    form_id = re.search(r'name="id" value="([^"]+)"', page)[1]
    first, second = await send(world, id=form_id), await send(world, id=form_id)

    assert [first.status, second.status] == [201, 201]
    assert [one["id"] for one in await queue(dealer)] == [form_id]


async def test_who_goes_back_changes_the_form_and_sends_it_again_files_another_request(world, dealer):
    page = (await look(world, brand="dealer", kind="access")).body.decode()
    form_id = re.search(r'name="id" value="([^"]+)"', page)[1]
    await send(world, id=form_id)
    changed = await send(world, id=form_id, email="ann@home.example")
    filed = await queue(dealer)

    assert changed.status == 201
    assert [one["contact"]["email"] for one in filed if one["id"] == form_id] == ["ann@mail.example"]
    assert [one["contact"]["email"] for one in filed if one["id"] != form_id] == ["ann@home.example"]


async def test_a_form_that_arrives_in_pieces_is_read_whole(world, dealer):
    body = urlencode({**FIELDS, "language": "en", "text": "The end of it matters."}).encode()
    answer = await world.send_in_pieces("/rights", body[:-10], body[-10:])
    (filed,) = await queue(dealer)

    assert answer.startswith(b"HTTP/1.1 201 ")
    assert filed["detail"] == {"text": "The end of it matters."}


async def test_what_is_to_stop_and_waits_for_a_name_stands_first_in_the_queue(world, dealer):
    for kind in ("delete", "sale-opt-out", "access", "withdraw-all"):
        await send(world, kind=kind)
        world.clock.forward(timedelta(minutes=1))
    first, second, *rest = await queue(dealer)

    assert [first["kind"], second["kind"]] == ["sale-opt-out", "withdraw-all"]
    assert {one["kind"] for one in rest} == {"delete", "access"}
    # The date that the law sets stays what it is.
    assert first["due_at"] == first["deadlines"]["respond_by"]


async def test_what_is_to_stop_stops_when_it_is_named_without_any_verification(world, dealer):
    await send(world, kind="sale-opt-out")
    await send(world, kind="access")
    stop, _ = await queue(dealer)
    named = {"consumer_id": "cust-42"}
    started = await dealer.desk("POST", f"/v1/requests/{stop['id']}/start", scope="privacy_officer", json=named)

    assert started.status == 200
    assert await dealer.reason("purpose:ads") == "denied"
    assert [one["kind"] for one in await queue(dealer)] == ["access", "sale-opt-out"]


async def test_what_is_missing_is_said_beside_the_field_and_what_was_typed_is_kept(world, dealer):
    answer = await send(world, kind="correct", email="", name="Ann <b>")
    page = answer.body.decode()

    assert answer.status == 422
    assert '<a href="#about">“What is wrong?” is missing.</a>' in page
    assert 'id="about" name="about"' in page
    assert 'aria-describedby="about-hint about-wrong" aria-invalid="true"' in page
    assert "else nobody can answer you" in page
    assert 'value="Ann &lt;b&gt;"' in page
    assert await queue(dealer) == []


@pytest.mark.parametrize(("kind", "needed"), [("sms-opt-out", "Phone number"), ("email-opt-out", "E-mail address")])
async def test_what_is_to_stop_needs_the_address_that_it_goes_to(world, dealer, kind, needed):
    answer = await send(world, kind=kind, email="", phone="", address="1 Main Street")

    assert answer.status == 422
    assert f"“{needed}” is missing." in answer.body.decode()


async def test_addresses_of_what_a_minor_posted_are_taken_one_by_one(world, dealer):
    urls = "https://forum.example/1\r\nhttps://forum.example/2\r\n"
    assert (await send(world, kind="minor-content-removal", urls=urls)).status == 201

    (filed,) = await queue(dealer)
    assert filed["detail"]["urls"] == {"https://forum.example/1": "open", "https://forum.example/2": "open"}


@pytest.mark.parametrize("language", ["en", "es", "fr"])
@pytest.mark.parametrize("kind", list(RequestKind))
async def test_each_kind_is_explained_in_each_language(world, dealer, kind, language):
    page = await look(world, language, brand="dealer", kind=kind.value, place="FR" if language == "fr" else "EEA")
    if language == "fr":  # a place that the form doesn't offer
        assert page.status == 422
        page = await look(world, language, brand="dealer", kind=kind.value, place="EEA")

    assert page.status == 200
    title, meaning = KINDS[kind][language]
    assert f"<h1>{title}</h1>" in page.body.decode()
    assert meaning in page.body.decode()
    assert f'<html lang="{language}">'.encode() in page.body


def test_no_language_lacks_a_text():
    assert TEXTS["es"].keys() == TEXTS["en"].keys() == TEXTS["fr"].keys()
    assert set(KINDS) == set(RequestKind)
    for table in (*KINDS.values(), *PLACES.values(), *FAULTS.values()):
        assert set(table) == {"en", "es", "fr"}


async def test_the_browsers_language_counts_until_another_is_chosen(world, dealer):
    spanish = await world.call("GET", "/rights", headers={"Accept-Language": "es-MX,en;q=0.5"})
    french = await world.call("GET", "/rights?language=fr", headers={"Accept-Language": "es-MX"})

    assert b'<html lang="es">' in spanish.body
    assert b'<html lang="fr">' in french.body


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Sec-Fetch-Site": "cross-site", "Origin": PUBLIC_ORIGIN},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
    ],
)
async def test_another_sites_form_files_nothing(world, dealer, headers):
    plain = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = await send(world, plain | headers)

    assert answer.status == 403
    assert b"was not sent from this page" in answer.body
    assert await queue(dealer) == []


@pytest.mark.parametrize("headers", [{}, {"Origin": PUBLIC_ORIGIN}])
async def test_an_old_browser_without_fetch_metadata_can_ask(world, dealer, headers):
    plain = {"Content-Type": "application/x-www-form-urlencoded"}

    assert (await send(world, plain | headers)).status == 201


async def test_an_eleventh_at_once_is_told_when_and_where_else_to_ask(world, dealer):
    statuses = [(await send(world)).status for _ in range(10)]
    busy = await send(world)

    assert statuses == [201] * 10
    assert (busy.status, busy.headers["Retry-After"]) == (429, "120")
    assert b"Try again in 2 minutes" in busy.body
    assert b"privacy@dealer.example" in busy.body
    assert b"1 Main Street" in busy.body
    assert len(await queue(dealer)) == 10
    world.clock.forward(timedelta(minutes=2))
    assert (await send(world)).status == 201


async def test_looking_is_never_limited(world, dealer):
    for _ in range(15):
        assert (await look(world, brand="dealer", kind="access")).status == 200


async def test_global_privacy_control_is_shown_as_honoured(world, dealer):
    headers = {"Sec-GPC": "1"}
    with_it = await world.call("GET", "/rights?brand=dealer&kind=sale-opt-out&language=en", headers=headers)
    without = await look(world, brand="dealer", kind="sale-opt-out")

    assert b"Your browser sends Global Privacy Control" in with_it.body
    assert b"Global Privacy Control" not in without.body


async def test_the_page_runs_no_script_and_sets_no_cookie(world, dealer):
    page = await look(world)

    assert "script-src" not in page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert b"<script" not in page.body
    assert "Set-Cookie" not in page.headers
    assert (await world.call("GET", "/plain.css")).headers["Content-Type"] == "text/css; charset=utf-8"


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe", b"&".join(b"a=%d" % n for n in range(99)), b"brand=dealer&kind=nothing", b"x" * 70_000]
)
async def test_a_body_of_nonsense_is_answered_with_the_form(world, dealer, body):
    answer = await world.call("POST", "/rights", body=body, headers=FORM)

    assert answer.status in {413, 422}
    assert await queue(dealer) == []
