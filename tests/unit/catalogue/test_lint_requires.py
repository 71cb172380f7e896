"""What topics require: it exists, it ends, and it stays small."""

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.catalogue import Level, catalogue_from_python, lint
from sayso.catalogue.lint_requires import circles
from sayso.model.catalogue import Catalogue
from sayso.model.topic import LegalBasis, Topic

Graph = dict[str, tuple[str, ...]]
TEXT = {"en": "x"}


def found_in(graph: Graph) -> list[tuple[str, str, str]]:
    catalogue = Catalogue(
        topics={
            key: Topic(key=key, basis=LegalBasis.CONSENT, requires=names, title=TEXT, notice=TEXT)
            for key, names in graph.items()
        }
    )
    return [
        (finding.table, finding.key, finding.message)
        for finding in lint(catalogue)
        if finding.level is Level.ERROR and finding.table.startswith("topics")
    ]


def test_a_required_topic_that_does_not_exist_is_refused_with_the_nearest() -> None:
    assert found_in({"purpose:a": ("cookie:perfomance",), "cookie:performance": ()}) == [
        (
            'topics."purpose:a"',
            "requires",
            "'cookie:perfomance' is no topic of this catalogue; did you mean 'cookie:performance'?",
        )
    ]


def test_a_topic_that_requires_itself_is_a_circle() -> None:
    message = "goes in a circle: purpose:a → purpose:a; take one of them out"
    assert found_in({"purpose:a": ("purpose:a",)}) == [('topics."purpose:a"', "requires", message)]


def test_a_circle_is_named_in_order() -> None:
    graph: Graph = {"purpose:a": ("purpose:b",), "purpose:b": ("purpose:c",), "purpose:c": ("purpose:b",)}
    message = "goes in a circle: purpose:b → purpose:c → purpose:b; take one of them out"
    assert found_in(graph) == [('topics."purpose:b"', "requires", message)]


def test_a_partners_circle_is_named_by_the_partners_table(tables: dict[str, Any]) -> None:
    tables["topics"]["purpose:marketing"]["requires"] = ["partner:vinsolutions:share"]
    tables["partners"]["vinsolutions"]["flows"]["share"]["requires"] = ["purpose:marketing"]
    assert 'topics."purpose:marketing"' in {
        finding.table for finding in lint(catalogue_from_python(tables)) if "circle" in finding.message
    }
    tables["topics"]["purpose:marketing"]["requires"] = []
    tables["partners"]["vinsolutions"]["flows"]["share"]["requires"] = ["partner:vinsolutions:share"]
    (finding,) = lint(catalogue_from_python(tables))
    assert (finding.table, finding.key) == ("partners.vinsolutions.flows.share", "requires")


def chain(length: int) -> Graph:
    return {
        f"purpose:t{number:03}": (f"purpose:t{number + 1:03}",) if number < length else ()
        for number in range(length + 1)
    }


def test_32_topics_may_be_reached_and_33_not() -> None:
    assert found_in(chain(32)) == []
    message = "reaches more than 32 topics; require fewer"
    assert found_in(chain(33)) == [('topics."purpose:t000"', "requires", message)]


def test_a_retired_requirement_and_one_without_effect_are_warned_of(tables: dict[str, Any]) -> None:
    tables["topics"]["purpose:old"] = {"basis": "consent", "retired": True}
    tables["topics"]["purpose:marketing"]["requires"] = ["purpose:old"]
    tables["topics"]["purpose:quality"] |= {"basis": "contract", "requires": ["purpose:marketing"]}
    assert [str(finding) for finding in lint(catalogue_from_python(tables))] == [
        "warning: [topics.\"purpose:marketing\"] requires: 'purpose:old' is retired, so nobody new is asked for it",
        'warning: [topics."purpose:quality"] requires: has no effect: what rests on contract goes on regardless',
    ]


names = st.sampled_from("abcdefghij")
graphs = st.dictionaries(names, st.lists(names, unique=True, max_size=5).map(tuple))


def can_be_ordered(graph: Graph) -> bool:
    """Kahn's algorithm: take away what requires nothing that is left, until nothing is left or none can go."""
    left = {key: {name for name in required if name in graph} for key, required in graph.items()}
    while free := [key for key, required in left.items() if not required]:
        for key in free:
            del left[key]
        for required in left.values():
            required.difference_update(free)
    return not left


@given(graphs)
def test_a_circle_is_found_exactly_where_there_is_one(graph: Graph) -> None:
    assert bool(circles(graph)) is not can_be_ordered(graph)


@given(graphs)
def test_every_circle_named_is_one(graph: Graph) -> None:
    for circle in circles(graph):
        for key, required in zip(circle, (*circle[1:], circle[0]), strict=True):
            assert required in graph[key]


@given(graphs)
def test_taking_the_named_circles_out_until_none_is_left_always_ends(graph: Graph) -> None:
    for _ in range(60):
        found = circles(graph)
        if not found:
            break
        for circle in found:
            last, first = circle[-1], circle[0]
            graph[last] = tuple(name for name in graph[last] if name != first)
    assert can_be_ordered(graph)


def ladder(levels: int) -> Graph:
    """Two topics on each level, each requiring both of the next: 2^levels ways down, 2·levels topics."""
    graph: Graph = {}
    for level in range(levels):
        below = (f"purpose:l{level + 1}", f"purpose:r{level + 1}")
        graph[f"purpose:l{level}"] = graph[f"purpose:r{level}"] = below
    graph[f"purpose:l{levels}"] = graph[f"purpose:r{levels}"] = ()
    return graph


@pytest.mark.timeout(20)
def test_a_ladder_of_pairs_takes_no_longer_than_its_topics() -> None:
    graph = ladder(240)
    start = time.process_time()
    assert circles(graph) == []
    messages = {message for _, _, message in found_in(graph)}
    catalogue = Catalogue(
        topics={key: Topic(key=key, basis=LegalBasis.CONSENT, requires=names) for key, names in graph.items()}
    )
    closure = catalogue.closure("purpose:l0")
    # By ways instead of topics, 240 levels would outlast the universe.
    assert time.process_time() - start < 5
    assert messages == {"reaches more than 32 topics; require fewer"}
    assert len(closure) == 480
