"""One cached consumer as `bytes`: what a check needs first, then what revalidating needs, then the devices.

80 bytes as an object, and nothing that the garbage collector visits.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from collections.abc import Iterable
from struct import Struct
from typing import NamedTuple

NO_ROW = 0xFFFF_FFFF
"""A tombstone's row: it only remembers the version that an answer must not fall behind."""
MOST = 0xFFFF_FFFE
"""The highest version, row or slot that a record can hold."""

_QUICK = Struct("<dIIII")
_TAG = 18
_NO_TAG = bytes(_TAG)
_HEAD = _QUICK.size + _TAG
_ROW = Struct("<I")

quick = _QUICK.unpack_from
"""Give (until, row, epoch, slot, version): all that a check reads."""


class Record(NamedTuple):
    """A record, taken apart.

    Attributes:
        until: The boot clock at which time alone changes an answer in it, in seconds.
        row: The number of the row of answers, or `NO_ROW`.
        epoch: In which epoch of the stream it was asked for.
        slot: Its place on the clock face that decides who is dropped.
        version: The consumer's.
        tag: The entity tag in 18 bytes, zeros if it has another form.
        devices: The row on each device that has reported.
    """

    until: float
    row: int
    epoch: int
    slot: int
    version: int
    tag: bytes = _NO_TAG
    devices: tuple[tuple[str, int], ...] = ()

    @property
    def etag(self) -> str | None:
        """The entity tag as it is sent, or None."""
        return None if self.tag == _NO_TAG else f'"{urlsafe_b64encode(self.tag).decode()}"'

    def rows(self) -> Iterable[int]:
        """Give the number of every row that it uses."""
        if self.row != NO_ROW:
            yield self.row
        for _, row in self.devices:
            yield row


def pack(record: Record) -> bytes:
    """Put a record together."""
    head = _QUICK.pack(record.until, record.row, record.epoch, record.slot, record.version) + record.tag
    for device, row in record.devices:
        name = device.encode()
        head += bytes((len(name),)) + name + _ROW.pack(row)
    return head


def unpack(packed: bytes) -> Record:
    """Take a record apart."""
    devices: list[tuple[str, int]] = []
    at = _HEAD
    while at < len(packed):
        end = at + 1 + packed[at]
        (row,) = _ROW.unpack_from(packed, end)
        devices.append((packed[at + 1 : end].decode(), row))
        at = end + _ROW.size
    until, row, epoch, slot, version = quick(packed)
    return Record(until, row, epoch, slot, version, packed[_QUICK.size : _HEAD], tuple(devices))


def tag_of(etag: str | None) -> bytes:
    """Give an entity tag in 18 bytes, zeros if it isn't one that Sayso makes: then it can't be asked with."""
    if etag is None:
        return _NO_TAG
    try:
        tag = urlsafe_b64decode(etag.strip('"'))
    except (NotBase64Error, ValueError):
        return _NO_TAG
    return tag if f'"{urlsafe_b64encode(tag).decode()}"' == etag and len(tag) == _TAG else _NO_TAG
