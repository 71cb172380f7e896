"""Where data comes from, besides the chat itself."""

from enum import StrEnum

from pydantic import Field, StrictBool, StrictStr

from sayso.model.duration import Duration
from sayso.model.table import HttpsUrl, Table, Texts


class Provider(StrEnum):
    """Who or what hands the data over."""

    CONSUMER = "consumer"
    DEVICE = "device"
    BRAND = "brand"
    PARTNER = "partner"
    PUBLIC = "public"
    THIRD_PARTY = "third_party"


class Source(Table):
    """One way in which data is collected (GDPR Art. 13 and 14).

    Attributes:
        title: What it is, by language.
        provided_by: Who hands the data over.
        topics: The topics that decide about it.
        data_classes: Retention classes of what is collected.
        warning: What the consumer has to know first, such as that a post becomes public.
        never_consent: Being found there is no consent, whatever the source claims: a bought list of people
            who once ticked a box somewhere stays an opt-out here.
    """

    title: Texts = Field(default_factory=dict)
    provided_by: Provider
    topics: tuple[StrictStr, ...] = ()
    data_classes: tuple[StrictStr, ...] = ()
    warning: Texts | None = None
    never_consent: StrictBool = False


class CookieTechnology(StrEnum):
    """By what means a page or an app remembers or recognises a device."""

    COOKIE = "cookie"
    LOCAL_STORAGE = "local_storage"
    PIXEL = "pixel"
    SDK = "sdk"


class Cookie(Table):
    """One cookie, pixel, stored item or SDK that a page or app sets or calls.

    Attributes:
        topic: The cookie topic that decides about it.
        technology: What it is.
        provider: Who sets it.
        description: What it does, by language.
        lasts: How long it stays on the device; None until the browser or app closes.
        policy_url: The provider's own policy, for a third party's.
    """

    topic: StrictStr
    technology: CookieTechnology = CookieTechnology.COOKIE
    provider: StrictStr
    description: Texts = Field(default_factory=dict)
    lasts: Duration | None = None
    policy_url: HttpsUrl | None = None
