"""How often somebody without a token may send: buckets by network."""

from datetime import timedelta
from ipaddress import ip_network

import pytest
from aiohttp.test_utils import make_mocked_request

from sayso_server.routes.pace import Pace, network_of

SECOND = 1_000_000
PROXY = (ip_network("10.0.0.0/8"),)


def request_from(remote, *forwarded):
    headers = [("X-Forwarded-For", line) for line in forwarded]
    made = make_mocked_request("POST", "/rights", headers=dict(headers))
    return made.clone(remote=remote)


def test_a_burst_goes_through_and_then_one_after_each_pause():
    pace = Pace(burst=2, every=timedelta(seconds=10))

    assert [pace.take("a", 0), pace.take("a", 0), pace.take("a", 0)] == [0, 0, 10 * SECOND]
    assert pace.take("a", 4 * SECOND) == 6 * SECOND
    assert [pace.take("a", 10 * SECOND), pace.take("a", 10 * SECOND)] == [0, 10 * SECOND]


def test_one_networks_burst_is_none_of_anothers():
    pace = Pace(burst=1, every=timedelta(seconds=10))
    pace.take("a", 0)

    assert pace.take("b", 0) == 0


def test_a_pause_long_enough_fills_the_bucket_and_no_more():
    pace = Pace(burst=2, every=timedelta(seconds=10))
    pace.take("a", 0)
    later = 3600 * SECOND

    assert [pace.take("a", later) for _ in range(3)] == [0, 0, 10 * SECOND]


def test_all_networks_together_are_bounded_however_many_somebody_has():
    pace = Pace(burst=2, every=timedelta(seconds=10), together=(3, timedelta(seconds=4)))

    assert [pace.take(name, 0) for name in "abcd"] == [0, 0, 0, 4 * SECOND]
    assert pace.take("d", 4 * SECOND) == 0


def test_a_network_that_has_to_wait_uses_up_nothing_of_what_all_have():
    pace = Pace(burst=1, every=timedelta(seconds=10), together=(2, timedelta(seconds=10)))

    assert [pace.take("a", 0) for _ in range(5)] == [0, *[10 * SECOND] * 4]
    assert pace.take("b", 0) == 0


def test_memory_is_bounded():
    pace = Pace(burst=1, every=timedelta(seconds=10), most=3)
    for name in "abcd":
        pace.take(name, 0)

    assert pace.take("d", 0) == 10 * SECOND  # still known
    assert pace.take("a", 0) == 0  # forgotten, the oldest


@pytest.mark.parametrize(
    ("remote", "forwarded", "network"),
    [
        ("192.0.2.7", [], "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", [], "2001:db8:1::/56"),
        ("::ffff:192.0.2.7", [], "192.0.2.7"),
        ("192.0.2.7", ["198.51.100.1"], "192.0.2.7"),  # nobody's proxy: what it says is not believed
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),  # the first may be made up
        ("10.0.0.1", ["198.51.100.1, 10.0.0.2"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1:4711"], "198.51.100.1"),  # a proxy that adds the port
        ("10.0.0.1", ["[2001:db8:1:2::3]:4711"], "2001:db8:1::/56"),
        ("10.0.0.1", ["rubbish"], "unknown"),
        ("10.0.0.1", [], "unknown"),
    ],
)
def test_whom_a_request_counts_for(remote, forwarded, network):
    assert network_of(request_from(remote, *forwarded), PROXY) == network
