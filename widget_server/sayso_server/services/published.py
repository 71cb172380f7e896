"""One revision of a brand's catalogue, with what follows from it alone, made when it is first asked for."""

import hashlib
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from sayso.model.catalogue import Catalogue
from sayso.model.instant import Micros
from sayso_server.jsonio import dumps
from sayso_server.services.entries import Silence


class Shown(NamedTuple):
    """A revision as `GET /v1/catalogue` answers it.

    Attributes:
        etag: Strong entity tag (RFC 9110 §8.8.3), quoted: of the bytes, as another release may show more of a revision.
        body: JSON.
    """

    etag: str
    body: bytes


@dataclass(frozen=True, eq=False)
class Published:
    """A published catalogue.

    Attributes:
        revision: Counted from 1; 0 while nothing is published.
        catalogue: Its content; without topics while nothing is published.
        brand_id: Whose it is.
        published_at: When it was published, in microseconds; 0 while nothing is.
        body: The content as it is stored; empty while nothing is.
    """

    revision: int
    catalogue: Catalogue
    brand_id: str = ""
    published_at: Micros = 0
    body: bytes = b""

    @cached_property
    def silence(self) -> Silence:
        """What it says to a consumer who has said nothing."""
        return Silence(self.catalogue)

    @cached_property
    def shown(self) -> Shown:
        """How `GET /v1/catalogue` answers it."""
        body = dumps({"revision": self.revision, "brand": self.brand_id, **self.catalogue.to_wire()})
        digest = hashlib.sha256(body).digest()
        return Shown(f'"{urlsafe_b64encode(digest[:18]).decode()}"', body)
