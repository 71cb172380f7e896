import asyncio
import threading
from datetime import timedelta
from pathlib import Path

import pytest

import sayso
from sayso.model.instant import from_micros
from sayso.testing import CATALOGUE_FILE, FakeSayso
from sayso.testing.brand import changed
from sayso.wire import Role


async def test_a_new_version_of_a_notice_asks_again(fake: FakeSayso) -> None:
    ann = fake.client().consumer("cust-42").grants("purpose:marketing")
    assert fake.republish({"topics": {"purpose:marketing": {"version": 2}}}) == 2
    assert fake.catalogue.topics["purpose:marketing"].version == 2
    assert (await ann.decide("purpose:marketing")).reason == "outdated"
    assert await ann.grants("purpose:marketing").allows("purpose:marketing") is True


async def test_a_grace_is_counted_from_the_republication_and_goes_on_through_the_next(fake: FakeSayso) -> None:
    ann = fake.client().consumer("cust-42").grants("purpose:marketing")
    fake.republish({"topics": {"purpose:marketing": {"version": 2, "grace": "P30D"}}})
    assert await ann.allows("purpose:marketing") is True
    fake.republish({"topics": {"purpose:marketing": {"grace": "P31D"}}})
    assert (await ann.decide("purpose:marketing")).reason == "granted"
    assert (await ann.may_ask("purpose:marketing")).allowed is True
    assert fake.catalogue.history["purpose:marketing"].previous == 1


async def test_a_republication_may_newly_share_without_a_word(fake: FakeSayso) -> None:
    with pytest.raises(sayso.NotAllowedError):
        async with fake.client().consumer("cust-42").sharing("vinsolutions"):
            pytest.fail("nobody has granted it")
    opened = {"flows": {"share": {"basis": "legitimate_interest", "sale_or_share": False}}}
    assert fake.republish({"partners": {"vinsolutions": opened}}) == 2


async def test_topics_come_and_go(fake: FakeSayso) -> None:
    topic = {"basis": "consent", "title": {"en": "Fax", "es": "Fax"}, "notice": {"en": "Faxes.", "es": "Faxes."}}
    fake.republish({"topics": {"channel:fax": topic}})
    ann = fake.client().consumer("cust-42").grants("channel:fax")
    assert await ann.allows("channel:fax") is True
    fake.republish({"topics": {"channel:fax": None}})
    assert fake.catalogue.topics["channel:fax"].retired is True
    assert await ann.allows("channel:sms") is False


async def test_a_catalogue_of_ones_own_is_published_and_published_over(tmp_path: Path) -> None:
    own = tmp_path / "catalogue.toml"
    own.write_text(CATALOGUE_FILE.read_text().replace('"channel:sms"', '"channel:pager"'))
    async with FakeSayso(own) as fake:
        assert "channel:pager" in fake.catalogue.topics
        assert fake.republish(CATALOGUE_FILE) == 2
        assert fake.republish(sayso.read_catalogue(CATALOGUE_FILE.read_bytes())) == 2
        assert (await fake.client().catalogue()).revision == 2


async def test_a_catalogue_that_can_not_be_published_is_refused_with_every_finding(fake: FakeSayso) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        fake.republish({"topics": {"channel:sms": {"requires": ["channel:nothing"]}}})
    assert caught.value.code == "catalogue_invalid"
    with pytest.raises(sayso.CatalogueError, match="basis"):
        fake.republish({"topics": {"channel:sms": {"basis": "magic"}}})
    assert fake.republish({}) == 1
    broken = changed(fake.catalogue, {"topics": {"channel:sms": {"requires": ["channel:nothing"]}}})
    with pytest.raises(sayso.InvalidError):
        async with FakeSayso(broken):
            pass


async def test_the_admin_key_publishes_and_the_backend_key_does_not(fake: FakeSayso) -> None:
    with pytest.raises(sayso.ForbiddenError):
        await fake.client().publish_catalogue(CATALOGUE_FILE)
    assert (await fake.client(role="admin").publish_catalogue(CATALOGUE_FILE)).changed is False
    assert fake.credentials(Role.ADMIN) != fake.credentials()


async def test_code_that_makes_its_own_client_finds_the_fake_in_the_environment(
    fake: FakeSayso, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in fake.environment.items():
        monkeypatch.setenv(name, value)
    fake.consumer("cust-42").grants("channel:sms")
    async with sayso.Client.from_env() as privacy:
        assert await privacy.consumer("cust-42").allows("channel:sms") is True


async def test_a_widgets_token_is_taken_from_the_fakes_origins(fake: FakeSayso) -> None:
    import aiohttp

    token = fake.client().consumer_token("cust-42", origins=["https://dealer.example"])
    headers = {"Authorization": f"Bearer {token}", "Origin": "https://dealer.example"}
    async with aiohttp.ClientSession() as session, session.get(f"{fake.url}/v1/me/preferences", headers=headers) as got:
        assert got.status == 200


async def test_what_was_handed_over_is_told(fake: FakeSayso) -> None:
    privacy = fake.client()
    ann = privacy.consumer("cust-42").grants("partner:vinsolutions:share", "channel:email")
    ben = privacy.consumer("cust-43")
    async with ann.sharing("vinsolutions") as out:
        out.redact({"name": "Ann", "email": "ann@example.com", "phone": "+1 555 0100"})
    with pytest.raises(sayso.NotAllowedError):
        async with ben.sharing("vinsolutions"):
            pass
    first, second = fake.disclosures
    assert (first.consumer_id, first.answer, first.fields_sent) == ("cust-42", "send_redacted", ("name", "email"))
    assert (first.fields_held_back, first.outcome) == (("phone",), "handed_over")
    assert (second.consumer_id, second.answer, second.reason) == ("cust-43", "withhold", "not_asked")


async def test_assertions_about_hand_overs_hold_or_say_what_was_recorded(fake: FakeSayso) -> None:
    privacy = fake.client()
    privacy.assert_nothing_shared()
    with pytest.raises(AssertionError, match="nothing was shared with vinsolutions; no hand-over was recorded at all"):
        privacy.assert_shared("vinsolutions")
    ann = privacy.consumer("cust-42").grants("partner:vinsolutions:share")
    async with ann.sharing("vinsolutions") as out:
        out.redact({"name": "Ann", "email": "ann@example.com"})
    privacy.assert_shared("vinsolutions", without=["email", "phone"], consumer="cust-42")
    privacy.assert_nothing_shared("another")
    privacy.assert_nothing_shared(consumer="cust-43")
    with pytest.raises(AssertionError) as caught:
        privacy.assert_shared("vinsolutions", without=["name"])
    assert str(caught.value).splitlines() == [
        "name was shared with vinsolutions; this was recorded:",
        "  share vinsolutions: send_redacted; handed_over; because granted; sent name; held back email",
    ]
    with pytest.raises(AssertionError, match="vinsolutions was sent something; this was recorded:"):
        privacy.assert_nothing_shared()
    with pytest.raises(TypeError, match="a list of fields"):
        privacy.assert_shared("vinsolutions", without="email")


async def test_a_hand_over_without_redacting_can_not_be_vouched_for(fake: FakeSayso) -> None:
    privacy = fake.client()
    async with privacy.consumer("cust-42").grants("partner:vinsolutions:share").sharing("vinsolutions"):
        pass
    privacy.assert_shared("vinsolutions")
    with pytest.raises(AssertionError, match="nobody can tell whether email went to vinsolutions"):
        privacy.assert_shared("vinsolutions", without=["email"])


async def test_a_hand_over_that_failed_may_have_shared_something(fake: FakeSayso) -> None:
    privacy = fake.client()
    ann = privacy.consumer("cust-42").grants("partner:vinsolutions:share")

    async def hand_over() -> None:
        async with ann.sharing("vinsolutions") as out:
            out.redact({"name": "Ann"})
            raise OSError("the line broke")

    with pytest.raises(OSError, match="the line broke"):
        await hand_over()
    with pytest.raises(AssertionError, match="nothing was shared"):
        privacy.assert_shared("vinsolutions")
    with pytest.raises(AssertionError, match="was sent something"):
        privacy.assert_nothing_shared()


async def test_nothing_is_asserted_while_something_waits_to_be_told(fake: FakeSayso) -> None:
    async with fake.client() as privacy:
        ann = privacy.consumer("cust-42").grants("partner:vinsolutions:share")
        async with ann.sharing("vinsolutions") as out:
            out.redact({"name": "Ann"})
            outage = privacy.outage()
            outage.__enter__()
        with pytest.raises(AssertionError, match=r"await privacy\.flush\(\)"):
            privacy.assert_nothing_shared()
        outage.__exit__(None, None, None)
        assert await privacy.flush() == 0
        privacy.assert_shared("vinsolutions")


def test_synchronous_tests_have_a_fake_of_their_own() -> None:
    with FakeSayso() as fake:
        privacy = fake.client().sync()
        assert privacy is fake._clients[0].sync()
        ann = privacy.consumer("cust-42").grants("channel:sms").denies("channel:email")
        assert (ann.id, ann.allows("channel:sms"), ann.allows("channel:email")) == ("cust-42", True, False)
        with privacy.outage():
            assert ann.allows("channel:sms") is False
        assert ann.allows("channel:sms") is True
        privacy.republish({"topics": {"channel:sms": {"version": 2}}})
        assert ann.decide("channel:sms").reason == "outdated"
        privacy.clock.advance(timedelta(days=1))
        assert ann.grants("channel:sms").allows("channel:sms") is True
        privacy.assert_nothing_shared()


def test_a_fake_that_has_ended_leaves_no_thread_and_answers_no_more() -> None:
    before = set(threading.enumerate())
    with FakeSayso() as fake:
        fake.client().sync().consumer("cust-42").allows("channel:sms")
    assert {thread.name for thread in set(threading.enumerate()) - before} == set()
    assert fake.url == ""
    with pytest.raises(RuntimeError, match="not running"):
        fake.consumer("cust-42").grants("channel:sms")


async def test_a_fake_on_the_tests_own_loop_is_arranged_from_other_threads_too(fake: FakeSayso) -> None:
    await asyncio.to_thread(lambda: fake.consumer("cust-42").grants("channel:sms"))
    assert await fake.client().consumer("cust-42").allows("channel:sms") is True


async def test_starting_and_closing_twice_does_nothing_more() -> None:
    fake = FakeSayso()
    await fake.start()
    url = fake.url
    await fake.start()
    assert fake.url == url
    await fake.aclose()
    await fake.aclose()


async def test_a_client_of_a_fake_does_not_warn_of_an_outbox_in_memory(
    fake: FakeSayso, caplog: pytest.LogCaptureFixture
) -> None:
    async with fake.client() as privacy:
        with fake.outage():
            assert (await privacy.consumer("cust-42").deny("channel:sms")).status == "pending"
        assert await privacy.flush() == 0
    assert [record.message for record in caplog.records if "SAYSO_OUTBOX" in record.message] == []


async def test_who_was_erased_may_come_back_at_the_same_instant_of_the_frozen_clock(fake: FakeSayso) -> None:
    ann = fake.client().consumer("cust-42").grants("purpose:marketing")
    await ann.erase()
    assert (await ann.decide("purpose:marketing")).reason == "erased"

    assert (await ann.grant("purpose:marketing", shown="en")).stands is True
    await ann.report_device("pixel-8", {"android.permission.CAMERA": "granted"}, vocabulary="react-native")

    assert await ann.allows("purpose:marketing") is True
    assert (await ann.decide("channel:sms")).reason == "not_asked"


async def test_what_was_said_before_an_erasure_is_refused_once_the_clock_has_moved(fake: FakeSayso) -> None:
    ann = fake.client().consumer("cust-42")
    before = fake.clock.now()
    fake.clock.advance(timedelta(seconds=1))
    await ann.erase()

    with pytest.raises(sayso.ErasedError, match="erased after this was said"):
        await ann.grant("purpose:marketing", shown="en", made_at=from_micros(before))
