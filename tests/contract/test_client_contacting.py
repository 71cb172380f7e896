"""Writing to a consumer through the real client: STOP and START, links and headers, one list for every channel."""

from copy import deepcopy
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from tests.contract.conftest import CATALOGUE, START

import sayso
from sayso.client.inbound_sms import Texting

SHOP, SERVICE, CHAT = "+1 555-010-0001", "+15550100002", "900900"


@pytest.fixture
async def ann(served: Any, privacy: sayso.Client) -> sayso.Consumer:
    """Ann, who takes texts, of a brand with two numbers and one of the platform's."""
    catalogue = deepcopy(CATALOGUE)
    catalogue["topics"]["channel:sms"]["senders"] = {
        SHOP: {"title": {"en": "Shop", "es": "Tienda"}},
        SERVICE: {"title": {"en": "Service", "es": "Taller"}},
        CHAT: {"controller": "platform", "title": {"en": "Chat", "es": "Chat"}},
    }
    catalogue["topics"]["channel:email"] = deepcopy(CATALOGUE["topics"]["channel:sms"])
    await served.client("dealer", "admin").publish_catalogue(sayso.Catalogue.model_validate(catalogue))
    ann = privacy.consumer("cust-42")
    await ann.grant("channel:sms", shown="en")
    return ann


async def test_a_stop_silences_its_sender_and_is_confirmed_once(ann: sayso.Consumer) -> None:
    stopped = await ann.inbound_sms("Please STOP!", sender=SHOP)

    assert stopped.kind is sayso.SmsAnswer.STOP
    assert stopped.reply == (
        "You will get no more texts from Shop (+1 555-010-0001). Reply START to resume. "
        "To stop texts from Chat, text STOP to 900900."
    )
    assert stopped.recorded is not None
    assert (stopped.recorded.stands, stopped.recorded.reason) == (True, "withdrawn")
    assert (await ann.may_contact("sms", sender="15550100001")).reason == "withdrawn"
    assert (await ann.may_contact("sms", sender=SERVICE)).reason == "granted"
    assert (await ann.may_contact("sms")).reason == "withdrawn"
    assert await ann.allows("channel:sms") is False
    again = await ann.inbound_sms("stop", sender=SHOP)
    assert (again.kind, again.reply) == (sayso.SmsAnswer.STOP, None)


async def test_a_start_lifts_it_for_that_sender_alone(ann: sayso.Consumer) -> None:
    for sender in (SHOP, SERVICE):
        await ann.inbound_sms("STOP", sender=sender)
    started = await ann.inbound_sms("START", sender=SHOP)

    assert started.kind is sayso.SmsAnswer.START
    assert started.reply == "You will get texts from Shop (+1 555-010-0001) again. Reply STOP to stop."
    assert (await ann.may_contact("sms", sender=SHOP)).allowed
    assert (await ann.may_contact("sms", sender=SERVICE)).reason == "withdrawn"


async def test_a_start_right_after_a_stop_that_another_process_recorded_lifts_it(
    served: Any, ann: sayso.Consumer
) -> None:
    assert (await ann.may_contact("sms", sender=SHOP)).allowed
    await served.client().consumer("cust-42").inbound_sms("STOP", sender=SHOP)
    await ann.inbound_sms("START", sender=SHOP)
    assert (await ann.may_contact("sms", sender=SHOP, at_least=3)).allowed


async def test_a_start_grants_nothing(privacy: sayso.Client, ann: sayso.Consumer) -> None:
    ben = privacy.consumer("cust-43")
    started = await ben.inbound_sms("START", sender=SHOP)
    assert (
        started.reply
        == "You still get no texts from Shop (+1 555-010-0001): START ends a STOP and allows nothing more."
    )
    assert started.recorded is not None
    assert started.recorded.allowed is False
    assert (await ben.may_contact("sms", sender=SHOP)).reason == "not_asked"
    assert (await ben.decide("purpose:marketing")).reason == "not_asked"


async def test_a_stop_of_everything_leaves_the_other_controller_alone(ann: sayso.Consumer) -> None:
    stopped = await ann.inbound_sms("STOP ALL", sender=SHOP)
    assert stopped.reply == (
        "You will get no more texts from Privacy office. To resume, text START to the number. "
        "To stop texts from Chat, text STOP to 900900."
    )
    reasons = [(await ann.may_contact("sms", sender=sender)).reason for sender in (SHOP, SERVICE, CHAT)]
    assert reasons == ["withdrawn", "withdrawn", "granted"]


async def test_a_stop_of_everything_holds_for_both_controllers_where_nobody_knows_whose_sender_it_was(
    ann: sayso.Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unknown(*_: object) -> None:
        return None

    with monkeypatch.context() as offline:
        offline.setattr(type(ann._asker), "published", unknown)
        await ann.inbound_sms("STOP ALL", sender=CHAT)
    for sender in (CHAT, SHOP, SERVICE):
        assert (await ann.may_contact("sms", sender=sender)).reason == "withdrawn"
    await ann.inbound_sms("START", sender=SHOP)
    assert (await ann.may_contact("sms", sender=SHOP)).allowed
    assert (await ann.may_contact("sms", sender=SERVICE)).reason == "withdrawn"


async def test_a_stop_that_names_no_sender_holds_for_all_of_the_brand(ann: sayso.Consumer) -> None:
    await ann.inbound_sms("stop", sender=None)
    reasons = [(await ann.may_contact("sms", sender=sender)).reason for sender in (SHOP, SERVICE, CHAT)]
    assert reasons == ["withdrawn", "withdrawn", "granted"]


async def test_a_start_that_allows_nothing_says_so_in_the_consumers_language(
    privacy: sayso.Client, ann: sayso.Consumer
) -> None:
    ben = privacy.consumer("cust-43")
    said = [(await ben.inbound_sms("START", sender=SERVICE, language=spoken)).reply for spoken in ("es", "fr")]
    assert said == [
        "Sigue sin recibir mensajes de Taller (+15550100002): START anula un STOP y no autoriza nada más.",
        "Vous ne recevez toujours pas de SMS de Service (+15550100002) : "
        "START annule un STOP et n'autorise rien de plus.",
    ]


async def test_a_stop_to_a_number_that_nobody_lists_says_that_all_of_the_brand_stops(
    served: Any, ann: sayso.Consumer
) -> None:
    await served.client("dealer", "admin").publish_catalogue(sayso.Catalogue.model_validate(CATALOGUE))
    stopped = await ann.inbound_sms("STOP", sender="+15550100009")
    assert stopped.reply == "You will get no more texts from Privacy office. Reply START to resume."
    assert (await ann.may_contact("sms", sender=SHOP)).reason == "withdrawn"
    await ann.inbound_sms("START", sender="+15550100009")
    assert (await ann.may_contact("sms", sender=SHOP)).allowed


async def test_a_number_that_is_listed_without_a_word_more_stops_alone(served: Any, ann: sayso.Consumer) -> None:
    catalogue = deepcopy(CATALOGUE)
    catalogue["topics"]["channel:sms"]["senders"] = {SHOP: {}, SERVICE: {}}
    await served.client("dealer", "admin").publish_catalogue(sayso.Catalogue.model_validate(catalogue))
    stopped = await ann.inbound_sms("STOP", sender=SHOP)
    assert stopped.reply == "You will get no more texts from +1 555-010-0001. Reply START to resume."
    assert (await ann.may_contact("sms", sender=SERVICE)).allowed


async def test_a_stop_to_a_number_beside_the_listed_ones_names_those_that_go_on(ann: sayso.Consumer) -> None:
    stopped = await ann.inbound_sms("STOP", sender="+15550100009")
    assert stopped.reply == (
        "You will get no more texts from Privacy office. Reply START to resume. "
        "To stop texts from Chat, text STOP to 900900."
    )


async def test_a_stop_to_the_platform_names_the_brands_numbers(ann: sayso.Consumer) -> None:
    stopped = await ann.inbound_sms("STOP", sender=CHAT, language="es-MX")
    assert stopped.reply == (
        "No recibirá más mensajes de Chat (900900). Responda START para reanudar. "
        "Para no recibir los de Tienda, envíe STOP al +1 555-010-0001. "
        "Para no recibir los de Taller, envíe STOP al +15550100002."
    )


async def test_what_the_messaging_service_has_answered_is_not_answered_again(ann: sayso.Consumer) -> None:
    for said in ("STOP", "START", "HELP"):
        answer = await ann.inbound_sms("whatever", sender=SHOP, opt_out_type=said)
        assert (answer.kind, answer.reply) == (said.lower(), None)


async def test_help_says_who_writes_and_how_to_stop(ann: sayso.Consumer) -> None:
    helped = await ann.inbound_sms("HELP", sender=SHOP, language="fr")
    assert helped.reply == (
        "Privacy office : aide sur post@dealer.example. "
        "Répondez STOP pour ne plus recevoir de SMS de Shop (+1 555-010-0001)."
    )
    assert helped.recorded is None


async def test_conversation_is_neither_recorded_nor_answered(ann: sayso.Consumer) -> None:
    assert await ann.inbound_sms("Is the blue one still there?", sender=SHOP) == sayso.InboundSms(sayso.SmsAnswer.OTHER)
    assert len([choice async for choice in ann.history()]) == 1


@pytest.mark.parametrize(
    ("waited", "kind"),
    [(timedelta(0), "start"), (timedelta(hours=24), "start"), (timedelta(hours=24, seconds=1), "other")],
)
async def test_a_yes_answers_our_own_question_of_the_last_day(
    served: Any, privacy: sayso.Client, ann: sayso.Consumer, waited: timedelta, kind: str
) -> None:
    ben = privacy.consumer("cust-43")
    question = sayso.SmsQuestion("channel:sms", asked_at=START, shown="en")
    served.clock.forward(waited)
    assert (await ben.inbound_sms("Yes please", sender=SHOP)).kind == "other"
    assert (await ben.inbound_sms("Yes please", sender=SHOP, question=question)).kind == kind
    assert (await ben.may_contact("sms", sender=SHOP)).allowed is (kind == "start")


async def test_a_yes_never_lifts_a_stop(served: Any, ann: sayso.Consumer) -> None:
    await ann.inbound_sms("STOP", sender=SHOP)
    served.clock.forward(timedelta(hours=1))
    question = sayso.SmsQuestion("channel:sms", asked_at=served.clock.moment, shown="en")
    answer = await ann.inbound_sms("YES", sender=SHOP, question=question)
    assert (answer.kind, answer.recorded) == ("other", None)
    assert (await ann.may_contact("sms", sender=SHOP)).reason == "withdrawn"


async def test_a_yes_never_undoes_what_was_withdrawn_after_the_question(served: Any, ann: sayso.Consumer) -> None:
    question = sayso.SmsQuestion("purpose:marketing", asked_at=served.clock.moment, shown="en")
    served.clock.forward(timedelta(hours=1))
    await ann.withdraw("purpose:marketing")
    served.clock.forward(timedelta(hours=1))
    answer = await ann.inbound_sms("YES", sender=SHOP, question=question)
    assert (answer.kind, answer.recorded) == ("other", None)
    assert not await ann.allows("purpose:marketing")


async def test_a_yes_to_a_question_about_something_else_says_nothing_about_texts(
    served: Any, ann: sayso.Consumer
) -> None:
    await ann.withdraw("purpose:marketing")
    served.clock.forward(timedelta(hours=1))
    question = sayso.SmsQuestion("purpose:marketing", asked_at=served.clock.moment, shown="en")
    served.clock.forward(timedelta(hours=1))
    answer = await ann.inbound_sms("YES", sender=SHOP, question=question)
    assert (answer.kind, answer.reply) == ("start", None)
    assert await ann.allows("purpose:marketing")


async def test_a_stop_of_everything_is_confirmed_once_too(ann: sayso.Consumer) -> None:
    assert (await ann.inbound_sms("STOP", sender=SHOP)).reply is not None
    assert (await ann.inbound_sms("STOP ALL", sender=SHOP)).reply is not None
    again = await ann.inbound_sms("STOP ALL", sender=SHOP)
    assert (again.kind, again.reply, again.recorded is None) == ("stop", None, False)


async def test_a_yes_to_another_number_does_not_lift_it_either(served: Any, ann: sayso.Consumer) -> None:
    await ann.inbound_sms("STOP", sender=SHOP)
    served.clock.forward(timedelta(hours=1))
    question = sayso.SmsQuestion("channel:sms", asked_at=served.clock.moment, shown="en")
    assert (await ann.inbound_sms("YES", sender=SERVICE, question=question)).kind == "start"
    assert (await ann.may_contact("sms", sender=SHOP)).reason == "withdrawn"


async def test_a_stop_in_an_outage_counts_at_once_and_is_kept(
    served: Any, ann: sayso.Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso.client.offline.PATIENCE", timedelta(milliseconds=300))
    await served.stop()
    stopped = await ann.inbound_sms("STOP", sender=SHOP)
    assert stopped.recorded is not None
    assert stopped.recorded.status == "pending"
    assert (await ann.may_contact("sms", sender=SHOP)).reason == "withdrawn"


@pytest.mark.parametrize(
    ("language", "reply"),
    [
        ("en", "You will get no more texts from us. To resume, text START to the number."),
        ("es", "No recibirá más mensajes de nuestra parte. Para reanudar, envíe START al número."),
        ("fr", "Vous ne recevrez plus de SMS de notre part. Pour reprendre, envoyez START au numéro."),
    ],
)
def test_a_stop_is_confirmed_in_whole_words_even_where_the_brands_name_cannot_be_had(language: str, reply: str) -> None:
    assert Texting("channel:sms", None, language, None).stopped(everything=True) == reply


async def test_a_start_that_is_not_confirmed_allows_nothing(
    served: Any, ann: sayso.Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso.client.offline.PATIENCE", timedelta(milliseconds=300))
    await ann.inbound_sms("STOP", sender=SHOP)
    await served.stop()
    with pytest.raises(sayso.UnavailableError):
        await ann.inbound_sms("START", sender=SHOP)
    assert (await ann.may_contact("sms", sender=SHOP)).allowed is False


async def test_one_list_answers_for_every_channel(ann: sayso.Consumer) -> None:
    await ann.grant("channel:email", shown="en")
    assert (await ann.may_contact("email", sender="news@dealer.example")).allowed
    await ann.withdraw_all()
    for channel in ("sms", "email", "channel:sms"):
        assert (await ann.may_contact(channel)).reason == "withdrawn"
    assert (await ann.may_contact("fax")).reason == "unknown_topic"


async def test_a_snapshot_knows_each_sender(ann: sayso.Consumer) -> None:
    await ann.inbound_sms("STOP", sender=SHOP)
    preferences = await ann.preferences()
    assert preferences.decide("channel:sms", sender="+15550100001").reason == "withdrawn"
    assert preferences.decide("channel:sms", sender=SERVICE).reason == "granted"
    assert preferences.decide("channel:sms", sender="+15550109999").reason == "withdrawn", "unheard of: as for all"
    assert preferences.allows("channel:sms") is False


async def test_what_is_pending_is_laid_over_each_sender(
    served: Any, ann: sayso.Consumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ann.inbound_sms("STOP", sender=SHOP)
    async with served.client() as live:
        anns = live.consumer("cust-42")
        assert (await anns.may_contact("sms", sender=SERVICE)).allowed
        monkeypatch.setattr("sayso.client.offline.PATIENCE", timedelta(milliseconds=100))
        monkeypatch.setattr(live._transport, "call", _nothing_arrives(live._transport.call))
        assert (await anns.withdraw("channel:sms")).status == "pending"
        preferences = await anns.preferences()
        assert preferences.decide("channel:sms", sender=SERVICE).allowed is False
        assert (await anns.may_contact("sms", sender=SERVICE)).allowed is False


def _nothing_arrives(call: Any) -> Any:
    """Lose what is recorded, while reading goes on."""

    async def calling(method: str, path: str, *arguments: Any, **settings: Any) -> Any:
        if path == "/v1/choices":
            raise sayso.UnavailableError("lost", code="unavailable")
        return await call(method, path, *arguments, **settings)

    return calling


@pytest.mark.parametrize("sender", ["", "x" * 129, "a\nb"])
async def test_a_sender_that_cannot_be_one_is_refused(ann: sayso.Consumer, sender: str) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        await ann.may_contact("sms", sender=sender)
    assert caught.value.pointer == "/sender"


# --- e-mail ---


async def test_a_message_says_twice_how_to_stop_it(served: Any, ann: sayso.Consumer) -> None:
    await ann.grant("channel:email", shown="en")
    link = await ann.unsubscribe_link()
    headers = await ann.unsubscribe_headers(link=link)
    assert headers == {"List-Unsubscribe": f"<{link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    assert link.startswith("https://privacy.example/u/dealer.")
    path = link.removeprefix("https://privacy.example")
    async with aiohttp.ClientSession() as session, session.post(served.url + path) as clicked:
        assert clicked.status == 200
    assert (await ann.may_contact("email")).reason == "withdrawn"


async def test_headers_come_with_a_link_of_their_own(ann: sayso.Consumer) -> None:
    headers = await ann.unsubscribe_headers("purpose:marketing")
    assert headers["List-Unsubscribe"].startswith("<https://privacy.example/u/dealer.")


async def test_a_channel_may_be_named_as_may_contact_takes_it(
    served: Any, privacy: sayso.Client, ann: sayso.Consumer
) -> None:
    await ann.grant("channel:email", shown="en")
    headers = await ann.unsubscribe_headers("email")
    many = await privacy.unsubscribe_links(["cust-43"], "email")
    assert many["cust-43"].startswith("https://privacy.example/u/dealer.")
    link = headers["List-Unsubscribe"].strip("<>")
    async with aiohttp.ClientSession() as session:
        await session.post(served.url + link.removeprefix("https://privacy.example"))
    assert (await ann.may_contact("email", at_least=3)).reason == "withdrawn"


async def test_a_link_to_refuse_everything_is_still_one(ann: sayso.Consumer) -> None:
    assert (await ann.unsubscribe_link("*")).startswith("https://privacy.example/u/dealer.")


async def test_a_campaign_gets_its_links_at_once(privacy: sayso.Client, ann: sayso.Consumer) -> None:
    ids = [f"cust-{number}" for number in range(501)]
    links = await privacy.unsubscribe_links(ids, "purpose:marketing", language="es")
    assert list(links) == ids
    assert len(set(links.values())) == 501
    assert privacy.unsubscribe_headers(links["cust-7"])["List-Unsubscribe"] == f"<{links['cust-7']}>"


@pytest.mark.parametrize("link", ["", "ftp://x", "https://x/u/1\r\nBcc: y", "https://x/<>"])
async def test_headers_are_made_of_an_address_only(privacy: sayso.Client, link: str) -> None:
    with pytest.raises(sayso.InvalidError):
        privacy.unsubscribe_headers(link)


async def test_what_cannot_be_refused_has_no_link(ann: sayso.Consumer) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        await ann.unsubscribe_link("purpose:service")
    assert caught.value.code == "not_refusable"


async def test_a_page_of_preferences_has_a_link_too(ann: sayso.Consumer) -> None:
    assert (await ann.preferences_link(language="fr")).startswith("https://privacy.example/p/dealer.")


async def test_signals_are_taken_from_the_headers_of_a_request(ann: sayso.Consumer) -> None:
    reported = await ann.signals_from([("Sec-GPC", "0"), ("sec-gpc", "1")], device="browser-1")
    assert [one.name for one in reported] == ["gpc"]
    assert (await ann.preferences()).signals["gpc"]["honoured"] is True
    assert await ann.signals_from({"Accept": "*/*"}) == ()


def test_the_synchronous_client_can_do_all_of_it(privacy: sayso.Client) -> None:
    ours, theirs = set(dir(sayso.SyncConsumer)), set(dir(sayso.Consumer))
    names = {
        "may_contact",
        "inbound_sms",
        "unsubscribe_link",
        "unsubscribe_headers",
        "preferences_link",
        "signals_from",
    }
    assert names <= ours & theirs
