"""Rights requests: each state, each transition, each role, written out."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.errors import Problem
from sayso.model.catalogue import Catalogue
from sayso.model.deadline import RequestKind
from sayso.model.instant import to_micros
from sayso.model.request import (
    OPEN_STATES,
    TRANSITION_BODIES,
    DenialReason,
    RequestChannel,
    RequestDetail,
    RequestState,
    Transition,
)
from sayso.rules.requests import (
    BY,
    EFFECTIVE_AT_ONCE,
    FILED_BY,
    FROM,
    Facts,
    Party,
    Refusal,
    channel_of,
    detail_problems,
    legal,
    reason_problem,
    refusal,
    refused_by,
    state_at,
)
from sayso.wire import Code

NOW = to_micros(datetime(2026, 11, 23, 19, 0, tzinfo=UTC))
DAY = timedelta(days=1) // timedelta(microseconds=1)


def facts(state: str = "received", kind: str = "access", **changes: object) -> Facts:
    plain = Facts(
        kind=RequestKind(kind),
        state=RequestState(state),
        verified=True,
        verifiable=True,
        identified=True,
        extended=False,
        extend_by=NOW + 20 * DAY,
        restricted=False,
    )
    return plain._replace(**changes)  # type: ignore[arg-type]


BY_OFFICER = {
    "received": "acknowledge verify start extend fulfil deny revoke hand-over note",
    "acknowledged": "verify start extend fulfil deny revoke hand-over note",
    "awaiting_verification": "start extend deny revoke hand-over note",
    "in_progress": "verify extend fulfil deny revoke hand-over note",
    "extended": "verify fulfil deny revoke hand-over note",
    "fulfilled": "",
    "denied": "",
    "revoked": "",
    "expired": "",
}
BY_BACKEND = {
    "received": "acknowledge verify start fulfil revoke note",
    "acknowledged": "verify start fulfil revoke note",
    "awaiting_verification": "start revoke note",
    "in_progress": "verify fulfil revoke note",
    "extended": "verify fulfil revoke note",
    "fulfilled": "",
    "denied": "",
    "revoked": "",
    "expired": "",
}
OPEN = ("received", "acknowledged", "awaiting_verification", "in_progress", "extended")
BY_CONSUMER = {state: "revoke" if state in OPEN else "" for state in BY_OFFICER}
NOTHING = dict.fromkeys(BY_OFFICER, "")
LEGAL = {
    "privacy_officer": BY_OFFICER,
    "backend": BY_BACKEND,
    "consumer": BY_CONSUMER,
    "link": BY_CONSUMER,
    "agent": NOTHING,
    "auditor": NOTHING,
    "admin": NOTHING,
}
EVERY = [
    (party, state, transition.value, transition.value in states[state].split())
    for party, states in LEGAL.items()
    for state in states
    for transition in Transition
]


def test_every_role_and_state_is_in_the_table() -> None:
    assert set(LEGAL) == {party.value for party in Party}
    assert all(set(states) == {state.value for state in RequestState} for states in LEGAL.values())
    assert len(EVERY) == 7 * 9 * 10


@pytest.mark.parametrize(("party", "state", "transition", "may"), EVERY)
def test_a_transition_is_made_where_the_table_says_so_and_nowhere_else(
    party: str, state: str, transition: str, may: bool
) -> None:
    said = refusal(facts(state, extended=state == "extended"), {Party(party)}, Transition(transition), NOW)

    assert (said is None) == may
    if said is not None:
        by_role = Party(party) not in BY[Transition(transition)]
        assert said.code is (Code.NOT_YOURS if by_role else Code.TRANSITION_ILLEGAL)


@pytest.mark.parametrize(("party", "state"), [(party, state) for party, states in LEGAL.items() for state in states])
def test_the_legal_list_is_the_tables_row(party: str, state: str) -> None:
    found = legal(facts(state, extended=state == "extended"), {Party(party)}, NOW)

    assert " ".join(found) == LEGAL[party][state]


def test_two_roles_may_do_what_either_may() -> None:
    both = legal(facts(), {Party.AUDITOR, Party.BACKEND}, NOW)

    assert " ".join(both) == BY_BACKEND["received"]


@given(
    st.sampled_from(RequestState),
    st.sampled_from(RequestKind),
    st.sets(st.sampled_from(Party)),
    st.tuples(*[st.booleans()] * 5),
    st.one_of(st.none(), st.integers(NOW - DAY, NOW + DAY)),
)
def test_what_is_legal_is_exactly_what_is_not_refused(
    state: RequestState,
    kind: RequestKind,
    parties: set[Party],
    flags: tuple[bool, bool, bool, bool, bool],
    extend_by: int | None,
) -> None:
    verified, verifiable, identified, extended, restricted = flags
    one = Facts(kind, state, verified, verifiable, identified, extended, extend_by, restricted)

    can = legal(one, parties, NOW)

    assert [transition for transition in Transition if refusal(one, parties, transition, NOW) is None] == list(can)
    if state not in OPEN_STATES:
        assert set(can) <= {Transition.LIFT}
    if not parties:
        assert can == ()


def test_nothing_is_carried_out_before_it_is_known_who_asks() -> None:
    said = refusal(facts(verified=False), {Party.OFFICER}, Transition.FULFIL, NOW)

    assert said is not None
    assert said.code is Code.VERIFICATION_NEEDED
    assert Transition.START in legal(facts(verified=False), {Party.OFFICER}, NOW)


def test_nothing_is_carried_out_before_it_is_known_on_whom() -> None:
    said = refusal(facts(identified=False), {Party.OFFICER}, Transition.FULFIL, NOW)

    assert said is not None
    assert said.code is Code.VERIFICATION_NEEDED


def test_a_public_post_is_removed_without_knowing_the_consumer() -> None:
    assert (
        refusal(facts(kind="minor-content-removal", identified=False), {Party.OFFICER}, Transition.FULFIL, NOW) is None
    )


@pytest.mark.parametrize("kind", ["withdraw-all", "object", "restrict", "sale-opt-out", "sms-opt-out", "email-opt-out"])
def test_nobody_is_asked_who_they_are_to_stop_something(kind: str) -> None:
    one = facts(kind=kind, verified=False, verifiable=False)

    assert RequestKind(kind) in EFFECTIVE_AT_ONCE
    assert Transition.VERIFY not in legal(one, {Party.OFFICER}, NOW)
    assert Transition.FULFIL in legal(one, {Party.OFFICER}, NOW)
    assert reason_problem(RequestKind(kind), DenialReason.INSUF_VERIFICATION) is not None


def test_a_copy_can_be_denied_for_want_of_proof() -> None:
    assert reason_problem(RequestKind.COPY, DenialReason.INSUF_VERIFICATION) is None
    assert reason_problem(RequestKind.OBJECT, DenialReason.NO_MATCH) is None


def test_an_answer_is_put_off_once() -> None:
    one = facts("in_progress", extended=True)

    assert Transition.EXTEND not in legal(one, {Party.OFFICER}, NOW)


@pytest.mark.parametrize(("left", "may"), [(0, True), (1, True), (-1, False)])
def test_an_answer_is_put_off_within_the_time_in_which_the_consumer_is_told(left: int, may: bool) -> None:
    one = facts(extend_by=NOW + left)

    assert (Transition.EXTEND in legal(one, {Party.OFFICER}, NOW)) == may


def test_an_answer_is_not_put_off_where_a_law_allows_no_extension() -> None:
    said = refusal(facts(extend_by=None), {Party.OFFICER}, Transition.EXTEND, NOW)

    assert said == Refusal(Code.TRANSITION_ILLEGAL, "a law that applies here allows no extension")


def test_a_restriction_is_lifted_by_an_officer_once_it_was_put_on() -> None:
    on = facts("fulfilled", "restrict", restricted=True)

    assert legal(on, {Party.OFFICER}, NOW) == (Transition.LIFT,)
    assert legal(on, {Party.BACKEND, Party.CONSUMER}, NOW) == ()
    assert legal(on._replace(restricted=False), {Party.OFFICER}, NOW) == ()


@pytest.mark.parametrize(
    ("state", "later", "now_in"),
    [
        ("awaiting_verification", -1, "awaiting_verification"),
        ("awaiting_verification", 0, "expired"),
        ("in_progress", 0, "in_progress"),
    ],
)
def test_what_nobody_verifies_in_time_expires(state: str, later: int, now_in: str) -> None:
    assert state_at(RequestState(state), NOW, NOW + later) is RequestState(now_in)
    assert state_at(RequestState(state), None, NOW) is RequestState(state)


FILING = [
    ({"consumer"}, None, "widget"),
    ({"consumer"}, "chat", "chat"),
    ({"consumer"}, "post", Code.INVALID_VALUE),
    ({"backend"}, None, "api"),
    ({"backend"}, "email", "email"),
    ({"backend"}, "drp", Code.INVALID_VALUE),
    ({"agent"}, None, "phone"),
    ({"agent"}, "phone", "phone"),
    ({"agent"}, "email", Code.INVALID_VALUE),
    ({"privacy_officer"}, None, Code.MISSING_MEMBER),
    ({"privacy_officer"}, "post", "post"),
    ({"privacy_officer"}, "widget", Code.INVALID_VALUE),
    ({"agent", "privacy_officer"}, "email", "email"),
    ({"link"}, "page", "page"),
    ({"link"}, "drp", "drp"),
    ({"auditor"}, "post", Code.NOT_YOURS),
    ({"admin"}, None, Code.NOT_YOURS),
    (set(), "api", Code.NOT_YOURS),
]


@pytest.mark.parametrize(("parties", "channel", "expected"), FILING)
def test_who_files_what_came_by_which_way(parties: set[str], channel: str | None, expected: str | Code) -> None:
    found = channel_of({Party(party) for party in parties}, None if channel is None else RequestChannel(channel))

    assert (found.code if isinstance(found, Refusal) else found.value) == expected


def test_every_transition_has_a_body_and_both_tables_know_it() -> None:
    assert set(TRANSITION_BODIES) == set(FROM) == set(BY) == set(Transition)
    assert Party.AUDITOR not in FILED_BY


@pytest.mark.parametrize(
    ("kind", "detail", "expected"),
    [
        ("access", {}, []),
        ("object", {"topics": ["purpose:ads"]}, []),
        ("access", {"topics": ["purpose:ads"]}, [("/detail/topics", "invalid_value")]),
        ("correct", {}, [("/detail/about", "missing_member"), ("/detail/fault", "missing_member")]),
        ("correct", {"about": "phone", "fault": "ambiguous"}, []),
        (
            "correct",
            {"about": "purpose:ads", "fault": "unauthorised", "answer": "granted"},
            [("/detail/answer", "not_grantable")],
        ),
        ("delete", {"fault": "inaccurate"}, [("/detail/fault", "invalid_value")]),
        ("minor-content-removal", {}, [("/detail/urls", "missing_member")]),
        ("minor-content-removal", {"urls": ["https://forum.example/1"]}, []),
        ("copy", {"urls": ["https://forum.example/1"]}, [("/detail/urls", "invalid_value")]),
    ],
)
def test_a_detail_belongs_to_its_kind(kind: str, detail: dict[str, object], expected: list[tuple[str, str]]) -> None:
    parsed = RequestDetail.model_validate_json(json.dumps(detail))
    problems: list[Problem] = list(detail_problems(RequestKind(kind), parsed))

    assert [(problem.pointer, problem.code) for problem in problems] == expected


TOPICS = Catalogue.model_validate(
    {
        "topics": {
            "purpose:offers": {"basis": "consent", "title": {"en": "Offers"}},
            "purpose:ads": {"basis": "legitimate_interest", "sale_or_share": True},
            "purpose:counting": {"basis": "legitimate_interest"},
            "purpose:gone": {"basis": "legitimate_interest", "retired": True},
            "purpose:order": {"basis": "contract"},
            "channel:sms": {"basis": "consent"},
            "channel:sms.service": {"basis": "consent"},
            "channel:email": {"basis": "consent"},
        }
    }
)


@pytest.mark.parametrize(
    ("kind", "detail", "refused"),
    [
        ("withdraw-all", {}, ("*",)),
        ("object", {}, ("purpose:ads", "purpose:counting")),
        ("object", {"topics": ("purpose:counting",)}, ("purpose:counting",)),
        ("object", {"topics": ("purpose:offers",)}, ("purpose:offers",)),
        ("object", {"topics": ("purpose:gone",)}, ("purpose:gone",)),
        ("object", {"topics": ("purpose:order",)}, ()),
        ("sale-opt-out", {}, ("purpose:ads",)),
        ("sms-opt-out", {}, ("channel:sms", "channel:sms.service")),
        ("email-opt-out", {}, ("channel:email",)),
        ("correct", {"about": "purpose:offers", "fault": "unauthorised", "answer": "denied"}, ("purpose:offers",)),
        ("correct", {"about": "purpose:offers", "fault": "unauthorised"}, ()),
        ("access", {}, ()),
        ("delete", {}, ()),
        ("restrict", {}, ()),
    ],
)
def test_what_a_request_stops_at_once(kind: str, detail: dict[str, object], refused: tuple[str, ...]) -> None:
    parsed = RequestDetail.model_validate(detail, strict=False)

    assert refused_by(RequestKind(kind), parsed, TOPICS) == refused
