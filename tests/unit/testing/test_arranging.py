from datetime import timedelta

import pytest

import sayso
from sayso.testing import FakeSayso, FrozenClock, Privacy


@pytest.fixture
def privacy(fake: FakeSayso) -> Privacy:
    return fake.client()


async def test_what_is_arranged_holds_at_once_and_in_one_line(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("purpose:marketing", "channel:sms").denies("channel:email")
    assert await ann.allows("purpose:marketing") is True
    assert await ann.allows("channel:sms") is True
    assert (await ann.decide("channel:email")).reason == "denied"


async def test_later_verbs_have_seen_the_earlier_ones(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("channel:sms").withdraws("channel:sms").grants("channel:sms")
    assert await ann.allows("channel:sms") is True
    ann.withdraws("channel:sms")
    assert (await ann.decide("channel:sms")).reason == "withdrawn"


async def test_everything_is_taken_back(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("channel:sms", "channel:email").withdraws_all()
    assert [await ann.allows(topic) for topic in ("channel:sms", "channel:email")] == [False, False]


async def test_a_device_reports(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("permission:camera")
    ann.reports_device("pixel-8", {"android.permission.CAMERA": "granted"})
    ann.reports_device("iphone", {"AVCaptureDevice": "denied"}, vocabulary="react-native")
    assert await ann.allows("permission:camera", device="pixel-8") is True
    assert await ann.allows("permission:camera", device="iphone") is False


async def test_the_later_report_of_a_device_counts_though_time_stands_still(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("permission:camera")
    ann.reports_device("pixel-8", {"android.permission.CAMERA": "denied"})
    ann.reports_device("pixel-8", {"android.permission.CAMERA": "granted"})
    assert await ann.allows("permission:camera", device="pixel-8") is True


async def test_signals_and_age_decide(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").sends_signal("gpc", device="laptop")
    ben = privacy.consumer("cust-43").grants("channel:sms").is_a_minor()
    assert (await ann.decide("cookie:advertising")).reason == "signal"
    assert (await ben.decide("channel:sms")).reason == "minor"
    assert await ben.is_an_adult().allows("channel:sms") is True
    ann.grants("cookie:advertising", overrides=("gpc",))
    assert await ann.allows("cookie:advertising") is True


async def test_a_grant_ends_when_its_time_has_come(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("channel:sms", expires_after=timedelta(days=30))
    privacy.clock.advance(timedelta(days=29))
    assert await ann.allows("channel:sms") is True
    privacy.clock.advance(timedelta(days=1))
    assert (await ann.decide("channel:sms")).reason == "expired"


async def test_a_partners_flows_are_opted_into_and_out_of(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").opts_in("vinsolutions").opts_in("vinsolutions", flow=sayso.Flow.RECEIVE)
    ben = privacy.consumer("cust-43").opts_out("vinsolutions", flow="share")

    assert [(await ann.decide(f"partner:vinsolutions:{flow}")).reason for flow in sayso.Flow] == [
        "granted",
        "granted",
        "not_asked",
    ]
    assert (await ben.decide("partner:vinsolutions:share")).reason == "denied"
    assert (await ben.decide("partner:vinsolutions:receive")).reason == "not_asked"
    ann.opts_out("vinsolutions", method="chat")
    assert [(await ann.decide(f"partner:vinsolutions:{flow}")).reason for flow in sayso.Flow] == [
        "withdrawn",
        "withdrawn",
        "denied",
    ]


async def test_arranging_says_the_same_as_the_call_of_that_name(privacy: Privacy) -> None:
    arranged, called = privacy.consumer("cust-42"), privacy.consumer("cust-43")
    arranged.opts_in("vinsolutions", flow="share", shown="es").opts_out("vinsolutions")
    await called.opt_in("vinsolutions", flow="share", shown="es")
    await called.opt_out("vinsolutions")

    async def said(ann: sayso.Consumer) -> list[tuple[str, str, str | None]]:
        return sorted([(one.topic, one.answer, one.notice_language) async for one in ann.history()], key=str)

    assert await said(arranged) == await said(called)


async def test_a_partner_or_topic_that_the_fake_does_not_have_is_answered_with_what_it_has(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42")
    with pytest.raises(sayso.InvalidError, match=r"no partner 'crm'; it has vinsolutions\. .*republish\(") as caught:
        ann.opts_out("crm")
    assert caught.value.code == "unknown_topic"
    with pytest.raises(sayso.InvalidError) as caught:
        ann.grants("channel:pager")
    told = str(caught.value)
    assert "the catalogue has no topic 'channel:pager'. The fake's catalogue has purpose:service, " in told
    assert 'privacy.republish("catalogue.toml")' in told
    assert "did you mean" not in told
    assert "GET /v1" not in told


async def test_what_the_server_would_refuse_is_refused_with_its_words(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42")
    with pytest.raises(sayso.InvalidError, match="no topic 'channel:smss'; did you mean channel:sms") as caught:
        ann.grants("channel:smss")
    assert caught.value.code == "unknown_topic"
    with pytest.raises(sayso.InvalidError) as caught:
        ann.denies("purpose:service")
    assert caught.value.code == "not_refusable"
    with pytest.raises(sayso.InvalidError):
        ann.reports_device("pixel-8", {}, vocabulary="symbian")
    with pytest.raises(sayso.InvalidError):
        privacy.consumer("ann@example.com")
    with pytest.raises(TypeError, match="name a topic"):
        ann.grants()


async def test_a_snapshot_taken_before_is_never_answered_from_afterwards(privacy: Privacy) -> None:
    ann = privacy.consumer("cust-42").grants("channel:sms")
    assert (await ann.preferences()).allows("channel:sms") is True
    ann.withdraws("channel:sms")
    assert (await ann.preferences()).allows("channel:sms") is False


async def test_a_client_with_a_cache_sees_what_its_own_handle_arranges_at_once(fake: FakeSayso) -> None:
    async with fake.client(live=True) as privacy:
        ann = privacy.consumer("cust-42").grants("channel:sms")
        for _ in range(20):
            assert await ann.allows("channel:sms") is True
            ann.withdraws("channel:sms")
            assert await ann.allows("channel:sms") is False
            ann.grants("channel:sms")


async def test_two_fakes_know_nothing_of_each_other(fake: FakeSayso) -> None:
    async with FakeSayso(brand="shop") as other:
        fake.consumer("cust-42").grants("channel:sms")
        assert other.client().brand == "shop"
        assert await fake.client().consumer("cust-42").allows("channel:sms") is True
        assert await other.client().consumer("cust-42").allows("channel:sms") is False


async def test_ids_stay_out_of_representations(fake: FakeSayso) -> None:
    assert repr(fake.consumer("cust-42")) == "<FakeConsumer>"
    assert repr(fake) == "<FakeSayso of dealer>"
    assert fake.credentials().secret not in repr(fake.credentials())


async def test_a_fake_that_is_not_running_says_how_to_start_it() -> None:
    with pytest.raises(RuntimeError, match="async with FakeSayso"):
        FakeSayso().client()
    with pytest.raises(RuntimeError, match="async with FakeSayso"):
        FakeSayso().consumer("cust-42").grants("channel:sms")


async def test_only_a_frozen_clock_is_moved() -> None:
    from sayso.transport.clock import SYSTEM_CLOCK

    async with FakeSayso(clock=SYSTEM_CLOCK) as fake:
        privacy = fake.client()
        assert await privacy.consumer("cust-42").grants("channel:sms").allows("channel:sms") is True
        with pytest.raises(TypeError, match="can't be moved"):
            privacy.clock  # noqa: B018
    clock = FrozenClock()
    async with FakeSayso(clock=clock) as fake:
        assert fake.client().clock is clock


async def test_a_minor_is_arranged_with_a_guardian(privacy: Privacy) -> None:
    ben = privacy.consumer("cust-43").is_a_minor()
    with pytest.raises(sayso.InvalidError) as caught:
        ben.grants("channel:sms")
    assert caught.value.code == "minor"
    ben.guardian_grants("channel:sms")
    assert await ben.allows("channel:sms") is True
    ben.denies("channel:sms")
    with pytest.raises(sayso.InvalidError) as over_it:
        ben.guardian_grants("channel:sms")
    assert over_it.value.code == "refused_by_minor"


def test_nobody_has_a_guardian_once_they_are_of_age(privacy: Privacy) -> None:
    with pytest.raises(sayso.InvalidError) as caught:
        privacy.consumer("cust-43").is_an_adult().guardian_grants("channel:sms")
    assert caught.value.code == "not_a_minor"
