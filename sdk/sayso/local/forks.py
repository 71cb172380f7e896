"""What must not be shared with a forked child, and is renewed there.

A child that went on with its parent's database connection, locks or threads would corrupt the first, wait for ever for
the second and miss the third (sqlite.org/howtocorrupt.html, 2.6). A fork waits until nobody is in the middle of
something, and the child starts afresh.
"""

import os
import threading
import weakref
from typing import Protocol


class Forked(Protocol):
    """Something that a fork must not tear apart."""

    def before_fork(self) -> None:
        """Come to rest, and stay so until one of the other two is called."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Let go of everything that is the parent's, without closing it, and start afresh on first use."""


class Renewed:
    """Something that a fork may find at any point, since the child makes its locks and flags anew."""

    def before_fork(self) -> None:
        """Do nothing."""

    def after_fork_in_parent(self) -> None:
        """Do nothing."""


class _Watched:
    def __init__(self) -> None:
        self.process = os.getpid()
        self.gate = threading.Lock()
        self.alive: weakref.WeakSet[Forked] = weakref.WeakSet()
        self.last: weakref.WeakSet[Forked] = weakref.WeakSet()
        self.resting: list[Forked] = []

    def in_order(self) -> list[Forked]:
        last = set(map(id, self.last))
        return sorted(self.alive, key=lambda thing: id(thing) in last)


_watched = _Watched()


def watch(thing: Forked, *, last: bool = False) -> None:
    """Have something renewed in every forked child, for as long as it lives.

    Args:
        thing: What.
        last: Whether it comes to rest after everything else: its lock is taken by what others do until they rest.
    """
    renew()
    with _watched.gate:  # a fork that is being prepared goes through all of them
        _watched.alive.add(thing)
        if last:
            _watched.last.add(thing)


def renew() -> None:
    """Start afresh if this process was forked by something that told nobody."""
    if _watched.process != os.getpid():
        _in_child()


def _before() -> None:
    _watched.gate.acquire()  # one fork at a time, so that two can't wait for each other
    _watched.resting = _watched.in_order()
    for thing in _watched.resting:
        thing.before_fork()


def _in_parent() -> None:
    resting, _watched.resting = _watched.resting, []
    for thing in resting:
        thing.after_fork_in_parent()
    _watched.gate.release()


def _in_child() -> None:
    # Everything, also what didn't come to rest: who embeds Python may call this hook alone.
    _watched.process = os.getpid()
    _watched.resting = []
    _watched.gate = threading.Lock()
    for thing in _watched.in_order():
        thing.after_fork_in_child()


os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
