"""The limit on open files, tried in a process of its own."""

import subprocess
import sys

import pytest

TRY = """
import resource
from sayso_server.descriptors import allow_many_connections

resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
allow_many_connections()
print(*resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(("soft", "hard", "after"), [(256, 2_048, "2048 2048"), (900, 900, "900 900")])
def test_the_limit_is_raised_as_far_as_it_may_be_and_no_further(soft: int, hard: int, after: str) -> None:
    script = TRY.format(soft=soft, hard=hard)

    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert ended.stdout.strip() == after
