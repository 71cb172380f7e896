"""The journal of erasures: a file beside the keys, outside the database and its backups.

A backup brings back whoever was erased after it was made. The journal has a mark of each of them, so that the first
start on a restored backup erases them again. It names nobody: a mark says something only with the key and the id.
"""

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from sayso.errors import ConfigurationError
from sayso_server.owner_only import locked, read_owned
from sayso_server.storage.base import StoredTombstone
from sayso_server.storage.files import open_private, private_path

_LONGEST_LINE = 1024 * 1024


class ErasureJournal:
    """The `<SAYSO_KEYS>.erased` file: a line of JSON for each erased id, 0600, only ever appended to.

    Both methods block on the disk; in a coroutine, call them through `asyncio.to_thread`.
    """

    def __init__(self, path: Path) -> None:
        """Name the file; it need not exist before the first erasure."""
        self.path = path

    def read(self) -> Mapping[tuple[str, bytes], StoredTombstone]:
        """Give the newest tombstone of each brand and mark.

        Raises:
            ConfigurationError: The file is unsafe (see `read_owned`) or damaged.
        """
        newest: dict[tuple[str, bytes], StoredTombstone] = {}
        text = read_owned(self.path) or b""
        for number, line in enumerate(text.splitlines(keepends=True), start=1):
            if not line.endswith(b"\n"):
                break  # the power went while it was written; nobody was told that it was done
            brand_id, tombstone = self._parse(number, line)
            known = newest.get((brand_id, tombstone.mark))
            if known is None or known.erased_at <= tombstone.erased_at:
                newest[brand_id, tombstone.mark] = tombstone
        return newest

    def add(self, brand_id: str, tombstones: Sequence[StoredTombstone]) -> None:
        """Append tombstones; they are on disk when it returns.

        Raises:
            ConfigurationError: The file is unsafe or can't be written.
        """
        lines = [
            json.dumps([brand_id, each.mark.hex(), each.version, each.erased_at, each.body.hex()]) + "\n"
            for each in tombstones
        ]
        with locked(self.path):
            try:
                descriptor = open_private(private_path(self.path))
                try:
                    self._append(descriptor, "".join(lines).encode())
                finally:
                    os.close(descriptor)
            except OSError as error:
                raise ConfigurationError(f"{self.path} can't be written: {error.strerror}") from None

    def _append(self, descriptor: int, content: bytes) -> None:
        # What follows the last whole line was torn by a power cut, and nobody was told that it was done.
        size = os.lseek(descriptor, 0, os.SEEK_END)
        start = max(0, size - _LONGEST_LINE)
        whole = start + os.pread(descriptor, _LONGEST_LINE, start).rfind(b"\n") + 1
        os.ftruncate(descriptor, whole)
        os.lseek(descriptor, whole, os.SEEK_SET)
        while content:
            content = content[os.write(descriptor, content) :]
        os.fsync(descriptor)

    def _parse(self, number: int, line: bytes) -> tuple[str, StoredTombstone]:
        try:
            brand_id, mark, version, erased_at, body = json.loads(line)
            left = StoredTombstone(bytes.fromhex(mark), int(version), int(erased_at), bytes.fromhex(body))
            return str(brand_id), left
        except (ValueError, TypeError):
            pass
        raise ConfigurationError(
            f"line {number} of {self.path} is damaged, so nobody can tell who has to stay erased; "
            "put the file back from its own backup, or remove that line alone"
        )
