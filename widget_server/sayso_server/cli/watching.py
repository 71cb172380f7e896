"""Publishing a catalogue file whenever it is saved. A mistake in it is told and stops nothing."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from sayso.catalogue import read_catalogue
from sayso.errors import CatalogueError
from sayso_server.cli.catalogue import warnings_of
from sayso_server.cli.output import note, refusal_lines
from sayso_server.services import Services
from sayso_server.services.refusals import RefusedError

LOOK_EVERY = timedelta(milliseconds=500)


class _Stamp(NamedTuple):
    inode: int
    size: int
    modified: int


class WatchedCatalogue:
    """One brand's catalogue file."""

    def __init__(self, path: Path, brand_id: str) -> None:
        """Name file and brand; nothing is read before the first `publish`."""
        self.path = path
        self._brand_id = brand_id
        self._stamp: _Stamp | None = None

    async def publish(self, services: Services) -> None:
        """Publish the file, or say what is wrong with it and leave things as they are."""
        # Taken before reading: what is saved meanwhile is seen the next time.
        self._stamp = await asyncio.to_thread(self._look)
        try:
            catalogue = await asyncio.to_thread(read_catalogue, self.path)
            result = await services.publishing.publish(
                self._brand_id, catalogue, allow_lower_majority=True, allow_newly_shared=True
            )
        except CatalogueError as error:
            note(f"{error}\nNothing was published; mend it and save it again.")
        except RefusedError as refusal:
            note("\n".join(["The catalogue can't be published:", *refusal_lines(refusal), "Mend it and save again."]))
        else:
            for warning in warnings_of(catalogue):
                note(warning)
            if result.changed:
                note(f"Revision {result.revision} is published, with {len(catalogue.topics)} topics.")
            else:
                note(f"Nothing has changed; revision {result.revision} stays.")

    async def follow(self, services: Services, *, every: timedelta = LOOK_EVERY) -> None:
        """Publish the file each time it changes, until cancelled."""
        while True:
            await asyncio.sleep(every.total_seconds())
            found = await asyncio.to_thread(self._look)
            # Some editors remove the file for a moment while they save it.
            if found is not None and found != self._stamp:
                await self.publish(services)

    def _look(self) -> _Stamp | None:
        try:
            found = self.path.stat()
        except OSError:
            return None
        return _Stamp(found.st_ino, found.st_size, found.st_mtime_ns)
