"""What a server's no means for the entries that were sent. Plain: an error in, a verdict out.

Only a 422, or a 409 `notice_stale`, that names an entry parks that entry, and a 410 `erased` drops those it names.
Everything else keeps them all: keys are rotated, catalogues published and proxies misconfigured while choices wait, and
none of that may cost one.
"""

import re
from http import HTTPStatus
from typing import NamedTuple

from sayso.errors import Error
from sayso.wire import Code

_NAMES_AN_ENTRY = re.compile(r"/(?:choices|disclosures)/([0-9]+)(?:/|$)")


class Verdict(NamedTuple):
    """What to do.

    Attributes:
        park: Places in the batch, each with the server's code and sentence.
        drop: Places of entries about somebody who was erased since.
        defer: Places to leave out for a while, so that the rest can go on.
        halve: Whether less is to be sent at once.
    """

    park: dict[int, tuple[str, str]]
    drop: frozenset[int] = frozenset()
    defer: frozenset[int] = frozenset()
    halve: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether there is a reason to try again at once: something was taken out, or made smaller."""
        return bool(self.park or self.drop or self.defer or self.halve)


def judge(error: Error, sent: int, *, batched: bool) -> Verdict:
    """Say what becomes of the entries of one request.

    Args:
        error: What the server answered.
        sent: How many entries were sent.
        batched: Whether an error would name an entry by its place. A report is sent alone, so it is about that one.
    """
    named: dict[int, tuple[str, str]] = {}
    for problem in error.problems:
        found = _NAMES_AN_ENTRY.match(problem.pointer)
        place = int(found[1]) if found else 0 if not batched else sent
        if place < sent:
            named.setdefault(place, (problem.code, problem.message))
    stale = error.status == HTTPStatus.CONFLICT and error.code == Code.NOTICE_STALE
    if named and (stale or error.status == HTTPStatus.UNPROCESSABLE_ENTITY):
        return Verdict(named)
    if error.status == HTTPStatus.GONE and error.code == Code.ERASED:
        if named or sent == 1:
            return Verdict({}, drop=frozenset(named) or frozenset({0}))
        return Verdict({}, halve=True)
    if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE and sent > 1:
        return Verdict({}, halve=True)
    if named and len(named) < sent and error.status in (HTTPStatus.CONFLICT, HTTPStatus.BAD_REQUEST):
        return Verdict({}, defer=frozenset(named))
    if sent == 1 and error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Verdict({}, defer=frozenset({0}))
    return Verdict({})
