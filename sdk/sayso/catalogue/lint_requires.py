"""Whether what topics require exists, ends, and stays small."""

from collections.abc import Iterator, Mapping
from typing import Final

from sayso.catalogue.finding import Finding, error, no_topic, table_of, warning
from sayso.model.catalogue import Catalogue

MOST_REACHABLE: Final = 32
"""Topics that one topic may require, directly or not: each is looked at in every check."""


def requires(catalogue: Catalogue) -> Iterator[Finding]:
    """Find requirements that are unknown, retired, without effect, in a circle, or too many."""
    for topic in catalogue.topics.values():
        if topic.retired:
            continue
        table = table_of(topic)
        if topic.requires and not topic.refusable:
            yield warning(table, "requires", f"has no effect: what rests on {topic.basis} goes on regardless")
        for key in topic.requires:
            required = catalogue.topic(key)
            if required is None:
                yield error(table, "requires", no_topic(catalogue, key))
            elif required.retired:
                yield warning(table, "requires", f"{key!r} is retired, so nobody new is asked for it")
    graph = {key: topic.requires for key, topic in catalogue.topics.items()}
    for circle in circles(graph):
        topic = catalogue.topics[circle[0]]
        path = " → ".join((*circle, circle[0]))
        yield error(table_of(topic), "requires", f"goes in a circle: {path}; take one of them out")
    for key, topic in catalogue.topics.items():
        if _reaches_too_many(graph, key):
            yield error(table_of(topic), "requires", f"reaches more than {MOST_REACHABLE} topics; require fewer")


def circles(graph: Mapping[str, tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Find circles in a graph of requirements, in time linear in its size.

    Args:
        graph: What each topic requires; names that are no key require nothing.

    Returns:
        At least one circle if there is any, each as the topics on it in order; none if there is none.
    """
    found = []
    done: set[str] = set()
    for start in graph:
        if start in done:
            continue
        # Depth first without recursion: `path` leads to where we are, `place` is each topic's index on it.
        path = [start]
        place = {start: 0}
        rest = [iter(graph[start])]
        while path:
            for key in rest[-1]:
                if key in place:
                    found.append(tuple(path[place[key] :]))
                elif key in graph and key not in done:
                    place[key] = len(path)
                    path.append(key)
                    rest.append(iter(graph[key]))
                    break
            else:
                rest.pop()
                finished = path.pop()
                del place[finished]
                done.add(finished)
    return found


def _reaches_too_many(graph: Mapping[str, tuple[str, ...]], key: str) -> bool:
    seen = {key}
    waiting = [key]
    while waiting:
        for required in graph.get(waiting.pop(), ()):
            if required not in seen:
                if len(seen) > MOST_REACHABLE:
                    return True
                seen.add(required)
                waiting.append(required)
    return False
