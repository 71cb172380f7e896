"""Reading: points on the caller's thread, everything longer on a few threads of its own."""

import asyncio
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import apsw

from sayso_server.storage.base import StorageUnavailableError
from sayso_server.storage.sqlite.connect import open_reader

THREADS = 2


class Readers:
    """Owns the reading connections. They see everything that was acknowledged, and never wait for the writer."""

    def __init__(self, path: Path) -> None:
        self._point = open_reader(path)
        self._cursor = self._point.cursor()
        self._free = deque(open_reader(path) for _ in range(THREADS))
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="sayso-reader")

    def point(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Read a row or a few here and now: some microseconds.

        Raises:
            StorageUnavailableError: It can't be read.
        """
        try:
            # All of it: a half-read statement would hold its view of the database, and so the write-ahead log.
            return self._cursor.execute(sql, values).fetchall()
        except apsw.Error as error:
            raise _unavailable(error) from error

    async def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Read any number of rows on another thread.

        Raises:
            StorageUnavailableError: It can't be read.
        """
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._read, sql, values)
        except apsw.Error as error:
            raise _unavailable(error) from error

    def close(self) -> None:
        """Finish what is being read, then close the connections."""
        self._threads.shutdown()
        for connection in (self._point, *self._free):
            connection.close()

    def _read(self, sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        connection = self._free.pop()  # there is one for each thread
        try:
            return connection.execute(sql, values).fetchall()
        finally:
            self._free.append(connection)


def _unavailable(error: apsw.Error) -> StorageUnavailableError:
    return StorageUnavailableError(f"the database can't be read now: {type(error).__name__}")
