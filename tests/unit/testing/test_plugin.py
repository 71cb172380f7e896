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
        "from sayso.testing import FakeSayso\n"
        "with FakeSayso() as fake:\n"
        "    ann = fake.client().sync().consumer('cust-42').grants('channel:sms')\n"
        "    print(ann.allows('channel:sms'), ann.grant('channel:email', shown='en').status)\n"
    )
    done = run(code, tmp_path)
    assert (done.stdout, done.stderr) == ("True confirmed\n", "")
