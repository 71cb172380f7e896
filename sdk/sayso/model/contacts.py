"""Whom a consumer can turn to."""

from typing import Annotated

from pydantic import Field

from sayso.model.table import Email, HttpsUrl, Line, Region, Table, Texts


class Contact(Table):
    """An office that answers for the data, or for a part of the world (GDPR Art. 13(1)(a) and (b), 27).

    Attributes:
        name: The office.
        address: Where post reaches it, one line per entry.
        email: Where mail reaches it.
        phone: Where calls reach it, if they do.
        url: Its page, if it has one.
    """

    name: Line
    address: Annotated[tuple[Line, ...], Field(min_length=1, max_length=8)]
    email: Email
    phone: Line | None = None
    url: HttpsUrl | None = None


class Authority(Table):
    """A public authority that takes complaints (GDPR Art. 77, PIPEDA s. 11, CCPA 1798.199.45).

    Attributes:
        name: Its official name, by language.
        url: The page where a complaint starts.
        regions: Where it is competent.
    """

    name: Texts
    url: HttpsUrl
    regions: Annotated[tuple[Region, ...], Field(min_length=1)]


class Contacts(Table):
    """Everybody a notice has to name.

    Attributes:
        controller: The brand's own office.
        data_protection_officer: The data protection officer.
        eu_representative: The representative in the Union of a controller outside it.
        uk_representative: The same for the United Kingdom.
        authorities: By a short name of the region.
    """

    controller: Contact | None = None
    data_protection_officer: Contact | None = None
    eu_representative: Contact | None = None
    uk_representative: Contact | None = None
    authorities: dict[str, Authority] = Field(default_factory=dict)
