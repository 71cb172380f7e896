"""The check in the process: a snapshot's `allows` against one `dict.get`, LaunchDarkly and OpenFeature."""

import timeit
from collections.abc import Callable
from statistics import median

from report import Figure, spread

ROUNDS = 9
TOPIC = "purpose:t11"


def _nanoseconds(call: Callable[[], object], number: int) -> float:
    return timeit.timeit(call, number=number) / number * 1e9


def measure() -> list[Figure]:
    """Give the figures."""
    ours, bare = _snapshot_check(), _dict_check()
    measured: dict[str, list[float]] = {"bare": [], "ours": []}
    peers: dict[str, Callable[[], object]] = {"LaunchDarkly": _launchdarkly(), "OpenFeature": _openfeature()}
    for name in peers:
        measured[name] = []
    for _ in range(ROUNDS):
        measured["bare"].append(_nanoseconds(bare, 400_000))
        measured["ours"].append(_nanoseconds(ours, 400_000))
        for name, call in peers.items():
            measured[name].append(_nanoseconds(call, 5_000))
    notes = ", ".join(f"{name} {median(values):,.0f} ns" for name, values in measured.items())
    against_bare = [one / other for one, other in zip(measured["ours"], measured["bare"], strict=True)]
    figures = [
        Figure(
            "preferences.allows, 24 topics: times one dict.get",
            median(against_bare),
            spread(against_bare),
            3.5,
            "less",
            notes,
        )
    ]
    for name in peers:
        ratios = [peer / one for peer, one in zip(measured[name], measured["ours"], strict=True)]
        figures.append(
            Figure(f"preferences.allows: times faster than {name}", median(ratios), spread(ratios), 40, "more")
        )
    return figures


def _dict_check() -> Callable[[], object]:
    answers = {f"purpose:t{place}": place % 2 == 1 for place in range(24)}

    def allows(topic: str) -> bool:
        return answers.get(topic, False)

    return lambda: allows(TOPIC)


def _snapshot_check() -> Callable[[], object]:
    from snapshots import snapshot

    preferences = snapshot(topics=24)
    if not preferences.allows(TOPIC) or preferences.allows("purpose:t10"):
        raise RuntimeError("the snapshot does not answer as it was made")
    return lambda: preferences.allows(TOPIC)


def _launchdarkly() -> Callable[[], object]:
    import ldclient
    from ldclient.config import Config
    from ldclient.context import Context
    from ldclient.integrations.test_data import TestData

    data = TestData.data_source()
    for place in range(24):
        data.update(data.flag(f"purpose:t{place}").variation_for_all(place % 2 == 1))
    client = ldclient.LDClient(Config("offline", update_processor_class=data, send_events=False))
    context = Context.create("cust-42")
    if client.variation(TOPIC, context, False) is not True:
        raise RuntimeError("LaunchDarkly does not answer as it was set up")
    return lambda: client.variation(TOPIC, context, False)


def _openfeature() -> Callable[[], object]:
    from openfeature import api
    from openfeature.provider.in_memory_provider import InMemoryFlag, InMemoryProvider

    flags = {
        f"purpose:t{place}": InMemoryFlag("on" if place % 2 else "off", {"on": True, "off": False})
        for place in range(24)
    }
    api.set_provider(InMemoryProvider(flags))
    client = api.get_client()
    if client.get_boolean_value(TOPIC, False) is not True:
        raise RuntimeError("OpenFeature does not answer as it was set up")
    return lambda: client.get_boolean_value(TOPIC, False)
