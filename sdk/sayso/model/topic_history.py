"""What the server keeps of how a topic's notice came to be what it is."""

from typing import Annotated

from pydantic import Field, StrictInt

from sayso.model.instant import Micros
from sayso.model.table import Table


class TopicHistory(Table):
    """Written by whoever publishes a revision, from the revision before it; nobody writes it in a file.

    Attributes:
        minor: How often a text changed under the topic's present version. A choice keeps which one was shown.
        since: When the present version was first published, in microseconds; None for the topic's first version.
        previous: The version that was in force until then; None for the topic's first version.
    """

    minor: Annotated[StrictInt, Field(ge=0)] = 0
    since: Annotated[Micros, Field(strict=True)] | None = None
    previous: Annotated[StrictInt, Field(ge=1)] | None = None
