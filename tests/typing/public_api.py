"""What a user's editor understands of the public names. Read by the type checker, never run."""

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import assert_type

import sayso


async def commands(privacy: sayso.Client) -> None:
    ann = privacy.consumer("cust-42")
    assert_type(ann, sayso.Consumer)
    assert_type(await ann.grant("purpose:marketing", shown="en"), sayso.Recorded)
    await ann.grant("purpose:marketing", shown=sayso.Notice(language="en", version=1), method=sayso.Method.CHAT)
    await ann.grant("purpose:marketing")  # pyright: ignore[reportCallIssue]
    await ann.grant("purpose:marketing", "en")  # pyright: ignore[reportCallIssue]
    assert_type(await ann.withdraw("channel:sms", method="sms"), sayso.Recorded)
    assert_type(await ann.opt_out("vinsolutions", "share"), sayso.Recorded)
    assert_type(await ann.opt_out("vinsolutions", flow=sayso.Flow.SHARE), sayso.Recorded)
    assert_type(await ann.opt_out("vinsolutions"), list[sayso.Recorded])
    assert_type(await ann.opt_in("vinsolutions", shown="en"), sayso.Recorded)
    assert_type(
        await ann.report_device("pixel-8", {"android.permission.CAMERA": "granted"}, vocabulary="react-native"),
        sayso.DeviceReported,
    )
    assert_type(await ann.report_signals({"Sec-GPC": "1"}), tuple[sayso.SignalReported, ...])
    assert_type(await ann.report_age(source="self", lower=18), sayso.AgeReported)
    assert_type(await ann.link(sayso.new_anonymous_id()), sayso.Linked)
    assert_type(await ann.erase(), sayso.Erased)
    assert_type(await ann.report_age_signal("apple", {"lowerBound": 13, "upperBound": 15}), sayso.AgeReported)
    assert_type(await ann.ask_guardian("purpose:marketing", contact_from="child"), sayso.GuardianLink)
    assert_type(await ann.confirm_guardian(), sayso.GuardianLink)
    assert_type(await ann.hold_for_age("content"), sayso.AgeHold)


async def questions(privacy: sayso.Client) -> None:
    ann = privacy.consumer("cust-42")
    assert_type(await ann.allows("channel:sms"), bool)
    assert_type(await ann.allows("channel:sms", at_least=3), bool)
    assert_type(privacy.status, sayso.Status)
    assert_type(await privacy.prefetch(["cust-42"]), int)
    if await ann.allows("permission:location", device="pixel-8"):
        pass
    if ann.allows("channel:sms"):  # pyright: ignore[reportGeneralTypeIssues] - a forgotten await shows in the editor
        pass
    takes_bool(ann.allows("channel:sms"))  # pyright: ignore[reportArgumentType]
    assert_type(await ann.decide("channel:sms"), sayso.Decision)
    assert_type((await ann.decide("channel:sms")).explain(language="es"), str)
    preferences = await ann.preferences()
    assert_type(preferences, sayso.Preferences)
    assert_type(preferences.allows("channel:sms"), bool)
    assert_type(preferences.decide("channel:sms", "pixel-8"), sayso.Decision)
    assert_type(await ann.may_contact("sms", sender="+15550100001"), sayso.Decision)
    assert_type(preferences.decide("channel:sms", sender="+15550100001"), sayso.Decision)
    question = sayso.SmsQuestion("channel:sms", asked_at=datetime.now(UTC), shown="en")
    texted = await ann.inbound_sms("STOP", sender="+15550100001", opt_out_type=None, question=question)
    assert_type(texted, sayso.InboundSms)
    assert_type(texted.kind, sayso.SmsAnswer)
    assert_type(texted.reply, str | None)
    assert_type(texted.recorded, sayso.Recorded | None)
    assert_type(await ann.signals_from([("Sec-GPC", "1")], device="browser-1"), tuple[sayso.SignalReported, ...])
    assert_type(await ann.unsubscribe_link("purpose:marketing", language="es"), str)
    assert_type(await ann.unsubscribe_headers(), dict[str, str])
    assert_type(await ann.preferences_link(), str)
    assert_type(await privacy.unsubscribe_links(["cust-42"], "channel:email"), dict[str, str])
    assert_type(privacy.unsubscribe_headers("https://privacy.example/u/dealer.x"), dict[str, str])
    assert_type(ann.history(), AsyncIterator[sayso.PastChoice])
    async for choice in ann.history(limit=10):
        assert_type(choice, sayso.PastChoice)
        assert_type(await ann.shown(choice), sayso.ShownNotice | None)
    assert_type(await ann.may_ask("channel:sms"), sayso.MayAsk)
    if ann.may_ask("channel:sms"):  # pyright: ignore[reportGeneralTypeIssues] - a forgotten await shows in the editor
        pass
    assert_type(preferences.may_ask("channel:sms"), sayso.MayAsk)
    assert_type(await ann.disclosures(), list[sayso.PastDisclosure])
    assert_type((await ann.disclosures(limit=10))[0].fields_sent, tuple[str, ...] | None)
    assert_type(await privacy.decide_many([("cust-42", "channel:sms")]), list[sayso.Decision])
    assert_type(await privacy.catalogue(), sayso.Published)
    assert_type(await privacy.publish_catalogue("catalogue.toml"), sayso.CataloguePublished)
    assert_type(privacy.consumer_token("cust-42", origins=["app"], ttl=timedelta(minutes=5)), str)


async def rights(privacy: sayso.Client) -> None:
    ann = privacy.consumer("cust-42")
    assert_type(await ann.request("delete", jurisdiction="US-CA"), sayso.RightsRequest)
    assert_type(await ann.request("object", topics=["purpose:ads"]), sayso.RightsRequest)
    await ann.request()  # pyright: ignore[reportCallIssue]
    await ann.request("delete", "US-CA")  # pyright: ignore[reportCallIssue]
    assert_type(await ann.requests(), list[sayso.RightsRequest])
    assert_type(await ann.revoke_request("01890a5d-ac96-774b-bcce-b302099a8057"), sayso.RightsRequest)
    requests = privacy.requests
    async for request in requests.list("open"):
        assert_type(request.days_left, int | None)
        assert_type(request.legal, tuple[str, ...])
    assert_type(await requests.find(email="ann@mail.example"), tuple[sayso.RightsRequest, ...])
    assert_type(await requests.extend("x", reason="Three branches."), sayso.RightsRequest)
    await requests.extend("x")  # pyright: ignore[reportCallIssue]
    assert_type(await requests.deny("x", "no_match", grounds="Nothing."), sayso.RightsRequest)
    assert_type(await requests.as_backend.result("x"), bytes)


def takes_bool(answer: bool) -> None: ...


async def life() -> None:
    async with sayso.Client.from_env() as privacy:
        assert_type(privacy, sayso.Client)
    choices = [sayso.Choice("cust-42", "channel:sms", "denied", method="import")]
    assert_type(await privacy.record_many(choices), list[sayso.Recorded])


def blocking(client: sayso.Client) -> None:
    with client.sync() as privacy:
        assert_type(privacy, sayso.SyncClient)
        ann = privacy.consumer("cust-42")
        assert_type(ann, sayso.SyncConsumer)
        assert_type(ann.grant("purpose:marketing", shown="en", expires_after=timedelta(days=365)), sayso.Recorded)
        ann.grant("purpose:marketing")  # pyright: ignore[reportCallIssue]
        assert_type(ann.allows("channel:sms"), bool)
        assert_type(ann.decide("channel:sms"), sayso.Decision)
        assert_type(ann.preferences(), sayso.Preferences)
        assert_type(ann.opt_out("vinsolutions"), list[sayso.Recorded])
        assert_type(ann.history(), Iterator[sayso.PastChoice])
        assert_type(ann.request("copy"), sayso.RightsRequest)
        assert_type(ann.ask_guardian("purpose:marketing"), sayso.GuardianLink)
        assert_type(privacy.minors.held(), Iterator[sayso.AgeHold])
        assert_type(privacy.minors.guardian_requests("asked"), Iterator[sayso.GuardianRequest])
        assert_type(privacy.minors.confirm("x"), sayso.Erased)
        assert_type(ann.requests(), list[sayso.RightsRequest])
        assert_type(privacy.requests.list(), Iterator[sayso.RightsRequest])
        assert_type(privacy.requests.start("x", verified="Called back."), sayso.RightsRequest)
        assert_type(ann.disclosures(), list[sayso.PastDisclosure])
        assert_type(ann.may_contact("sms", sender="+15550100001"), sayso.Decision)
        assert_type(ann.inbound_sms("STOP", sender="+15550100001"), sayso.InboundSms)
        assert_type(ann.unsubscribe_headers(), dict[str, str])
        assert_type(privacy.unsubscribe_links(["cust-42"]), dict[str, str])
        assert_type(privacy.decide_many([sayso.Check("cust-42", "channel:sms")]), list[sayso.Decision])
        assert_type(privacy.record_many([]), list[sayso.Recorded])


def facts(error: sayso.Error) -> None:
    assert_type(error.problems, tuple[sayso.Problem, ...])
    if isinstance(error, sayso.ConflictError):
        assert_type(error.current_version, int | None)
        assert_type(error.legal, tuple[str, ...])
    if isinstance(error, sayso.RateLimitedError):
        assert_type(error.retry_after, timedelta)


def helpers() -> None:
    assert_type(sayso.new_anonymous_id(), str)
    assert_type(sayso.new_choice_id(), str)
    assert_type(sayso.pseudonym("x", key="k"), str)
    assert_type(sayso.coarsen(1.0, 2.0, sayso.Precision.CITY), sayso.Coordinates | None)
    sayso.Clinet  # pyright: ignore[reportAttributeAccessIssue, reportUnknownMemberType]
