"""The rows of rights requests."""

from sayso.model.request import TRANSITION_BODIES, FindBody, NewRequest, OwnRequest, Transition
from sayso.wire import Role
from sayso_server.routes import requests
from sayso_server.routes.access import ANYONE, CONSUMER, EXPORT, READ, Access
from sayso_server.routes.table import SMALL_BODY, RateClass, Row

FILE = Access(
    backend=frozenset({Role.BACKEND, Role.PRIVACY_OFFICER}),
    staff=frozenset({Role.AGENT, Role.PRIVACY_OFFICER}),
)
OFFICER = Access(backend=frozenset({Role.PRIVACY_OFFICER}), staff=frozenset({Role.PRIVACY_OFFICER}))
WORK = Access(backend=frozenset(Role) - {Role.AGENT}, staff=frozenset(Role) - {Role.BACKEND})
"""Whoever may not make a transition is told by the service, which also says what they may do."""

_SUMMARIES = {
    Transition.ACKNOWLEDGE: "Confirm receipt (backend, privacy_officer)",
    Transition.VERIFY: "Ask who is asking; unanswered it expires (backend, privacy_officer)",
    Transition.START: "It is known who asks, and the work begins (backend, privacy_officer)",
    Transition.EXTEND: "Put the answer off once, with a reason (privacy_officer)",
    Transition.FULFIL: "It is done (backend, privacy_officer)",
    Transition.DENY: "Deny it, with grounds; recourse is put in (privacy_officer)",
    Transition.REVOKE: "The consumer takes it back (backend, privacy_officer)",
    Transition.HAND_OVER: "The brand or the platform goes on with it (privacy_officer)",
    Transition.NOTE: "Add to the file (backend, privacy_officer)",
    Transition.LIFT: "End a restriction, the consumer having been told (privacy_officer)",
}
_LIST = {
    "state": "`open` (the default), `closed` or one state",
    "consumer": "only this consumer's; without `state` all of theirs, newest first",
    "after": "where to go on; take it from the Link header",
}
_PLACE = {"jurisdiction": "where the consumer lives, such as US-CA", "language": "in which language"}


def requests_rows() -> tuple[Row, ...]:
    """Give the rows."""
    one, own = "/v1/requests/{request_id}", "/v1/me/requests/{request_id}"
    # fmt: off
    return (
        Row("POST", "/v1/requests", requests.post_request, "File a rights request for a consumer", FILE,
            body_limit=SMALL_BODY, body=NewRequest, status=201, answer="Filed"),
        Row("GET", "/v1/requests", requests.get_requests, "The brand's rights requests, by when they are due", READ,
            query=_LIST, answer="Requests"),
        Row("POST", "/v1/requests/find", requests.find_requests, "The rights requests of an address or number",
            OFFICER, body_limit=SMALL_BODY, body=FindBody, answer="Requests"),
        Row("GET", one, requests.get_request, "A rights request", READ, answer="Request"),
        Row("GET", one + "/result", requests.get_result, "Everything held, as a zip", EXPORT, single_use=True,
            rate_class=RateClass.ADMIN, answer="Zip"),
        *(
            Row("POST", f"{one}/{transition}", requests.make_act(transition), _SUMMARIES[transition], WORK,
                body_limit=SMALL_BODY, rate_class=RateClass.ADMIN, body=body, answer="Request")
            for transition, body in TRANSITION_BODIES.items()
        ),
        Row("GET", "/v1/recourse", requests.get_recourse, "Whom a consumer can turn to", ANYONE, query=_PLACE,
            answer="Recourse"),
        Row("POST", "/v1/me/requests", requests.post_own_request, "File one's own rights request", CONSUMER,
            own_sub=True, body_limit=SMALL_BODY, body=OwnRequest, status=201, answer="Filed"),
        Row("GET", "/v1/me/requests", requests.get_own_requests, "One's own rights requests", CONSUMER, own_sub=True,
            answer="Requests"),
        Row("GET", own, requests.get_request, "One's own rights request", CONSUMER, own_sub=True, answer="Request"),
        Row("POST", f"{own}/{Transition.REVOKE}", requests.make_act(Transition.REVOKE), "Take it back", CONSUMER,
            own_sub=True, body_limit=SMALL_BODY, body=TRANSITION_BODIES[Transition.REVOKE], answer="Request"),
        Row("GET", own + "/result", requests.get_result, "Everything held about one, as a zip", CONSUMER,
            own_sub=True, single_use=True, rate_class=RateClass.ADMIN, answer="Zip"),
    )
    # fmt: on
