import subprocess
import sys

import pytest

import sayso


def test_everything_promised_is_there_and_flat() -> None:
    for name in sayso.__all__:
        assert getattr(sayso, name).__name__ == name
    assert set(sayso.__all__) <= set(dir(sayso))
    assert sorted(sayso.__all__) == sorted(sayso._HOME_OF)


def test_what_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'sayso' has no attribute 'Clinet'"):
        sayso.Clinet  # noqa: B018


@pytest.mark.parametrize(
    "code",
    [
        "import sayso",
        "import sayso; sayso.Preferences; sayso.Decision; sayso.Recorded; sayso.Error",
        "import sayso; sayso.new_choice_id(); sayso.coarsen(1, 2, 'city'); sayso.Catalogue",
        "import sayso.rules.fold, sayso.rules.decide, sayso.rules.explain",
    ],
)
def test_rules_and_snapshots_do_not_pay_for_the_network(code: str) -> None:
    heavy = "aiohttp", "jwt", "tenacity"
    script = f"{code}\nimport sys\nprint([name for name in {heavy!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=50)

    assert done.stdout == "[]\n"
