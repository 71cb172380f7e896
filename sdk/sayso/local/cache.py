"""What was last answered about the consumers used most, kept true by the change stream.

It answers only while three things hold: the client has proved within `max_staleness` that it missed no change
(`verified_until`), the answer was asked for in the current epoch of the stream, and no time has come that changes an
answer in it.
"""

import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta
from typing import Any

from sayso.local.answers import Answers
from sayso.local.bodies import Bodies
from sayso.local.entries import Entries
from sayso.local.flights import Flight, Flights
from sayso.local.overlay import Overlay
from sayso.local.record import MOST, Record, quick, tag_of, unpack
from sayso.local.rows import ALLOWING, Rows
from sayso.local.vouched import Vouched
from sayso.model.instant import MICROS_PER_SECOND, Micros, parse_instant
from sayso.transport.clock import SYSTEM_CLOCK, Clock, boot_time

LONGEST_LIFE = timedelta(hours=1)
"""No entry lives longer without asking again: its end was worked out on a wall clock, which may be wrong."""
_NEAR = 24 * 3600 * MICROS_PER_SECOND
"""Ends so near are remembered as the wall clock's, so that an entry kept on ends by what that clock says then."""

_BODIES_SHARE = 8


class Cache:
    """Bounded by consumers and bytes. Reads take no lock; whatever writes does.

    Attributes:
        vouched: What a check looks at first.
        verified_until: The boot clock until which nothing that was changed elsewhere can have been missed.
        epoch: Counts how often everything had to be asked for again: the stream started anew, or the catalogue changed.
    """

    __slots__ = (
        "_bodies",
        "_boot",
        "_clock",
        "_ends",
        "_entries",
        "_flights",
        "_gaps",
        "_lock",
        "_revision",
        "epoch",
        "verified_until",
        "vouched",
    )

    def __init__(self, clock: Clock, overlay: Overlay, *, consumers: int, max_bytes: int) -> None:
        """Start empty.

        Args:
            clock: Time.
            overlay: Who has something pending; their answers are never taken from here unseen.
            consumers: How many to keep at most.
            max_bytes: How much to keep at most; an eighth of it is for whole snapshots.
        """
        self._clock = clock
        self._boot: Callable[[], float] = boot_time if clock is SYSTEM_CLOCK else clock.boot
        self.vouched = Vouched(self._boot, overlay)
        self._entries = Entries(consumers, max_bytes - max_bytes // _BODIES_SHARE, self._dropped)
        self._bodies = Bodies(max_bytes // _BODIES_SHARE)
        self._flights = Flights()
        self._lock = threading.RLock()
        self._revision = -1
        self.verified_until = 0.0
        self.epoch = 0
        self._gaps = 0
        self._ends: dict[str, Micros] = {}

    def allows(self, consumer_id: str, topic: str, device: str | None = None) -> bool | None:
        """Answer a check, or None if it can't be vouched for."""
        packed = self._entries.packed.get(consumer_id)
        if packed is None:
            return None
        until, row, epoch, slot, _ = quick(packed)
        until = min(until, self.verified_until)
        if self._boot() >= until or epoch != self.epoch:
            return None
        if device is not None:
            row = dict(unpack(packed).devices).get(device, row)
        with self._lock:
            if self._entries.packed.get(consumer_id) is not packed:  # another thread has just recorded something
                return None
            self._entries.touch(slot)
            codes, places = self._entries.rows.table[row], self._entries.rows.places
            self.vouched.put(consumer_id, device, until, codes, places)
        return topic in places and codes[places[topic]] < ALLOWING  # a snapshot names every topic there is

    def answers(self, consumer_id: str, *, proved_at: float | None = None) -> Answers | None:
        """Give all that is known of a consumer, or None if it can't be vouched for.

        Args:
            consumer_id: Whose.
            proved_at: The boot clock until which the server has just said that nothing has changed; by default, what
                the stream proves counts.
        """
        with self._lock:
            record, rows = self._entries.record(consumer_id), self._entries.rows
            if record is None or record.epoch != self.epoch:
                return None
            until = min(record.until, self.verified_until if proved_at is None else proved_at)
            if self._boot() >= until:
                return None
            on_devices = {
                (topic, device): reason for device, row in record.devices for topic, reason in rows.reasons(row).items()
            }
            return Answers(consumer_id, record.version, rows.revision, rows.reasons(record.row), on_devices, until)

    def fresh(self, consumer_id: str) -> Record | None:
        """Give an entry that can be vouched for now."""
        record = self._entries.record(consumer_id)
        now = self._boot()
        if record is None or now >= record.until or now >= self.verified_until or record.epoch != self.epoch:
            return None
        return record

    def body(self, consumer_id: str, *, fresh: bool = True) -> bytes | None:
        """Give the whole snapshot of a consumer, if it is here; by default only if it can be vouched for now."""
        with self._lock:
            record = self.fresh(consumer_id) if fresh else self._entries.record(consumer_id)
            return None if record is None else self._bodies.get(consumer_id, record.etag)

    def etag(self, consumer_id: str, *, whole: bool) -> str | None:
        """Give the entity tag to ask again with.

        Args:
            consumer_id: Whose.
            whole: Whether "unchanged" helps only if the whole snapshot is here.
        """
        record = self._entries.record(consumer_id)
        if record is None or self._boot() >= record.until:  # when it ends is to be worked out anew
            return None
        with self._lock:
            return None if whole and self._bodies.get(consumer_id, record.etag) is None else record.etag

    def floor(self, consumer_id: str) -> int:
        """Give the newest version known of a consumer, which no answer may fall behind; 0 if none is."""
        return max(self._entries.version(consumer_id), self._flights.floor(consumer_id))

    # --- asking ---

    def begin(self, *consumer_ids: str) -> Flight:
        """Note that a request about consumers begins; `end` must follow."""
        with self._lock:
            return self._flights.begin(consumer_ids, self._gaps)

    def end(self, flight: Flight) -> None:
        """Note that it is over."""
        with self._lock:
            self._flights.end(flight)

    def store(self, flight: Flight, data: Mapping[str, Any], etag: str | None, body: bytes | None = None) -> bool:
        """Keep a snapshot, unless the stream has said meanwhile that it is old.

        Args:
            flight: The request that brought it.
            data: The snapshot.
            etag: Its entity tag.
            body: The same as it came; without it only the answers are kept.

        Returns:
            Whether it was kept.

        Raises:
            KeyError, TypeError, ValueError: It is no snapshot.
        """
        consumer_id, version, revision = data["consumer_id"], int(data["version"]), int(data["catalogue_revision"])
        valid_until = data.get("valid_until")
        ends = None if valid_until is None else parse_instant(valid_until)
        until = self._until(ends)
        with self._lock:
            if flight.gaps != self._gaps or consumer_id not in flight.consumer_ids or version > MOST:
                return False
            if version < self.floor(consumer_id) or revision < self._revision:
                return False
            topics = data["topics"]
            if revision != self._entries.rows.revision or not self._entries.rows.has_topics(topics):
                self._new_rows(revision, topics)
            rows = self._entries.rows
            reported = {device for entry in topics.values() for device in entry.get("by_device") or ()}
            row = rows.keep(rows.encode(topics))
            devices = tuple((device, rows.keep(rows.encode(topics, device))) for device in sorted(reported))
            self._entries.put(consumer_id, Record(until, row, self.epoch, 0, version, tag_of(etag), devices))
            if ends is not None and ends - self._clock.now() < _NEAR:
                self._ends[consumer_id] = ends
            if body is not None:
                self._bodies.put(consumer_id, etag, body)
            self._entries.shrink()
            return True

    def unchanged(self, flight: Flight, consumer_id: str, etag: str) -> bool:
        """Keep an entry on: the server says that it is still the same.

        Returns:
            Whether the answers with that entity tag are here and were kept.
        """
        with self._lock:
            record = self._entries.record(consumer_id)
            if record is None or record.etag != etag or flight.gaps != self._gaps:
                return False
            if record.version < self._flights.floor(consumer_id):
                return False
            # When time alone changes something is part of what the tag stands for, so that moment stays; how far off it
            # is may have changed with the wall clock.
            ends = self._ends.get(consumer_id)
            until = record.until if ends is None else min(record.until, self._until(ends))
            self._entries.restamp(consumer_id, record._replace(until=until), self.epoch)
            self.vouched.drop(consumer_id)
            return True

    # --- what becomes known ---

    def changed(self, consumer_id: str, version: int) -> None:
        """Take in that a consumer is at a version: an older answer no longer counts, nor does one on its way.

        The version stays behind as a tombstone. Of consumers who are neither kept nor asked about, nothing is noted.
        """
        with self._lock:
            self._flights.changed(consumer_id, version)
            if consumer_id in self._entries.packed and self._entries.version(consumer_id) < version:
                self._bury(consumer_id, version)

    def saw(self, consumer_id: str, version: int) -> None:
        """Take in a version that this process has just recorded."""
        self.changed(consumer_id, version)

    def linked(self, visitor: str, consumer_id: str) -> None:
        """Take in that a visitor is a consumer, whose answers count for both from now on."""
        with self._lock:
            self.vouched.aliases.learn(visitor, consumer_id)
            self.vouched.drop(visitor)

    def catalogue(self, revision: int) -> None:
        """Take in that a catalogue was published: everything decided by an older one goes, only versions stay."""
        with self._lock:
            if revision > self._revision:
                self._new_rows(revision, ())

    def new_epoch(self) -> None:
        """Take in that changes may have been missed: every entry is asked for again before it counts."""
        with self._lock:
            self.epoch += 1
            self._gaps += 1
            self.vouched.clear()

    def clear(self) -> None:
        """Forget everything, versions too: they are another database's."""
        with self._lock:
            self.epoch += 1
            self._gaps += 1
            self._revision = -1
            self._bodies.clear()
            self._ends.clear()
            self.vouched.clear()
            self._entries.empty(self.epoch)

    def before_fork(self) -> None:
        """Let whoever writes come to the end."""
        self._lock.acquire()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Start empty: nobody keeps this copy true."""
        self._lock = threading.RLock()
        self._flights = Flights()
        self.verified_until = 0.0
        self.clear()

    def __len__(self) -> int:
        return len(self._entries.packed)

    # --- inside ---

    def _new_rows(self, revision: int, topics: Iterable[str]) -> None:
        self.epoch += 1
        self._revision = revision
        self._entries.new_rows(Rows(revision, topics), self.epoch)
        self.vouched.clear()
        self._bodies.clear()

    def _until(self, moment: Micros | None) -> float:
        now = self._boot()
        longest = now + LONGEST_LIFE.total_seconds()
        if moment is None:
            return longest
        return min(longest, now + (moment - self._clock.now()) / MICROS_PER_SECOND)

    def _dropped(self, consumer_id: str) -> None:
        self.vouched.drop(consumer_id)
        self._ends.pop(consumer_id, None)

    def _bury(self, consumer_id: str, version: int) -> None:
        self._bodies.drop(consumer_id)
        self._entries.bury(consumer_id, version, self.epoch)
