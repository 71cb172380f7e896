"""Publishing and reading catalogues, and keys that the server does or doesn't accept."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

import sayso
from sayso_server.keys import new_key

TOML = """
languages = ["en"]
default_language = "en"

[topics."purpose:survey"]
basis = "consent"
title.en = "Surveys"
notice.en = "We ask how it went."
data_classes = ["contact"]

[topics."channel:sms"]
basis = "consent"
version = 2
title.en = "Text messages"
notice.en = "We send texts, reminders too."
change.en = "Reminders are new."

[retention.contact]
period = "P730D"
start = "last_contact"
title.en = "Contact data"
ground.en = "To answer later questions."

[contacts.controller]
name = "Privacy office"
address = ["1 Main Street"]
email = "post@dealer.example"
"""


async def test_the_catalogue_is_read_as_published(privacy: sayso.Client) -> None:
    catalogue = await privacy.catalogue()

    assert (catalogue.brand, catalogue.revision, catalogue.languages) == ("dealer", 1, ("en", "es"))
    assert list(catalogue.topics)[:2] == ["purpose:marketing", "purpose:training"]
    assert catalogue.topics["purpose:training"]["version"] == 2
    assert catalogue.topics["channel:sms"]["title"] == {"en": "Text messages", "es": "Mensajes de texto"}
    assert set(catalogue.partners) == {"vinsolutions"}
    assert catalogue.flows("vinsolutions") == (
        "partner:vinsolutions:share",
        "partner:vinsolutions:receive",
        "partner:vinsolutions:combine",
    )


async def test_an_admin_key_publishes_a_file_and_it_holds_at_once(
    served: Any, ann: sayso.Consumer, tmp_path: Path
) -> None:
    await ann.grant("channel:sms", shown="en")
    await ann.deny("purpose:marketing")
    file = tmp_path / "catalogue.toml"
    file.write_text(TOML)
    admin = served.client(role="admin")
    first = await admin.publish_catalogue(file)
    again = await admin.publish_catalogue(str(file))

    assert (first.revision, first.changed) == (2, True)
    assert (again.revision, again.changed) == (2, False)
    reasons = {
        topic: (await ann.decide(topic)).reason for topic in ("channel:sms", "purpose:survey", "purpose:marketing")
    }
    assert reasons == {"channel:sms": "outdated", "purpose:survey": "not_asked", "purpose:marketing": "unknown_topic"}
    assert (await ann.preferences()).catalogue_revision == 2
    assert (await ann.withdraw("purpose:marketing")).stands is True  # a retired topic can still be refused


async def test_a_key_without_the_role_publishes_nothing(privacy: sayso.Client, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text(TOML)
    with pytest.raises(sayso.ForbiddenError) as caught:
        await privacy.publish_catalogue(file)

    assert caught.value.code == "scope"
    assert (await privacy.catalogue()).revision == 1


async def test_an_admin_key_records_nothing(served: Any) -> None:
    ann = served.client(role="admin").consumer("cust-42")
    with pytest.raises(sayso.ForbiddenError):
        await ann.grant("channel:sms", shown="en")
    with pytest.raises(sayso.ForbiddenError):
        await ann.allows("purpose:service")


async def test_a_file_that_can_t_be_read_names_table_and_key(served: Any, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text(TOML.replace('basis = "consent"\nversion', 'basis = "hope"\nversion'))
    with pytest.raises(sayso.CatalogueError) as caught:
        await served.client(role="admin").publish_catalogue(file)

    assert [(problem.table, problem.key) for problem in caught.value.found] == [('topics."channel:sms"', "basis")]


async def test_the_server_s_lint_names_what_it_refuses(served: Any, tmp_path: Path) -> None:
    file = tmp_path / "catalogue.toml"
    file.write_text(
        TOML.replace('[topics."channel:sms"]\nbasis = "consent"', '[topics."channel:sms"]\nbasis = "contract"')
    )
    with pytest.raises(sayso.InvalidError) as caught:
        await served.client(role="admin").publish_catalogue(file)

    assert caught.value.code == "catalogue_invalid"
    assert [(problem.pointer, problem.code) for problem in caught.value.problems] == [
        ("/topics/channel:sms/basis", "catalogue_invalid"),  # a channel is the consumer's to refuse
        ("/topics/channel:sms/basis", "basis_changed"),  # and people had a choice about this one before
    ]
    assert (await served.client().catalogue()).revision == 1


async def test_a_wrong_secret_is_said_aloud_by_commands_and_checks(served: Any) -> None:
    _, secret = new_key("dealer", "HS256", ["backend"], ["backend"], now=0)
    privacy = served.client(secret=secret)
    ann = privacy.consumer("cust-42")
    granting = ann.grant("channel:sms", shown="en")
    for asking in (granting, ann.decide("purpose:service"), ann.preferences(), privacy.catalogue()):
        with pytest.raises(sayso.NotAuthenticatedError) as caught:
            await asking
        assert caught.value.code == "token_invalid"
        assert str(secret) not in str(caught.value)
    with pytest.raises(sayso.NotAuthenticatedError):
        await ann.allows("purpose:service")


async def test_a_revoked_key_stops_counting_with_the_next_request(ann: sayso.Consumer, served: Any) -> None:
    assert await ann.allows("purpose:service") is True
    assert await served.storage.revoke_key("dealer", served.key_id(), served.clock.now())

    with pytest.raises(sayso.NotAuthenticatedError) as caught:
        await ann.allows("purpose:service")
    assert caught.value.code == "token_invalid"


class SlowClock:
    """A machine whose clock is behind."""

    def __init__(self, clock: Any, behind: timedelta) -> None:
        self._clock = clock
        self._behind = behind // timedelta(microseconds=1)

    def now(self) -> int:
        return int(self._clock.now()) - self._behind

    def boot(self) -> float:
        return float(self._clock.boot())

    async def sleep(self, seconds: float) -> None:
        await self._clock.sleep(seconds)


async def test_a_token_is_signed_anew_before_it_ends(ann: sayso.Consumer, served: Any) -> None:
    for _ in range(4):
        assert await ann.allows("purpose:service") is True
        served.clock.forward(timedelta(minutes=3))
    assert (await ann.deny("channel:sms")).version == 1


async def test_a_token_that_ended_early_by_the_server_s_clock_is_renewed_unnoticed(served: Any) -> None:
    ann = served.client(clock=SlowClock(served.clock, timedelta(minutes=4, seconds=30))).consumer("cust-42")
    assert await ann.allows("purpose:service") is True
    served.clock.forward(timedelta(seconds=40))

    assert await ann.allows("purpose:service") is True
    assert (await ann.deny("channel:sms")).version == 1


@pytest.mark.parametrize("behind", [timedelta(minutes=6), timedelta(days=1), timedelta(days=-1)])
async def test_a_clock_too_far_off_to_sign_any_token_is_put_right_by_the_server_s(
    served: Any, behind: timedelta
) -> None:
    ann = served.client(clock=SlowClock(served.clock, behind)).consumer("cust-42")

    assert await ann.allows("purpose:service") is True
    assert (await ann.withdraw("channel:sms")).status == "confirmed"


async def test_a_choice_counts_from_the_server_s_clock_whatever_the_sender_s_says(served: Any) -> None:
    clock = SlowClock(served.clock, timedelta(minutes=2))
    recorded = await served.client(clock=clock).consumer("cust-42").deny("channel:sms")

    assert recorded.effective_at == recorded.recorded_at == served.clock.moment
