"""An open database file: its checks, its lock, its connections and its high-water mark."""

import logging
import os
import threading
from contextlib import ExitStack

import apsw

from sayso.errors import ConfigurationError
from sayso_server.storage.files import check_private, create_private, private_path
from sayso_server.storage.sqlite.connect import open_reader, open_writer, warn_about_old_sqlite
from sayso_server.storage.sqlite.lock import ServerLock
from sayso_server.storage.sqlite.mark import Mark, complaint, read_mark, write_mark
from sayso_server.storage.sqlite.readers import Readers
from sayso_server.storage.sqlite.schema import known_migrations, migrate
from sayso_server.storage.sqlite.statements import rows

_log = logging.getLogger(__name__)

MARK_EVERY_SECONDS = 1.0
_SIDE_FILES = ("-wal", "-shm", "-journal", ".lock", ".hwm")
_HOW_FAR = "SELECT store_id, sequence FROM meta"
_NEW_STORE = "UPDATE meta SET store_id = lower(hex(randomblob(16))), sequence = max(sequence, ?) + 1"


class Database:
    """Opens the file or refuses it, and keeps its high-water mark. Everything here blocks: call it on a thread.

    Attributes:
        store_id: The database's id.
        writing: The writing connection.
        readers: The reading ones.
    """

    def __init__(self, path: str | os.PathLike[str], *, server: bool, accept_loss: bool) -> None:
        """Open it.

        Raises:
            ConfigurationError: It is unsafe, unknown, in use by another server, or shorter than its high-water mark.
        """
        warn_about_old_sqlite(apsw.SQLITE_VERSION_NUMBER)
        self._path = private_path(path)
        for suffix in _SIDE_FILES:
            check_private(self._path.with_name(self._path.name + suffix))
        with ExitStack() as undo:
            if server:
                undo.callback(ServerLock(self._path).release)
            # The mark before the database: a running server moves both on, the database always first.
            mark = read_mark(self._path)
            if not check_private(self._path):
                _insist(complaint(self._path, mark, None), accept_loss)
                create_private(self._path)
            self.writing = open_writer(self._path, server=server)
            undo.callback(self.writing.close)
            try:
                migrate(self.writing, self._path, known_migrations())
                self._check_mark(mark, accept_loss)
                self.readers = Readers(self._path)
                undo.callback(self.readers.close)
                self._marker = open_reader(self._path)
                undo.callback(self._marker.close)
            except apsw.Error as error:
                raise ConfigurationError(f"{self._path} can't be opened: {error}") from error
            self._written: Mark | None = None
            self.keep_mark()
            self._ending = threading.Event()
            self._thread = threading.Thread(target=self._keep_marking, name="sayso-mark", daemon=True)
            if server:
                self._thread.start()
            self._undo = undo.pop_all()

    def close(self) -> None:
        """Write the mark and let go of everything. Nothing may be written or read any more."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join()
        self.keep_mark()
        self._undo.close()

    def keep_mark(self) -> None:
        """Write down how far the database has come, if that has changed."""
        try:
            mark = self._how_far(self._marker)
            if mark != self._written:
                write_mark(self._path, mark)
                self._written = mark
        except (OSError, apsw.Error, ConfigurationError) as error:
            # Without room on the disk for 54 bytes; the next second tries again.
            _log.warning("the high-water mark was not written: %s", type(error).__name__)

    def _check_mark(self, mark: Mark | None, accept_loss: bool) -> None:
        found = self._how_far(self.writing)
        wrong = complaint(self._path, mark, found)
        _insist(wrong, accept_loss)
        if mark is not None and wrong is not None:
            _log.warning("%s", wrong)
            self.writing.execute(_NEW_STORE, (mark.sequence,))
            found = self._how_far(self.writing)
            write_mark(self._path, found, replace=True)
        elif mark is None and found.sequence:
            _log.warning("%s has no high-water mark, so nobody can tell whether it is whole", self._path)
        self.store_id = found.store_id

    def _how_far(self, connection: apsw.Connection) -> Mark:
        ((store_id, sequence),) = rows(connection.cursor(), _HOW_FAR)
        return Mark(store_id, sequence)

    def _keep_marking(self) -> None:
        while not self._ending.wait(MARK_EVERY_SECONDS):
            self.keep_mark()


def _insist(wrong: str | None, accept_loss: bool) -> None:
    if wrong is not None and not accept_loss:
        raise ConfigurationError(wrong)
