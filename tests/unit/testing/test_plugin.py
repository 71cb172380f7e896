"""The pytest plugin, as a user's suite meets it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

STRICT = "-p", "no:cacheprovider", "-o", "asyncio_mode=strict", "-o", "asyncio_default_fixture_loop_scope=function"
AUTO = "-p", "no:cacheprovider", "-o", "asyncio_mode=auto", "-o", "asyncio_default_fixture_loop_scope=function"


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    pytester.makeconftest('pytest_plugins = ["sayso.testing.plugin"]')
    return pytester


@pytest.mark.parametrize("mode", [AUTO, STRICT], ids=["auto", "strict"])
def test_the_fixture_works_in_either_mode_of_pytest_asyncio(suite: pytest.Pytester, mode: tuple[str, ...]) -> None:
    suite.makepyfile(
        """
        from datetime import timedelta

        import pytest

        pytestmark = pytest.mark.asyncio

        async def test_one(privacy):
            ann = privacy.consumer("cust-42").grants("purpose:marketing").denies("channel:sms")
            assert await ann.allows("purpose:marketing")
            assert not await ann.allows("channel:sms")
            with privacy.outage():
                assert not await ann.allows("purpose:marketing")
            privacy.republish({"topics": {"purpose:marketing": {"version": 2}}})
            assert (await ann.decide("purpose:marketing")).reason == "outdated"
            privacy.clock.advance(timedelta(days=1))
            with privacy.slow(2), privacy.flaky(0.1):
                assert not await ann.allows("purpose:marketing")
            privacy.assert_nothing_shared()

        async def test_the_next_one_starts_anew(privacy):
            assert not await privacy.consumer("cust-42").allows("purpose:marketing")
        """
    )
    suite.runpytest_subprocess("-W", "error", *mode).assert_outcomes(passed=2)


def test_the_synchronous_fixture(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        """
        def test_one(privacy_sync):
            ann = privacy_sync.consumer("cust-42").grants("purpose:marketing")
            assert ann.allows("purpose:marketing")
            with privacy_sync.outage():
                assert not ann.allows("purpose:marketing")
            privacy_sync.assert_nothing_shared()
        """
    )
    suite.runpytest_subprocess("-W", "error", *AUTO).assert_outcomes(passed=1)


def test_a_suite_publishes_its_own_catalogue(suite: pytest.Pytester) -> None:
    from sayso.testing import CATALOGUE_FILE

    suite.makefile(".toml", catalogue=CATALOGUE_FILE.read_text().replace('"channel:sms"', '"channel:pager"'))
    suite.makepyfile(
        """
        import pytest

        @pytest.fixture
        def sayso_catalogue():
            return "catalogue.toml"

        def test_one(privacy_sync):
            assert privacy_sync.consumer("cust-42").grants("channel:pager").allows("channel:pager")
        """
    )
    suite.runpytest_subprocess(*AUTO).assert_outcomes(passed=1)


def test_a_check_that_nobody_awaits_fails_the_test_and_says_what_to_write(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_shop="""
        def offer(ann):
            may = ann.allows("purpose:marketing")
            return {"offer": may}

        async def test_an_offer(privacy):
            ann = privacy.consumer("cust-42")
            assert offer(ann)["offer"] is not None

        async def test_a_comparison(privacy):
            assert privacy.consumer("cust-42").allows("channel:sms") != True

        async def test_fine(privacy):
            assert not await privacy.consumer("cust-42").allows("channel:sms")
        """
    )
    result = suite.runpytest_inprocess(*AUTO)
    result.assert_outcomes(passed=1, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*test_an_offer*",
            "allows() was called and never awaited, so nothing was asked. Write `await` before it:",
            'test_shop.py:2: may = ann.allows("purpose:marketing")',
            '    write: may = await ann.allows("purpose:marketing")',
            "*test_a_comparison*",
            'test_shop.py:10: assert privacy.consumer("cust-42").allows("channel:sms") != True',
            '    write: assert await privacy.consumer("cust-42").allows("channel:sms") != True',
        ]
    )


def test_any_other_call_that_nobody_awaits_fails_the_test_as_well(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_shop="""
        import asyncio

        async def test_a_command(privacy):
            ann = privacy.consumer("cust-42").grants("channel:sms")
            ann.withdraw("channel:sms")
            await privacy.consumer("cust-43").withdraw("channel:sms")

        async def test_a_question(privacy):
            privacy.decide_many([("cust-42", "channel:sms")])

        async def test_fine(privacy):
            ann = privacy.consumer("cust-42")
            later = ann.withdraw("channel:sms")
            await asyncio.gather(ann.withdraw("channel:email"), asyncio.create_task(ann.decide("channel:sms")))
            assert (await asyncio.wait_for(later, 5)).stands
            await privacy.flush()

        def test_fine_too(privacy_sync):
            ann = privacy_sync.consumer("cust-42")
            assert ann.withdraw("channel:sms").stands
            assert len(ann.opt_out("vinsolutions")) == 3
        """
    )
    result = suite.runpytest_subprocess("-W", "error", *AUTO)
    result.assert_outcomes(passed=2, failed=2)
    result.stdout.fnmatch_lines(
        [
            "*test_a_command*",
            "withdraw() was called and never awaited, so nothing was done. Write `await` before it:",
            'test_shop.py:5: ann.withdraw("channel:sms")',
            '    write: await ann.withdraw("channel:sms")',
            "*test_a_question*",
            "decide_many() was called and never awaited, so nothing was asked. Write `await` before it:",
            'test_shop.py:9: privacy.decide_many([[]("cust-42", "channel:sms")[]])',
            '    write: await privacy.decide_many([[]("cust-42", "channel:sms")[]])',
        ]
    )


def test_a_suite_may_put_something_of_its_own_in_the_place_of_a_command(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_shop="""
        import pytest
        import sayso

        GRANT = sayso.Consumer.grant

        @pytest.mark.parametrize("time", range(3))
        async def test_one(privacy, monkeypatch, time):
            async def grant(self, topic, **_):
                return "granted"

            monkeypatch.setattr(sayso.client.choosing.Choosing, "grant", grant)
            assert await privacy.consumer("cust-42").grant("channel:sms") == "granted"

        async def test_the_next_one_has_what_there_was_before(privacy):
            ann = privacy.consumer("cust-42")
            assert (await ann.grant("channel:sms", shown="en")).stands
            layers, method = 0, sayso.Consumer.grant
            while method is not GRANT and hasattr(method, "__wrapped__"):
                layers, method = layers + 1, method.__wrapped__
            assert layers <= 1
        """
    )
    suite.runpytest_subprocess("-W", "error", *AUTO).assert_outcomes(passed=4)


def test_a_test_that_fails_anyway_is_told_as_well(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_shop="""
        async def test_an_offer(privacy):
            assert privacy.consumer("cust-42").allows("channel:sms") is False
        """
    )
    result = suite.runpytest_inprocess(*AUTO)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E*AssertionError*",
            "*allows() was called and never awaited, so nothing was asked. Write `await` before it:",
            "*test_shop.py:2: assert privacy*",
        ]
    )


def test_a_client_that_the_code_made_itself_is_watched_too(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_shop="""
        import sayso

        async def test_an_offer():
            client = sayso.Client("http://127.0.0.1:9", "dealer.k1", "0123456789" * 4)
            client.consumer("cust-42").allows("channel:sms")
        """
    )
    result = suite.runpytest_inprocess(*AUTO)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(['test_shop.py:5: client.consumer("cust-42").allows("channel:sms")'])


async def test_outside_of_watched_tests_a_check_is_what_it_was() -> None:
    from sayso.client import asking, awaiting
    from sayso.testing.forgotten import watching

    with watching():
        assert asking.Allows is not awaiting.Allows
        with watching():
            pass
        assert asking.Allows is not awaiting.Allows
    assert asking.Allows is awaiting.Allows


async def test_outside_of_watched_tests_a_command_is_what_it_was_and_only_watches_that_run_hear_of_it() -> None:
    from sayso import Client, Consumer
    from sayso.testing.forgotten import watching

    before = Consumer.grant, Consumer.opt_out, Client.flush
    client = Client("http://127.0.0.1:9", "dealer.k1", "0123456789" * 4, outbox=False)
    with watching() as outer:
        with watching() as inner:
            call = client.flush()
            assert [place.name for place in inner.forgotten] == ["flush"]
            assert [place.name for place in outer.forgotten] == ["flush"]
            assert await call == 0
            assert inner.forgotten == outer.forgotten == []
        await client.flush()
        for _ in range(3_000):
            await client.flush()
        kept = client.flush()
        assert len(outer.forgotten) == 1
        del kept
    assert (Consumer.grant, Consumer.opt_out, Client.flush) == before


def run(code: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=50,
    )


SEEN = "import sys; print([name for name in sys.modules if name.startswith(('sayso.testing', 'sayso_server'))])"


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"SAYSO_TESTING": "1", "SAYSO_FAKE": "1", "TESTING": "1", "CI": "1"},
        {"SAYSO_URL": "fake://", "SAYSO_KEY_ID": "dealer.k1", "SAYSO_SECRET": "0123456789" * 4},
    ],
)
def test_nothing_in_the_environment_turns_the_fake_on(environment: dict[str, str], tmp_path: Path) -> None:
    code = (
        "import sayso\nfor name in sayso.__all__: getattr(sayso, name)\n"
        "try: sayso.Client.from_env()\nexcept sayso.ConfigurationError: pass\n" + SEEN
    )
    done = run(code, tmp_path, **environment)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_pytest_alone_does_not_load_the_plugin(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_it_is_not_there(request):
            assert "sayso.testing" not in sys.modules
            assert not request.config.pluginmanager.has_plugin("sayso.testing.plugin")
        """
    )
    pytester.runpytest_subprocess(*AUTO).assert_outcomes(passed=1)


def test_the_wheel_has_no_entry_point_for_pytest() -> None:
    from importlib.metadata import entry_points

    assert [found.value for found in entry_points(group="pytest11") if found.value.startswith("sayso")] == []


EXTRAS = "apsw", "cryptography", "orjson", "pydantic_settings", "rich", "uvloop", "pytest"


def test_the_kit_needs_nothing_beyond_what_the_sdk_needs(tmp_path: Path) -> None:
    code = (
        f"import sys\nsys.modules.update(dict.fromkeys({EXTRAS!r}))\n"
        "from datetime import timedelta\nfrom sayso.testing import FakeSayso\n"
        "with FakeSayso() as fake:\n"
        "    ann = fake.client().sync().consumer('cust-42').grants('channel:sms')\n"
        "    print(ann.allows('channel:sms'), ann.grant('channel:email', shown='en').status)\n"
        "    ann.withdraw_all()\n"
        "    erased = ann.erase()\n"
        "    fake.clock.advance(timedelta(minutes=1))\n"
        "    print(erased.version, ann.grant('channel:sms', shown='en').version)\n"
    )
    done = run(code, tmp_path)
    assert (done.stdout, done.stderr) == ("True confirmed\n4 7\n", "")
