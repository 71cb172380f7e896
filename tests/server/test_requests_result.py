"""What a request for a copy is answered with, and what an erasure leaves of requests."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sayso.model.choice import Answer, Method
from sayso.model.disclosure import GuardAnswer
from sayso.model.ids import new_anonymous_id
from sayso.model.request import RequestState
from sayso.model.topic_key import Flow
from sayso_server.services.request_page import Names
from sayso_server.services.request_result import make_result
from sayso_server.services.request_words import PLAIN
from sayso_server.storage.base import StorageUnavailableError

if TYPE_CHECKING:
    from tests.server.conftest import Answered, Brand, World

ALL = "/v1/requests"


async def filed(brand: Brand, kind: str, **members: Any) -> str:
    answer = await brand.call("POST", ALL, json={"kind": kind, "consumer_id": "cust-42"} | members)
    assert answer.status == 201, answer.body
    return str(answer.json["id"])


async def fulfil(brand: Brand, request_id: str, **body: Any) -> Answered:
    answer = await brand.call("POST", f"{ALL}/{request_id}/fulfil", json=body)
    assert answer.status == 200, answer.body
    return answer


def unpacked(body: bytes) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name).decode("utf-8-sig") for name in archive.namelist()}


def rows(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
@pytest.mark.parametrize("kind", ["access", "copy", "transfer"])
async def test_a_copy_is_a_zip_for_programs_spreadsheets_and_people(dealer: Brand, make_choice: Any, kind: str) -> None:
    await dealer.recorded(make_choice("purpose:marketing", "granted"), make_choice("channel:sms", "denied"))
    disclosure = {
        "id": "0198f3a0-0000-7000-8000-00000000000d",
        "consumer_id": "cust-42",
        "partner": "vinsolutions",
        "flow": "share",
        "answer": "send_redacted",
        "fields_sent": ["vehicle"],
        "fields_held_back": ["email"],
        "at": "2026-11-23T18:00:00Z",
    }
    assert (await dealer.call("POST", "/v1/disclosures", json={"disclosures": [disclosure]})).status == 201
    request_id = await filed(dealer, kind, language="es")
    await fulfil(dealer, request_id)

    answer = await dealer.page("GET", f"/v1/me/requests/{request_id}/result")

    assert answer.status == 200
    assert answer.headers["Content-Type"] == "application/zip"
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="your-data.zip"'
    files = unpacked(answer.body)
    assert sorted(files) == [
        "choices.csv",
        "disclosures.csv",
        "index.html",
        "preferences.csv",
        "requests.csv",
        "sayso.json",
    ]
    held = json.loads(files["sayso.json"])
    assert held["consumer_id"] == "cust-42"
    assert [change["topic"] for change in held["changes"]] == ["purpose:marketing", "channel:sms"]
    assert held["requests"][0]["id"] == request_id
    assert [row[:2] for row in rows(files["choices.csv"])] == [
        ["topic", "answer"],
        ["purpose:marketing", "granted"],
        ["channel:sms", "denied"],
    ]
    assert ["purpose:marketing", "yes", "granted"] in [row[:3] for row in rows(files["preferences.csv"])]
    assert rows(files["disclosures.csv"])[1][1:] == ["vinsolutions", "share", "send_redacted", "vehicle", "email"]
    assert rows(files["requests.csv"])[1][1:3] == [kind, "fulfilled"]
    page = files["index.html"]
    assert '<html lang="es">' in page
    assert "Qué se conserva sobre usted" in page
    for words in (
        "<td>VinSolutions",
        "<td>entregado en parte</td>",
        "<td>23 de noviembre de 2026, 18:00 UTC</td>",
        "<td>aceptado</td>",
        "está permitido: concedido el 2026-11-23 19:00 UTC",
    ):
        assert words in page
    assert "<td>purpose:marketing</td>" not in page


class Reader(HTMLParser):
    """Notes every tag and every place that something could be loaded from."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.loads += [name for name, _ in attrs if name in {"src", "href", "action"} or name.startswith("on")]


def export_of(**changes: Any) -> bytes:
    held: dict[str, Any] = {
        "consumer_id": "cust-42",
        "exported_at": "2026-11-23T19:00:00.000000Z",
        "preferences": {"topics": {}},
        "linked_from": {},
        "changes": [],
        "disclosures": [],
        "requests": [],
    }
    return json.dumps(held | changes).encode()


def test_nothing_that_was_recorded_runs_when_it_is_opened() -> None:
    bad = '<script src="https://x.example"></script><img onerror=alert(1)>'
    change = {"kind": "choice", "topic": bad, "answer": bad, "made_at": bad, "method": bad, "recorded_by": {}}

    page = unpacked(make_result(export_of(changes=[change]), language="en"))["index.html"]

    reader = Reader()
    reader.feed(page)
    assert (reader.tags & {"script", "img", "iframe", "link", "form"}, reader.loads) == (set(), [])
    assert "&lt;script src=" in page
    assert "default-src 'none'" in page


def test_the_page_names_topics_and_says_why_in_the_readers_words() -> None:
    topics = {
        "purpose:ads": {"allowed": False, "reason": "requires:purpose:marketing"},
        "purpose:gone": {"allowed": False, "reason": "not_asked"},
    }
    choice = {
        "kind": "choice",
        "topic": "purpose:ads",
        "answer": "denied",
        "made_at": "2026-11-23T19:04:00.000000Z",
        "method": "phone",
        "notice": {"version": 3, "language": "fr"},
        "recorded_by": {},
    }
    request = {"received_at": "2026-01-02T09:30:00.000000Z", "kind": "copy", "state": "in_progress", "events": []}
    titles = {
        "purpose:ads": {"en": "Advertising", "fr": "Publicité"},
        "purpose:marketing": {"en": "News and offers", "fr": "Nouvelles et offres"},
    }

    packed = make_result(
        export_of(preferences={"topics": topics}, changes=[choice], requests=[request]),
        language="fr-CA",
        names=Names(titles, {}),
    )

    files = unpacked(packed)
    for words in (
        "<td>Publicité</td><td>non</td><td>« Publicité » n&#x27;est pas permis : cela exige « Nouvelles et offres »",
        "<td>purpose:gone</td><td>non</td>",
        "<td>Publicité</td><td>refusé</td><td>23 novembre 2026, 19:04 UTC</td><td>par téléphone</td>"
        "<td>version 3, fr</td>",
        "<td>2 janvier 2026, 09:30 UTC</td><td>Obtenir une copie de mes données</td><td>en cours</td>",
    ):
        assert words in files["index.html"]
    heading, row = rows(files["choices.csv"])
    assert dict(zip(heading, row, strict=True))["notice_version"] == "3"
    assert dict(zip(heading, row, strict=True))["notice_language"] == "fr"


def test_everything_that_can_be_recorded_has_words_in_each_language() -> None:
    for words in PLAIN.values():
        assert set(words["answer"]) == {*Answer, *GuardAnswer}
        assert set(words["method"]) == set(Method)
        assert set(words["flow"]) == set(Flow)
        assert set(words["state"]) == set(RequestState)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@cmd", "\t=1", "\r=1"])
def test_a_spreadsheet_runs_nothing_that_was_recorded(text: str) -> None:
    change = {"kind": "choice", "topic": text, "answer": "denied", "recorded_by": {}}

    files = unpacked(make_result(export_of(changes=[change]), language="en"))

    assert rows(files["choices.csv"])[1][0] == f"'{text}"


@pytest.mark.parametrize(("language", "shown"), [("en", "en"), ("fr-CA", "fr"), ("es", "es"), ("de", "en")])
def test_the_page_is_in_the_readers_language_if_it_can_be(language: str, shown: str) -> None:
    page = unpacked(make_result(export_of(), language=language))["index.html"]

    assert f'<html lang="{shown}">' in page


async def test_a_copy_names_no_staff_and_none_of_their_remarks(dealer: Brand, make_choice: Any) -> None:
    said = make_choice("channel:sms", "denied", method="phone")
    assert (await dealer.desk("POST", "/v1/choices", json={"choices": [said]})).status == 201
    request_id = await filed(dealer, "copy")
    noted = {"note": "Knows the boss."}
    assert (await dealer.desk("POST", f"{ALL}/{request_id}/note", scope="privacy_officer", json=noted)).status == 200
    await fulfil(dealer, request_id)

    answer = await dealer.page("GET", f"/v1/me/requests/{request_id}/result")

    text = unpacked(answer.body)["sayso.json"]
    assert '"ann"' not in text
    assert "Knows the boss" not in text


async def test_a_copy_takes_a_token_once_and_ends_after_30_days(dealer: Brand, world: World) -> None:
    request_id = await filed(dealer, "copy")
    early = await dealer.page("GET", f"/v1/me/requests/{request_id}/result")
    shown = (await fulfil(dealer, request_id)).json
    token = dealer.consumer("cust-42")

    first = await dealer.page("GET", f"/v1/me/requests/{request_id}/result", token=token)
    second = await dealer.page("GET", f"/v1/me/requests/{request_id}/result", token=token)
    world.clock.forward(timedelta(days=30))
    late = await dealer.page("GET", f"/v1/me/requests/{request_id}/result")

    assert shown["result_until"] == "2026-12-23T19:00:00.000000Z"
    assert [(one.status, one.code) for one in (early, second, late)] == [
        (404, "no_result"),
        (401, "token_used"),
        (404, "no_result"),
    ]
    assert first.status == 200


async def test_only_a_request_for_a_copy_is_answered_with_one(dealer: Brand) -> None:
    request_id = await filed(dealer, "object")
    await fulfil(dealer, request_id)

    answer = await dealer.call("GET", f"{ALL}/{request_id}/result")

    assert (answer.status, answer.code) == (404, "no_result")


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("storage_kind", ["sqlite"])
async def test_a_copy_leaves_no_file_on_the_server(dealer: Brand, tmp_path: Path) -> None:
    request_id = await filed(dealer, "copy")
    await fulfil(dealer, request_id)
    before = names_in(tmp_path)

    assert (await dealer.call("GET", f"{ALL}/{request_id}/result")).status == 200

    assert names_in(tmp_path) == before


@pytest.mark.parametrize("storage_kind", ["memory", "sqlite"])
async def test_fulfilling_a_request_to_delete_erases(dealer: Brand, world: World) -> None:
    await dealer.say("purpose:marketing", "granted")
    await dealer.say("purpose:ads", "denied")
    contact = {"email": "ann@mail.example", "phone": "+15550100142"}
    earlier = await filed(dealer, "copy", contact=contact)
    await fulfil(dealer, earlier, answer="Sent to your new flat.")
    pending = await filed(dealer, "access", contact=contact)
    request_id = await filed(dealer, "delete", contact=contact, detail={"text": "I moved to Springfield."})
    world.clock.forward(timedelta(seconds=1))

    done = await fulfil(dealer, request_id, answer="Gone.", note="As she asked.")

    assert (done.json["state"], done.json["consumer_id"], done.json["contact"], done.json["detail"]) == (
        "fulfilled",
        None,
        {},
        {},
    )
    assert await dealer.reason("purpose:marketing") in {"erased", "not_asked"}
    assert await dealer.reason("purpose:ads") in {"erased", "denied"}
    assert (await dealer.call("GET", f"{ALL}/{pending}")).code == "no_request"
    kept = (await dealer.call("GET", f"{ALL}/{earlier}")).json
    assert (kept["state"], kept["consumer_id"], kept["contact"]) == ("fulfilled", None, {})
    documents = await world.storage.documents("dealer", "request", limit=10)
    assert {one.document_id for one in documents} == {earlier, request_id}
    for document in documents:
        assert (document.consumer_id, document.marks) == (None, ())
        for word in (b"cust-42", b"ann@mail", b"0100142", b"Springfield", b"new flat", b"Gone.", b"As she asked"):
            assert word not in document.body
    found = await dealer.desk("POST", f"{ALL}/find", scope="privacy_officer", json={"email": "ann@mail.example"})
    assert found.json["requests"] == []


async def test_an_erasure_is_carried_out_once(dealer: Brand) -> None:
    request_id = await filed(dealer, "delete")
    await fulfil(dealer, request_id)

    answer = await dealer.desk("POST", f"{ALL}/{request_id}/fulfil", scope="privacy_officer", json={})

    assert (answer.status, answer.code, answer.json["legal"]) == (409, "transition_illegal", [])


async def test_a_consumers_token_files_an_erasure_and_carries_none_out(dealer: Brand) -> None:
    await dealer.say("purpose:marketing", "granted")
    answer = await dealer.page("POST", "/v1/me/requests", json={"kind": "delete"})

    request_id = answer.json["id"]
    for path in (f"/v1/me/requests/{request_id}/fulfil", f"{ALL}/{request_id}/fulfil"):
        assert (await dealer.page("POST", path, json={})).status in {403, 404}
    assert await dealer.reason("purpose:marketing") == "granted"


async def test_what_is_closed_is_kept_for_two_years_and_then_goes(dealer: Brand, world: World) -> None:
    closed, still_open = await filed(dealer, "object"), await filed(dealer, "access")
    await fulfil(dealer, closed)
    ends = timedelta(days=731)

    world.clock.forward(ends - timedelta(seconds=1))
    assert await world.storage.delete_expired(world.clock.now(), 10) == 0
    world.clock.forward(timedelta(seconds=1))
    assert await world.storage.delete_expired(world.clock.now(), 10) == 1

    (left,) = await world.storage.documents("dealer", "request", limit=10)
    assert left.document_id == still_open


async def test_the_catalogue_says_how_long_requests_are_kept(
    dealer: Brand, world: World, catalogue: dict[str, Any]
) -> None:
    ground = {"en": "To show that we answered.", "es": "Para mostrar que respondimos."}
    title = {"en": "Requests", "es": "Solicitudes"}
    catalogue["retention"]["requests"] = {
        "period": "P90D",
        "start": "request_closed",
        "title": title,
        "ground": ground,
    }
    assert (await dealer.publish(catalogue)).status == 201
    await fulfil(dealer, await filed(dealer, "object"))

    world.clock.forward(timedelta(days=90))

    assert await world.storage.delete_expired(world.clock.now(), 10) == 1


async def test_a_restriction_in_force_keeps_its_request(dealer: Brand, world: World) -> None:
    await fulfil(dealer, await filed(dealer, "restrict"))

    world.clock.forward(timedelta(days=5000))

    assert await world.storage.delete_expired(world.clock.now(), 10) == 0


@contextmanager
def no_room_for_documents(world: World) -> Iterator[None]:
    """Let the disk be full where a request would be stored, for as long as the block runs."""

    async def refuse(*_: Any, **__: Any) -> Any:
        raise StorageUnavailableError

    storage: Any = world.storage
    storage.change_documents = refuse
    yield
    del storage.change_documents


async def test_a_copy_does_not_tell_the_reason_that_a_law_bars_from_being_told(dealer: Brand) -> None:
    copy_id, denied_id = await filed(dealer, "copy"), await filed(dealer, "access")
    await fulfil(dealer, copy_id)
    body = {"reason": "suspected_fraud", "barred_by": "The Act on Ongoing Inquiries, s. 5"}
    officer = dealer.backend("privacy_officer")
    assert (await dealer.call("POST", f"{ALL}/{denied_id}/deny", token=officer, json=body)).status == 200

    packed = (await dealer.page("GET", f"/v1/me/requests/{copy_id}/result")).body

    files = unpacked(packed)
    assert "Ongoing Inquiries" in files["sayso.json"]
    assert not [name for name, text in files.items() if "suspected_fraud" in text]


async def test_what_a_visitor_was_to_get_is_not_the_account_that_they_became(dealer: Brand) -> None:
    visitor = new_anonymous_id()
    request = (await dealer.page("POST", "/v1/me/requests", json={"kind": "copy"}, sub=visitor)).json
    await fulfil(dealer, request["id"])
    assert (await dealer.call("GET", f"{ALL}/{request['id']}/result")).status == 200

    await dealer.call("POST", "/v1/consumers/cust-42/links", json={"anonymous_id": visitor})

    answer = await dealer.call("GET", f"{ALL}/{request['id']}/result")
    assert (answer.status, answer.code) == (404, "no_result")
    assert (await dealer.page("GET", f"/v1/me/requests/{request['id']}/result")).status == 200


async def test_a_filing_that_was_cut_short_has_stopped_what_it_stops_and_is_filed_by_sending_it_again(
    dealer: Brand, world: World
) -> None:
    body = {"kind": "object", "consumer_id": "cust-42", "id": "01890a5d-ac96-774b-bcce-b302099a8057"}
    with no_room_for_documents(world):
        cut = await dealer.call("POST", ALL, json=body)

    assert cut.status == 503
    assert await dealer.reason("purpose:ads") == "denied"
    again = await dealer.call("POST", ALL, json=body)
    assert (again.status, again.json["replayed"]) == (201, False)
    assert len(await dealer.history()) == len(again.json["effects"]["refused"])


async def test_an_erasure_that_was_cut_short_is_finished_by_fulfilling_it_again(dealer: Brand, world: World) -> None:
    await dealer.say("purpose:marketing", "granted")
    request_id = await filed(dealer, "delete", contact={"email": "ann@mail.example"})
    with no_room_for_documents(world):
        cut = await dealer.call("POST", f"{ALL}/{request_id}/fulfil", json={})

    assert cut.status == 503
    assert await dealer.history() == []
    left = (await dealer.call("GET", f"{ALL}/{request_id}")).json
    assert (left["state"], left["consumer_id"], left["contact"]) == ("received", None, {})
    done = await fulfil(dealer, request_id)
    assert done.json["state"] == "fulfilled"


async def test_what_stays_of_a_restriction_after_an_erasure_comes_to_its_end(dealer: Brand, world: World) -> None:
    request_id = await filed(dealer, "restrict")
    await fulfil(dealer, request_id)
    assert (await dealer.call("DELETE", "/v1/consumers/cust-42")).status == 200

    stored = await world.storage.document("dealer", "request", request_id)

    assert stored is not None
    assert stored.expires_at == world.clock.now() + 731 * 24 * 3600 * 1_000_000
