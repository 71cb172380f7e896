"""Whose messages a refusal is about: one sender, all of one controller, or the whole channel.

A STOP holds for the sender it went to, until that sender gets a START (47 CFR 64.1200(a)(10); the carriers' own blocks
work the same way). One that names only a controller holds for all that the controller sends, and one to a sender that
the catalogue doesn't list for all that the brand sends: nobody can tell there what was meant. A sender that it doesn't
list has to heed every STOP, for it may be anybody's. Only what names a sender or its controller lifts a STOP: a yes to
the whole channel, given elsewhere, does not, and neither does a STOP that was lifted allow anything by itself.
"""

from collections.abc import Iterator, Mapping

from sayso.model.choice import Detail
from sayso.model.preferences import TopicFold
from sayso.model.recorded import RecordedChoice
from sayso.model.topic import Controller, Sender
from sayso.rules.fold import merge, standing

_SEPARATORS = str.maketrans("", "", " -().\t\u00a0\u2009\u2010\u2011\u2012\u2013")
_CONTROLLER = "@"  # no address and no number begins so


def scope_of(sender: str) -> str:
    """Give the name under which a sender is known, however it was written.

    Args:
        sender: `+1 (555) 010-0123`, `15550100123`, `SHOP`, `news@dealer.example`, …

    Returns:
        The digits alone of a number; of anything else the text in lower case.
    """
    plain = sender.translate(_SEPARATORS).removeprefix("+")
    if plain.isascii() and plain.isdigit():
        return plain
    return sender.strip().casefold().lstrip(_CONTROLLER) or _UNNAMED


_UNNAMED = "?"


def controller_scope(controller: str) -> str:
    """Give the scope that stands for everything a controller sends."""
    return f"{_CONTROLLER}{controller}"


def scopes_of(detail: Detail | None) -> tuple[str, ...]:
    """Give what a choice about a channel is about; nothing where it is about the whole channel."""
    if detail is None:
        return ()
    scopes = [] if detail.sender is None else [scope_of(detail.sender)]
    if detail.controller is not None:
        scopes.append(controller_scope(detail.controller))
    return tuple(scopes)


def stop_for(fold: TopicFold, senders: Mapping[str, Sender], sender: str | None) -> RecordedChoice | None:
    """Give the latest refusal that keeps a sender of a channel silent; None if none does.

    Args:
        fold: What was said about the channel.
        senders: The catalogue's, for the channel.
        sender: Who would send. None asks for all of them at once: then any refusal of a single one keeps silent.

    Returns:
        A standing refusal of that sender, or of more than one sender that this one is among.
    """
    listed = _listed(senders)
    asked = None if sender is None else scope_of(sender)
    folds = dict(fold.scoped)
    own = None if asked is None else folds.get(asked)
    found: list[RecordedChoice] = []
    for scope, said in fold.scoped:
        stop = standing(said)
        if stop is None or not stop.is_refusal or not _covers(scope, asked, listed):
            continue
        if scope != asked and own is not None and _is_lifted(own, said):
            continue
        found.append(stop)
    return max(found, key=_recency, default=None)


def _listed(senders: Mapping[str, Sender]) -> dict[str, Controller]:
    """Give the controller of each listed sender; one that is listed as both's is as good as not listed."""
    listed: dict[str, Controller] = {}
    doubtful: set[str] = set()
    for name, one in senders.items():
        scope = scope_of(name)
        if listed.setdefault(scope, one.controller) is not one.controller:
            doubtful.add(scope)
    return {scope: controller for scope, controller in listed.items() if scope not in doubtful}


def known_scopes(fold: TopicFold, senders: Mapping[str, Sender]) -> Iterator[str]:
    """Give each single sender that can be asked about: those of the catalogue, and those that something was said to."""
    names = dict.fromkeys(scope_of(name) for name in senders)
    names.update(dict.fromkeys(scope for scope, _ in fold.scoped if not scope.startswith(_CONTROLLER)))
    return iter(names)


def _covers(scope: str, asked: str | None, listed: Mapping[str, Controller]) -> bool:
    if asked is None or scope == asked:
        return True
    whose = listed.get(asked)
    if whose is None:
        return True  # nobody knows whose it is, or it is a listed one written in another way
    if scope.startswith(_CONTROLLER):
        return scope == controller_scope(whose)
    return scope not in listed and whose is not Controller.PLATFORM


def _is_lifted(own: TopicFold, wider: TopicFold) -> bool:
    """Tell whether what was said to a sender itself lifts a refusal of more than that sender."""
    refusals = wider._replace(grants=(), by_brand=None)
    stands = standing(merge(own, refusals))
    return stands is not None and not stands.is_refusal


def _recency(choice: RecordedChoice) -> tuple[int, int]:
    return choice.effective_at, choice.version
