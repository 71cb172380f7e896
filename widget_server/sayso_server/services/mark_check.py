"""Whether the key file still has the key that this database's marks were made with."""

import asyncio
import hmac

from sayso.errors import ConfigurationError
from sayso_server.services.marks import Marks
from sayso_server.storage.base import Storage

_ANOTHER = (
    "the key file (SAYSO_KEYS) is not the one that this database was used with: the key of its marks is missing or "
    "another, so nobody who was erased would be known again; put that file back from its backup. If it is lost for "
    "good, start the server once with --accept-loss: it goes on with the key of this file"
)


async def check_mark_key(storage: Storage, marks: Marks, *, serving: bool) -> None:
    """Refuse a key file with another key; note which key it is the first time.

    Args:
        storage: The database, opened.
        marks: Made with the key file.
        serving: A server asks, which needs the key from now on. A command needs none in a database without any marks.

    Raises:
        ConfigurationError: The key is another, or the file is unsafe or damaged.
    """
    noted = await storage.mark_check()
    if noted is None and not serving:
        return
    # None is made where there ought to be one: from then on it would look like the right file.
    there = await asyncio.to_thread(marks.load, make=noted is None)
    if noted is None:
        await storage.keep_mark_check(marks.check_value())
    elif not (there and hmac.compare_digest(noted, marks.check_value())):
        raise ConfigurationError(_ANOTHER)
