"""The route table. What is not here does not exist."""

from sayso.model.age import AgeReport
from sayso.model.choice import ChoiceBatch
from sayso.model.disclosure import DisclosureBatch
from sayso.model.signal import SignalReport
from sayso.wire import MAX_BODY
from sayso_server.pages.plain import BASE, STYLE
from sayso_server.routes import catalogue, changes, choices, consumers, decisions, disclosures, service, several
from sayso_server.routes.access import ADMIN, ANYONE, BACKEND, CONSUMER, EXPORT, READ, RECORD
from sayso_server.routes.audit import audit_rows
from sayso_server.routes.erasure import erasure_rows
from sayso_server.routes.links import VisitorIsHere, make_post_link
from sayso_server.routes.requests_rows import requests_rows
from sayso_server.routes.table import CATALOGUE_BODY, SMALL_BODY, RateClass, Row
from sayso_server.services.checks import CheckBatch
from sayso_server.services.device_report import DeviceReportBody
from sayso_server.services.linking import LinkBody
from sayso_server.services.own import OwnCheckBatch, OwnChoiceBatch
from sayso_server.services.several import ConsumerBatch

_PAGE = {"before": "the version to go on before; take it from the Link header"}
_SNAPSHOT = {
    "at_least": "wait up to 2 s for this version, else 409",
    "as_of": "RFC 3339 time: what the system would have said then",
}
_CHANGES = {
    "Last-Event-ID": "the id of the last event that was received; the stream goes on after it, or says `reset`",
}
_HEAD = {"stream": "the id that the stream gave in `open`: it lasts as long as this request's token"}
_HAND_OVERS = {
    "consumer": "whose",
    "before": "where to go on; take it from the Link header",
}
_PUBLISH = {
    "allow_lower_majority": "`true` to publish a majority below 18",
    "allow_newly_shared": "`true` to publish what would let out data that the last 30 days' hand-overs kept back",
}
_NOTICES = {
    "topic": "the topic's key; needed",
    "version": "only the texts of this version",
    "language": "only the texts in this language, such as `en`",
}
_REPLAY = {"days": "how many days of hand-overs to decide again, 1 to 366; 30 without it"}


def make_rows(visitor_is_here: VisitorIsHere) -> tuple[Row, ...]:
    """Give every row; `service.make_openapi` adds the one that describes the others."""
    one = "/v1/consumers/{id}"
    # fmt: off
    return (
        Row("POST", "/v1/choices", choices.post_choices, "Record 1 to 500 choices", RECORD,
            body_limit=MAX_BODY, rate_class=RateClass.RECORD, body=ChoiceBatch, status=201, answer="Recorded"),
        Row("GET", one + "/preferences", consumers.get_preferences, "A consumer's preferences", READ,
            query=_SNAPSHOT, answer="Preferences"),
        Row("GET", one + "/choices", choices.get_choices, "A consumer's history, newest first", READ,
            query=_PAGE, answer="History"),
        Row("POST", "/v1/decisions", decisions.post_decisions, "Answer 1 to 500 checks", READ,
            body_limit=MAX_BODY, body=CheckBatch, answer="Decisions"),
        Row("POST", "/v1/preferences", several.post_preferences, "The preferences of 1 to 500 consumers", READ,
            body_limit=MAX_BODY, body=ConsumerBatch, answer="PreferencesOfSeveral"),
        Row("PUT", one + "/devices/{device_id}", consumers.put_device, "What a device says about its permissions",
            BACKEND, body_limit=SMALL_BODY, rate_class=RateClass.RECORD, body=DeviceReportBody,
            answer="DeviceRecorded"),
        Row("POST", one + "/signals", consumers.post_signal, "A signal was seen: GPC or DNT", BACKEND,
            body_limit=SMALL_BODY, rate_class=RateClass.RECORD, body=SignalReport, answer="SignalRecorded"),
        Row("PUT", one + "/age", consumers.put_age, "Evidence of age: a band, never a birth date", BACKEND,
            body_limit=SMALL_BODY, rate_class=RateClass.RECORD, body=AgeReport, answer="AgeRecorded"),
        Row("POST", one + "/links", make_post_link(visitor_is_here), "An anonymous visitor has signed in", BACKEND,
            body_limit=SMALL_BODY, rate_class=RateClass.RECORD, body=LinkBody, status=201, answer="Linked"),
        Row("GET", one + "/export", consumers.get_export, "Everything held about a consumer", EXPORT,
            single_use=True, rate_class=RateClass.ADMIN, answer="Export"),
        Row("GET", "/v1/catalogue", catalogue.get_catalogue, "The current catalogue", ANYONE,
            answer="Catalogue"),
        Row("PUT", "/v1/catalogue", catalogue.put_catalogue, "Publish the next revision", ADMIN,
            body_limit=CATALOGUE_BODY, rate_class=RateClass.ADMIN, status=201, query=_PUBLISH, answer="Published"),
        Row("POST", "/v1/catalogue/preview", catalogue.preview_catalogue, "What publishing would change", ADMIN,
            body_limit=CATALOGUE_BODY, rate_class=RateClass.ADMIN, answer="Preview"),
        Row("POST", "/v1/catalogue/replay", catalogue.replay_catalogue, "What it would have done to past hand-overs",
            ADMIN, body_limit=CATALOGUE_BODY, rate_class=RateClass.ADMIN, query=_REPLAY, answer="Replay"),
        Row("GET", "/v1/catalogue/notices", catalogue.get_notices, "Every text that a topic was ever asked with",
            ANYONE, query=_NOTICES, answer="Notices"),
        Row("POST", "/v1/disclosures", disclosures.post_disclosures, "Record 1 to 500 hand-overs to partners", BACKEND,
            body_limit=MAX_BODY, body=DisclosureBatch, status=201, answer="Disclosed"),
        Row("GET", "/v1/disclosures", disclosures.get_disclosures, "A consumer's hand-overs, newest first", READ,
            query=_HAND_OVERS, answer="Disclosures"),
        Row("GET", "/v1/changes", changes.get_changes, "What changes, as server-sent events", BACKEND,
            headers=_CHANGES, answer="Stream"),
        Row("GET", "/v1/changes/head", changes.get_head, "The newest position of the changes", BACKEND,
            query=_HEAD, answer="Head"),
        Row("POST", "/v1/me/choices", choices.post_choices, "Record one's own choices", CONSUMER, own_sub=True,
            body_limit=SMALL_BODY, rate_class=RateClass.RECORD, body=OwnChoiceBatch, status=201, answer="Recorded"),
        Row("GET", "/v1/me/choices", choices.get_choices, "One's own history", CONSUMER, own_sub=True, query=_PAGE,
            answer="History"),
        Row("GET", "/v1/me/disclosures", disclosures.get_disclosures, "To whom one's own data was handed over",
            CONSUMER, own_sub=True, query={"before": _HAND_OVERS["before"]}, answer="Disclosures"),
        Row("GET", "/v1/me/preferences", consumers.get_preferences, "One's own preferences", CONSUMER, own_sub=True,
            query=_SNAPSHOT, answer="Preferences"),
        Row("POST", "/v1/me/decisions", decisions.post_decisions, "Checks about oneself", CONSUMER, own_sub=True,
            body_limit=SMALL_BODY, body=OwnCheckBatch, answer="Decisions"),
        Row("PUT", "/v1/me/devices/{device_id}", consumers.put_device, "What one's own device says", CONSUMER,
            own_sub=True, body_limit=SMALL_BODY, rate_class=RateClass.RECORD, body=DeviceReportBody,
            answer="DeviceRecorded"),
        Row("POST", "/v1/me/signals", consumers.post_signal, "One's own signal", CONSUMER, own_sub=True,
            body_limit=SMALL_BODY, rate_class=RateClass.RECORD, body=SignalReport, answer="SignalRecorded"),
        Row("PUT", "/v1/me/age", consumers.put_age, "One's own age band, with source self", CONSUMER, own_sub=True,
            body_limit=SMALL_BODY, rate_class=RateClass.RECORD, body=AgeReport, answer="AgeRecorded"),
        Row("GET", "/v1/me/catalogue", catalogue.get_catalogue, "The catalogue that decides about one", CONSUMER,
            own_sub=True, answer="Catalogue"),
        *erasure_rows(),
        *audit_rows(),
        *requests_rows(),
        Row("GET", "/healthz", service.healthz, "The process answers", rate_class=RateClass.PUBLIC),
        Row("GET", "/readyz", service.readyz, "The server can take choices", rate_class=RateClass.PUBLIC),
        Row("GET", "/.well-known/gpc.json", service.gpc, "Global Privacy Control is honoured here",
            rate_class=RateClass.PUBLIC, answer="GpcSupport"),
        Row("GET", BASE, service.style, "Colours and first settings of every page", rate_class=RateClass.PUBLIC,
            answer="Style"),
        Row("GET", STYLE, service.style, "The style of the pages that need no script", rate_class=RateClass.PUBLIC,
            answer="Style"),
        Row("GET", "/", service.home, "The first page", rate_class=RateClass.PUBLIC, answer="Page"),
    )
    # fmt: on
