"""The demo: a day at a dealer, its parsers, and the report that it writes."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from html.parser import HTMLParser
from pathlib import Path

import pytest

import sayso

EXAMPLE = Path(__file__).parents[2] / "examples" / "automotive"
sys.path.insert(0, str(EXAMPLE))

from dealer_day.book import Book  # noqa: E402 - an example is no installed package
from dealer_day.day import DayError, read_day  # noqa: E402
from dealer_day.happenings import (  # noqa: E402
    Aged,
    By,
    Chose,
    Introduced,
    Noticed,
    Pinned,
    Renumbered,
    Reported,
    Signalled,
    SignedIn,
    Who,
)
from dealer_day.outcome import Outcome  # noqa: E402
from dealer_day.platforms import PARSERS  # noqa: E402
from dealer_day.platforms.liveperson import asks_to_stop_texting  # noqa: E402
from dealer_day.play import Entry, Track  # noqa: E402
from dealer_day.report.markup import tag  # noqa: E402
from dealer_day.report.page import LastWord, day_span, report_page  # noqa: E402
from dealer_day.shape import Shape, ShapeError  # noqa: E402

DAY = EXAMPLE / "day.jsonl"
AT = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KEY = "a key made for this test"
CALLER = Who(By.PHONE, "+12025550111")


def parsed(platform, payload, **headers):
    return PARSERS[platform](Shape(payload), {name.replace("_", "-"): value for name, value in headers.items()}, AT)


# --- the parsers ---


def sms(body, **more):
    return {"MessageSid": "SM1", "From": "+12025550111", "To": "+12025550142", "Body": body, **more}


@pytest.mark.parametrize(
    ("form", "answer"),
    [
        (sms("STOP"), "denied"),
        (sms("please stop"), "denied"),
        (sms("whatever", OptOutType="STOP"), "denied"),
        (sms("START"), "granted"),
        (sms("start", OptOutType="START"), "granted"),
    ],
)
def test_a_text_that_stops_or_starts_is_a_choice_about_texting(form, answer):
    choice = Chose(CALLER, AT, "channel:sms", answer, "sms", "twilio:SM1", detail={"sender": "+12025550142"})
    assert parsed("twilio", form) == [choice]


@pytest.mark.parametrize(
    ("form", "what"),
    [
        (sms("HELP"), "asked for HELP"),
        (sms("yes"), "sent a text"),
        (sms("Is my car ready?"), "sent a text"),
    ],
)
def test_help_a_question_and_a_yes_that_nobody_asked_for_are_no_choices(form, what):
    assert parsed("twilio", form) == [Noticed(CALLER, AT, what)]


def whatsapp(field, **value):
    return {
        "object": "whatsapp_business_account",
        "entry": [{"id": "1", "changes": [{"field": field, "value": value}]}],
    }


def whatsapp_message(**message):
    return whatsapp(
        "messages",
        messages=[{"from": "12025550111", "id": "wamid.A", "timestamp": str(int(AT.timestamp())), **message}],
    )


@pytest.mark.parametrize(("value", "answer"), [("stop", "denied"), ("resume", "granted")])
def test_whatsapps_own_marketing_setting_is_a_choice_of_the_contact_not_of_the_number_beside_it(value, answer):
    preference = {"wa_id": "13055550199", "category": "marketing_messages", "value": value, "timestamp": 1_795_000_000}
    payload = whatsapp("user_preferences", contacts=[{"wa_id": "12025550111"}], user_preferences=[preference])
    (choice,) = parsed("whatsapp", payload)
    assert (choice.who, choice.topic, choice.answer) == (CALLER, "channel:whatsapp", answer)
    assert choice.at == datetime.fromtimestamp(1_795_000_000, UTC)


def test_whatsapp_messages_are_places_new_numbers_stops_or_nothing():
    place = whatsapp_message(type="location", location={"latitude": 38.5, "longitude": -77})
    assert parsed("whatsapp", place) == [Pinned(CALLER, AT, 38.5, -77)]
    moved = whatsapp_message(type="system", system={"type": "user_changed_number", "wa_id": "12025550112"})
    assert parsed("whatsapp", moved) == [Renumbered(CALLER, AT, Who(By.PHONE, "+12025550112"))]
    (stop,) = parsed("whatsapp", whatsapp_message(type="text", text={"body": "Stop"}))
    assert (stop.topic, stop.answer, stop.event_id) == ("channel:whatsapp", "denied", "whatsapp:wamid.A")
    hello = whatsapp_message(type="text", text={"body": "Hello"})
    assert parsed("whatsapp", hello) == [Noticed(CALLER, AT, "sent a WhatsApp message")]


def chat(message, role="CONSUMER", kind="ContentEvent"):
    change = {
        "sequence": 3,
        "originatorMetadata": {"id": "participant-1", "role": role},
        "serverTimestamp": int(AT.timestamp() * 1000),
        "event": {"type": kind, "message": message, "chatState": "COMPOSING"},
        "conversationId": "conversation-1",
    }
    return {"kind": "notification", "type": "ms.MessagingEventNotification", "body": {"changes": [change]}}


def test_stop_texting_me_typed_in_the_chat_refuses_texts():
    (choice,) = parsed("liveperson", chat("Thanks. And please stop texting me."))
    assert (choice.who, choice.topic, choice.answer) == (Who(By.CHAT, "participant-1"), "channel:sms", "denied")
    assert (choice.at, choice.event_id) == (AT, "liveperson:conversation-1:3")


def test_what_an_agent_says_and_who_is_typing_is_nobodys_choice():
    assert parsed("liveperson", chat("I will stop texting you", role="ASSIGNED_AGENT")) == []
    assert parsed("liveperson", chat("", kind="ChatStateEvent")) == []


@pytest.mark.parametrize(
    "message", ["Don’t  text me", "no more texts, please", "I don't want any more SMS", "STOP SMS"]
)
def test_any_wording_that_refuses_texts_counts(message):
    assert asks_to_stop_texting(message)


@pytest.mark.parametrize(
    "message", ["You may text me", "Please stop by", "I don't mind texts", "Does the bus stop here?"]
)
def test_a_stop_that_is_about_something_else_is_left_alone(message):
    assert not asks_to_stop_texting(message)


def test_a_conversation_that_opens_names_its_consumers_only():
    people = [{"id": "participant-1", "role": "CONSUMER"}, {"id": "agent-1", "role": "ASSIGNED_AGENT"}]
    result = {"convId": "c", "conversationDetails": {"state": "OPEN", "participants": people}}
    payload = {
        "type": "cqm.ExConversationChangeNotification",
        "body": {"changes": [{"type": "UPSERT", "result": result}]},
    }
    assert parsed("liveperson", payload) == [Noticed(Who(By.CHAT, "participant-1"), AT, "opened a chat")]


@pytest.mark.parametrize(
    ("platform", "states"),
    [
        ("react-native-permissions", {"checkMultiple": {"ios.permission.CAMERA": "granted"}}),
        ("expo", {"camera": {"status": "denied", "granted": False, "canAskAgain": True, "expires": "never"}}),
        ("flutter", {"camera": "granted"}),
        ("flutter", {"Permission.camera": "PermissionStatus.granted"}),
        ("flutter", {"1": 1}),
        ("capacitor", {"Camera": {"camera": "prompt"}}),
    ],
)
def test_a_permission_report_is_passed_on_exactly_as_the_library_gave_it(platform, states):
    payload = {"customer": "cust-42", "device": "pixel-8", "observed_at": "2026-11-20T03:00:00-05:00", "states": states}
    observed = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    assert parsed(platform, payload) == [Reported(Who(By.CUSTOMER, "cust-42"), observed, "pixel-8", platform, states)]


VISITOR = "anon_k3p9QwXz7RtYb2LmNc8VdA"


@pytest.mark.parametrize(
    ("headers", "signals"),
    [({"Sec_GPC": "1"}, ["gpc"]), ({"Sec_GPC": "0"}, []), ({"Sec_GPC": "true"}, []), ({"DNT": "1"}, ["dnt"]), ({}, [])],
)
def test_a_page_view_signals_only_by_an_exact_1(headers, signals):
    found = parsed("web", {"event": "page_viewed", "visitor": VISITOR, "page": "/"}, **headers)
    assert [happening.name for happening in found if isinstance(happening, Signalled)] == signals


def test_an_answer_in_the_panel_keeps_precision_length_and_what_it_overrides():
    answers = [
        {"topic": "permission:location", "answer": "granted", "precision": "city", "for_hours": 2, "overrides": ["gpc"]}
    ]
    payload = {"event": "choices_made", "event_id": "e1", "customer": "cust-42", "language": "es", "choices": answers}
    assert parsed("web", payload) == [
        Chose(
            Who(By.CUSTOMER, "cust-42"),
            AT,
            "permission:location",
            "granted",
            "widget",
            "web:e1:permission:location",
            language="es",
            expires_after=timedelta(hours=2),
            overrides=("gpc",),
            detail={"precision": "city"},
        )
    ]


def test_signing_in_links_the_visitor_to_the_customer():
    found = parsed("web", {"event": "signed_in", "visitor": VISITOR, "customer": "cust-42"})
    assert found == [SignedIn(Who(By.CUSTOMER, "cust-42"), AT, VISITOR)]


@pytest.mark.parametrize("wrong", [timedelta(hours=-3), timedelta(0), timedelta(hours=4)])
def test_an_offline_choice_is_dated_by_how_long_it_waited_whatever_the_phones_clock_says(wrong):
    sent = AT + wrong
    choices = [
        {
            "id": "o1",
            "topic": "purpose:surveys",
            "answer": "denied",
            "made_at": (sent - timedelta(minutes=80)).isoformat(),
        }
    ]
    payload = {"event": "choices_synced", "customer": "cust-71", "device": "moto-g84", "language": "en"}
    (choice,) = parsed("app", {**payload, "sent_at": sent.isoformat(), "choices": choices})
    assert choice.at == datetime(2026, 11, 20, 7, 40, tzinfo=UTC)


def test_an_age_signal_is_a_band():
    payload = {
        "event": "age_signal",
        "customer": "cust-119",
        "ageSignals": {"userStatus": "SUPERVISED", "ageUpper": 12},
    }
    assert parsed("app", payload) == [Aged(Who(By.CUSTOMER, "cust-119"), AT, None, 12, "os_signal", "play-age-signals")]


def test_a_row_of_an_imported_list_is_the_brands_word_and_not_the_persons():
    rows = [{"phone": "+12025550111", "topic": "channel:sms"}]
    asked = {"list": "fair-2024", "asked": "Yes, text me offers.", "asked_on": "2024-05-04", "kept_in": "paper form"}
    (choice,) = parsed("crm", {"event": "list_imported", "import_id": "old", "rows": rows, **asked})
    assert (choice.who, choice.answer, choice.actor, choice.method) == (CALLER, "granted", "brand", "import")
    assert choice.evidence == {
        "kind": "list",
        "ref": "fair-2024",
        "wording": "Yes, text me offers.",
        "date": "2024-05-04",
        "source": "paper form",
    }


@pytest.mark.parametrize(
    ("platform", "payload", "message"),
    [
        ("twilio", {"Body": "STOP"}, "payload.From is missing"),
        ("twilio", sms("x", OptOutType="MAYBE"), "payload.OptOutType is none of STOP, START, HELP"),
        ("whatsapp", {"entry": {}}, "payload.entry is no list"),
        (
            "whatsapp",
            whatsapp("messages", messages=[{}]),
            "payload.entry[0].changes[0].value.messages[0].from is missing",
        ),
        ("whatsapp", whatsapp("user_preferences", contacts=[]), "payload.entry[0].changes[0].value.contacts is empty"),
        (
            "liveperson",
            chat("x", kind="Surprise"),
            "payload.body.changes[0].event.type is none of ContentEvent, ChatStateEvent, AcceptStatusEvent",
        ),
        (
            "expo",
            {"customer": "cust-42", "device": "d", "observed_at": "2026-11-20T03:00:00"},
            "payload.observed_at is a time",
        ),
        ("web", {"event": "page_viewed"}, "payload.customer is missing"),
        ("app", {"customer": 42}, "payload.customer is no text"),
    ],
)
def test_a_payload_of_another_shape_is_refused_naming_the_path(platform, payload, message):
    with pytest.raises(ShapeError, match=f"^{re.escape(message)}"):
        parsed(platform, payload)


# --- the address book ---


def test_a_number_in_no_record_is_a_pseudonym_and_a_new_number_leads_to_the_same_consumer():
    book = Book(KEY)
    unknown = book.consumer_id(CALLER)
    assert unknown == sayso.pseudonym("phone:+12025550111", key=KEY)
    book.introduce(Introduced(Who(By.CUSTOMER, "cust-42"), AT, (CALLER,), "Ann", "en"))
    assert book.consumer_id(CALLER) == "cust-42"
    new = Who(By.PHONE, "+12025550112")
    book.renumber(Renumbered(CALLER, AT, new))
    assert (book.consumer_id(new), book.consumer_id(CALLER)) == ("cust-42", unknown)


def test_a_person_never_prints_with_their_number():
    assert "2025550111" not in repr(Chose(CALLER, AT, "channel:sms", "denied", "sms", "twilio:SM1"))


# --- the day ---


def test_every_line_of_the_day_is_in_its_platforms_shape_and_in_order():
    deliveries = read_day(DAY)
    assert len(deliveries) == len(DAY.read_text(encoding="utf-8").splitlines()) == 151
    assert [delivery.at for delivery in deliveries] == sorted(delivery.at for delivery in deliveries)
    assert {delivery.platform for delivery in deliveries} == set(PARSERS)


def test_every_phone_number_of_the_day_is_kept_free_for_fiction():
    text = DAY.read_text(encoding="utf-8")
    numbers = re.findall(r"(?<![0-9a-fA-F.])\+?1\d{10}(?![0-9a-fA-F])", text)
    assert len(numbers) > 30
    assert [number for number in numbers if not re.fullmatch(r"\+?1[2-9]\d{2}55501\d{2}", number)] == []


def test_names_of_the_day_are_ann_and_ben():
    lines = [json.loads(line)["payload"] for line in DAY.read_text(encoding="utf-8").splitlines()]
    assert [payload["first_name"] for payload in lines if "first_name" in payload] == ["Ann", "Ben"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 1 is no JSON"),
        (
            '{"at": "2026-11-20T08:00:00Z", "platform": "fax", "payload": {}}',
            "line 1: line.platform is none of liveperson",
        ),
        (json.dumps({"at": AT.isoformat(), "platform": "twilio", "payload": {}}), "line 1: payload.From is missing"),
        (json.dumps({"at": "2026-11-20T08:00:00", "platform": "twilio"}), "line 1: line.at is a time without a zone"),
    ],
)
def test_a_day_that_does_not_read_names_line_and_path(tmp_path, line, message):
    day = tmp_path / "day.jsonl"
    day.write_text(line, encoding="utf-8")
    with pytest.raises(DayError, match=f"^{re.escape(message)}"):
        read_day(day)


# --- the report ---


class Page(HTMLParser):
    """Checks that elements nest, and collects what could be dangerous or could leave the file."""

    VOID = frozenset({"br", "meta"})

    def __init__(self, html):
        super().__init__()
        self.open, self.tags, self.ids, self.links, self.attributes, self.text = [], [], [], [], [], []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.ids += [value for name, value in attrs if name == "id"]
        self.links += [value for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def assert_is_closed_and_harmless(html):
    page = Page(html)
    assert set(page.tags).isdisjoint({"script", "link", "iframe", "object", "embed", "img", "form", "base"})
    assert [name for name, _ in page.attributes if name.startswith("on") or name in ("src", "srcset", "action")] == []
    assert [link for link in page.links if not link.startswith("#")] == []
    assert [link for link in page.links if link[1:] not in page.ids] == []
    assert len(page.ids) == len(set(page.ids))
    assert re.search(r"(?i)https?:|javascript:|url\(|@import", html) is None
    return page


def test_whatever_a_payload_holds_shows_as_text_in_the_report():
    hostile = "<img src=x onerror=alert(1)>\"'&"
    decision = sayso.Decision("purpose:marketing", allowed=True, reason="granted", title={"en": hostile})
    track = Track([Entry(AT, "device", hostile)])
    outcome = Outcome(
        "cust-42", hostile, hostile, hostile, {"purpose:marketing": decision}, {"purpose:marketing": hostile}, (), track
    )
    html = report_page(
        [outcome],
        Book(KEY),
        span=day_span(AT, AT + timedelta(hours=12)),
        figures={hostile: 1},
        last_word=LastWord(hostile, hostile, hostile, hostile),
    )
    page = assert_is_closed_and_harmless(html)
    assert sum(hostile in text for text in page.text) >= 8
    assert "<img" not in html


def a_report(first, last, *messages):
    outcomes = [
        Outcome(f"cust-{place}", f"Ben {place}", "", "", {}, {}, (), Track([], messages=number))
        for place, number in enumerate(messages or [0])
    ]
    last_word = LastWord("Ann", "channel:sms", "before", "after")
    html = report_page(outcomes, Book(KEY), span=day_span(first, last), figures={}, last_word=last_word)
    return " ".join(Page(html).text)


def test_the_report_says_when_the_day_began_and_ended_and_not_how_wide_the_timeline_is():
    east = timezone(timedelta(hours=2))
    assert "it lasted from 2026-11-20 09:00 to 21:30 UTC." in a_report(AT, AT + timedelta(hours=12, minutes=30))
    assert "it lasted from 2026-11-20 09:00 to 2026-11-21 03:00 UTC." in a_report(AT, AT + timedelta(hours=18))
    assert "it lasted from 2026-11-20 09:00 to 21:00 UTC." in a_report(
        AT.astimezone(east), (AT + timedelta(hours=12)).astimezone(east)
    )


def test_the_report_counts_in_english():
    text = a_report(AT, AT + timedelta(hours=1), 0, 1, 2)
    assert "No messages and page views that say nothing about privacy." in text
    assert "1 message or page view that says nothing about privacy." in text
    assert "2 messages and page views that say nothing about privacy." in text
    assert "1 messages" not in text


def test_markup_escapes_attributes_and_text_but_not_itself():
    assert tag("b", tag("i", "<&>"), '"', title='"x"') == '<b title="&quot;x&quot;"><i>&lt;&amp;&gt;</i>&quot;</b>'


# --- the demo as a whole ---


def run_demo(*words, **environment):
    return subprocess.run(
        [sys.executable, str(EXAMPLE / "demo.py"), *words],
        env={**os.environ, "CI": "true", "PYTHONIOENCODING": "utf-8", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=55,
        check=False,
    )


def test_the_demo_plays_the_day_and_ends_by_itself_with_a_report(tmp_path):
    report = tmp_path / "deep" / "report.html"
    # A real server's settings in the environment are none of its business.
    done = run_demo("--report", str(report), SAYSO_DATABASE="sqlite:///elsewhere.db", SAYSO_URL="https://sayso.example")
    assert done.stderr == ""
    assert done.returncode == 0
    assert "Playing the day: 151 of 151" in done.stdout
    assert "before  “Text messages” is allowed: granted on" in done.stdout
    assert "after   “Text messages” is not allowed: withdrawn on" in done.stdout
    assert report.as_uri() in done.stdout
    assert "SAYSO_SECRET" not in done.stdout

    html = report.read_text(encoding="utf-8")
    page = assert_is_closed_and_harmless(html)
    numbers = (17, 42, 58, 63, 71, 85, 90, 104, 119, 126, 140)
    consumers = {page_id for page_id in page.ids if page_id.startswith("c-")}
    assert {f"c-cust-{number}" for number in numbers} < consumers
    assert sum(page_id.startswith("c-p-") for page_id in consumers) == 2
    assert sum(page_id.startswith("c-anon_") for page_id in consumers) == 2
    assert len(consumers) == 15
    text = " ".join(page.text)
    assert "Ann (cust-42)" in text
    assert "crew cab" not in html  # what people wrote stays where they wrote it
    assert "tow bar" not in html
    assert re.search(r"55501\d\d(?!\d)", html) is None


def test_a_day_that_ends_otherwise_fails_and_says_where(tmp_path):
    day = tmp_path / "day.jsonl"
    lines = DAY.read_text(encoding="utf-8").splitlines(keepends=True)
    day.write_text("".join(line for line in lines if "stop texting me" not in line), encoding="utf-8")
    done = run_demo("--report", str(tmp_path / "report.html"), "--day", str(day))
    assert done.returncode == 1
    assert "The demo failed: the day did not end as it should:" in done.stderr
    assert "Ben (cust-17), channel:sms: expected denied, found granted" in done.stderr
    assert "expected 2 deliveries that came twice, found 1" in done.stderr


def test_a_day_that_is_missing_is_one_clear_sentence(tmp_path):
    done = run_demo("--day", str(tmp_path / "gone.jsonl"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "The demo failed: gone.jsonl can't be read: FileNotFoundError\n"


def test_without_sayso_the_demo_says_how_to_get_it():
    # -I and -S: no PYTHONPATH and no installed packages.
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(EXAMPLE / "demo.py")],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=30,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("The demo needs Sayso with its server (sayso, sayso_server,")
    assert done.stderr.endswith("missing): run `make demo`.\n")
