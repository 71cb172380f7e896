"""What holds for every decision, whatever was recorded and whatever the catalogue says."""

from datetime import timedelta

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from sayso.model.age import AgeEvidence, AgeSource
from sayso.model.catalogue import Catalogue
from sayso.model.decision import Decision, Reason
from sayso.model.device import Capability, DeviceState, Duration, PermissionState
from sayso.model.instant import span_micros
from sayso.model.preferences import DeviceReport, Preferences
from sayso.model.recorded import BY_BRAND, BY_GUARDIAN, BY_PERSON, SPOKEN, RecordedChoice
from sayso.model.signal import SignalSeen
from sayso.rules.decide import decide
from sayso.rules.fold import fold, seen_limit, standing_for

SECOND = 1_000_000
DAY = 24 * 3600 * SECOND
NOON = 1_795_435_200 * SECOND
KEYS = (
    "purpose:a",
    "purpose:b",
    "cookie:c",
    "channel:d",
    "permission:camera",
    "permission:location",
    "partner:crm:share",
)
ASKABLE = (*KEYS, "purpose:unheard-of", "*", "")
DEVICES = (None, "pixel-8", "pixel-9")
REASONS = {reason.value for reason in Reason}

# Instants meet each other exactly as often as they miss by one; and some are beyond any calendar.
NEAR = st.sampled_from([-DAY, -60 * SECOND, -31 * SECOND, -2, -1, 0, 1, 2, 60 * SECOND, DAY]).map(
    lambda offset: NOON + offset
)
FAR = st.sampled_from([-(10**18), -62_135_596_800 * SECOND, 0, 253_402_300_799 * SECOND, 10**18])
INSTANTS = st.one_of(NEAR, NEAR, NEAR, FAR)


@st.composite
def catalogues(draw):
    topics = {}
    for key in KEYS:
        if key.startswith("partner:"):
            continue
        topics[key] = {
            "basis": draw(
                st.sampled_from(
                    [
                        "consent",
                        "consent",
                        "legitimate_interest",
                        "legitimate_interest",
                        "contract",
                        "legal_obligation",
                    ]
                )
            ),
            "version": draw(st.integers(1, 3)),
            "requires": draw(
                st.lists(st.sampled_from((*KEYS, "purpose:unheard-of")), max_size=2, unique=True) | st.just([])
            ),
            "sale_or_share": draw(st.booleans()),
            "retired": draw(st.sampled_from([False, False, False, True])),
            "fresh_for": timedelta(seconds=draw(st.sampled_from([1, 60, 86_400]))),
            "grace": draw(st.none() | st.sampled_from([timedelta(seconds=1), timedelta(days=1)])),
        }
    raised = {key: topic["version"] for key, topic in topics.items() if topic["version"] > 1 and draw(st.booleans())}
    share = {"basis": draw(st.sampled_from(["consent", "legitimate_interest"])), "sale_or_share": True}
    return Catalogue.model_validate(
        {
            "majority": draw(st.sampled_from([0, 16, 18, 30])),
            "unknown_age": draw(st.sampled_from(["adult", "adult", "minor"])),
            "dnt": draw(st.sampled_from(["record", "honour"])),
            "topics": topics,
            "history": {key: {"since": draw(NEAR), "previous": version - 1} for key, version in raised.items()},
            "partners": {"crm": {"partner_class": "integration", "flows": {"share": share}}},
        }
    )


@st.composite
def said(draw, topics=(*KEYS, *KEYS, "*")):
    history = []
    for version in range(1, draw(st.integers(0, 6)) + 1):
        history.append(
            (
                draw(st.sampled_from(topics)),
                RecordedChoice(
                    version=version,
                    based_on=seen_limit(draw(st.integers(0, 9)), version),
                    effective_at=draw(INSTANTS),
                    answer=draw(st.sampled_from(["granted", "granted", "granted", "denied", "withdrawn"])),
                    origin=draw(st.sampled_from([BY_PERSON, BY_PERSON, BY_GUARDIAN, BY_BRAND, SPOKEN])),
                    choice_id=f"choice-{version}",
                    made_at=draw(INSTANTS),
                    expires_at=draw(st.none() | INSTANTS),
                    notice_version=draw(st.none() | st.integers(1, 3)),
                    overrides=draw(st.sampled_from([(), ("gpc",), ("dnt",), ("gpc", "dnt")])),
                ),
            )
        )
    return history


STATES = st.builds(DeviceState, state=st.sampled_from(list(PermissionState)), duration=st.sampled_from(list(Duration)))
REPORTS = st.builds(
    DeviceReport,
    st.just("expo"),
    st.dictionaries(
        st.sampled_from([Capability.CAMERA, Capability.LOCATION, Capability.PHOTOS]),
        st.tuples(STATES, INSTANTS),
        max_size=2,
    ),
)
SIGNALS = st.builds(
    SignalSeen,
    st.sampled_from(["gpc", "dnt", "a-later-release"]),
    st.sampled_from(["", "pixel-8"]),
    st.integers(1, 9),
    INSTANTS,
    st.just("header"),
)
YEARS = st.none() | st.sampled_from([0, 12, 17, 18, 40, 130])
AGES = st.builds(
    AgeEvidence, st.sampled_from([*(source.value for source in AgeSource), "hearsay"]), YEARS, YEARS, INSTANTS
)


@st.composite
def everything_recorded(draw):
    return Preferences(
        "cust-42",
        version=draw(st.integers(0, 20)),
        topics=fold(draw(said())),
        devices=draw(st.dictionaries(st.sampled_from(["pixel-8", "pixel-9"]), REPORTS, max_size=2)),
        signals=tuple(draw(st.lists(SIGNALS, max_size=2))),
        age=tuple(draw(st.lists(AGES, max_size=2) | st.just([]))),
        erased=draw(st.sampled_from([False] * 9 + [True])),
        restricted=draw(st.sampled_from([False] * 9 + [True])),
    )


def told(decision):
    return decision.allowed, decision.reason, decision.choice, decision.signal


@settings(max_examples=100, deadline=None)
@given(
    everything_recorded(),
    catalogues(),
    st.sampled_from(ASKABLE) | st.text(),
    INSTANTS | st.integers(),
    st.sampled_from(DEVICES) | st.text(),
)
def test_there_is_always_a_decision(preferences, catalogue, topic, now, device):
    decision = decide(preferences, catalogue, topic, now, device)
    assert isinstance(decision, Decision)
    assert decision.topic == topic
    assert decision.reason in REASONS or decision.reason.startswith("requires:")
    assert decision.allowed == (decision.reason in {"granted", "default", "required"})


@settings(max_examples=50, deadline=None)
@given(catalogues(), INSTANTS, st.sampled_from(DEVICES), st.booleans())
def test_missing_data_never_allows_but_by_law_contract_or_legitimate_interest(catalogue, now, device, known):
    preferences = Preferences("cust-42", version=1 if known else 0)
    for topic in ASKABLE:
        decision = decide(preferences, catalogue, topic, now, device)
        if decision.allowed:
            basis = catalogue.topics[topic].basis
            assert (decision.reason, basis) in {
                ("required", "contract"),
                ("required", "legal_obligation"),
                ("default", "legitimate_interest"),
            }


def _is_signalled(preferences, catalogue, about, overrides):
    return about.sale_or_share and any(
        seen.name not in overrides
        for seen in preferences.signals
        if not (seen.name == "dnt" and catalogue.dnt == "record")
    )


def _device_passes(preferences, about, now, device):
    report = preferences.devices.get(device)
    state = report.states.get(about.capability) if report is not None else None
    if state is None or state[0].state not in ("granted", "limited"):
        return False
    return now < state[1] + span_micros(about.fresh_for)


def _was_refused(preferences, topic):
    return any(name in preferences.topics and preferences.topics[name].refusals for name in (topic, "*"))


def _holds_on(catalogue, topic, choice, now):
    past = catalogue.history.get(topic.key)
    if topic.grace is None or past is None or choice.notice_version < past.previous:
        return False
    return now < past.since + span_micros(topic.grace)


def _may_pass(case, topic, path=()):
    """Whether every rule lets it pass, judged topic by topic and without `decide`."""
    preferences, catalogue, now, device = case
    about = catalogue.topics.get(topic)
    if about is None or about.retired or topic in path:
        return False
    if about.basis == "legal_obligation":
        return True
    if preferences.erased or preferences.restricted:
        return False
    if about.basis == "contract":
        return True
    choice = standing_for(preferences.topics, topic)
    if choice is not None and choice.is_refusal:
        return False
    current = (
        choice is not None
        and (choice.expires_at is None or now < choice.expires_at)
        and (
            choice.notice_version is None
            or choice.notice_version >= about.version
            or _holds_on(catalogue, about, choice, now)
        )
    )
    if not current and (about.basis == "consent" or _was_refused(preferences, topic)):
        return False
    child = preferences.age and all(
        piece.lower is None and piece.upper is not None and piece.upper < catalogue.majority
        for piece in preferences.age
    )
    if child and not (current and choice.origin == BY_GUARDIAN):
        return False
    overrides = choice.overrides if current and choice.origin in (BY_PERSON, BY_GUARDIAN) else ()
    if _is_signalled(preferences, catalogue, about, overrides):
        return False
    if about.capability is not None and not _device_passes(preferences, about, now, device):
        return False
    return all(_may_pass(case, needed, (*path, topic)) for needed in about.requires)


@settings(max_examples=110, deadline=None)
@given(everything_recorded(), catalogues(), NEAR, st.sampled_from(DEVICES))
def test_nothing_is_allowed_against_a_refusal_age_a_signal_a_lapse_a_device_or_a_requirement(
    preferences, catalogue, now, device
):
    for topic in ASKABLE:
        if decide(preferences, catalogue, topic, now, device).allowed:
            assert _may_pass((preferences, catalogue, now, device), topic)


INTEREST = Catalogue.model_validate({"topics": {"purpose:a": {"basis": "legitimate_interest", "version": 2}}})


@settings(max_examples=150, deadline=None)
@given(said(topics=("purpose:a", "purpose:a", "*")), NEAR)
def test_on_legitimate_interest_only_what_nobody_ever_refused_goes_on_as_default(history, now):
    preferences = Preferences("cust-42", version=len(history), topics=fold(history))
    decision = decide(preferences, INTEREST, "purpose:a", now)
    if any(choice.is_refusal for _, choice in history):
        assert decision.reason in ("granted", "denied", "withdrawn")
        assert decision.choice in [choice for _, choice in history]
        assert decision.choice.is_refusal != decision.allowed
    else:
        assert (decision.allowed, decision.reason in ("granted", "default")) == (True, True)


@settings(max_examples=60, deadline=None)
@given(everything_recorded(), catalogues(), NEAR, st.sampled_from(DEVICES))
def test_no_permission_is_allowed_unless_a_fresh_report_of_that_device_lets_it_pass(
    preferences, catalogue, now, device
):
    for capability in (Capability.CAMERA, Capability.LOCATION):
        topic = f"permission:{capability}"
        if catalogue.topics[topic].basis in ("contract", "legal_obligation"):
            continue  # the lint refuses these bases for permissions
        if decide(preferences, catalogue, topic, now, device).allowed:
            state, reported_at = preferences.devices[device].states[capability]
            assert state.passes
            assert now < reported_at + span_micros(catalogue.topics[topic].fresh_for)


@settings(max_examples=50, deadline=None)
@given(everything_recorded(), catalogues(), NEAR, st.sampled_from(["pixel-8", "pixel-9"]))
def test_a_denial_of_the_device_turns_nothing_on(preferences, catalogue, now, device):
    denied = DeviceState(state=PermissionState.DENIED)
    refusing = DeviceReport("expo", dict.fromkeys(Capability, (denied, now)))
    there = Preferences(
        "cust-42",
        topics=preferences.topics,
        devices={**preferences.devices, device: refusing},
        signals=preferences.signals,
        age=preferences.age,
        erased=preferences.erased,
        restricted=preferences.restricted,
    )
    for topic in KEYS:
        after = decide(there, catalogue, topic, now, device)
        assert (
            not after.allowed
            or decide(preferences, catalogue, topic, now, device).allowed
            or (not catalogue.uses_device(topic))
        )
        if topic.startswith("permission:") and catalogue.topics[topic].refusable:
            assert not after.allowed


@settings(max_examples=110, deadline=None)
@given(everything_recorded(), catalogues(), NEAR, st.sampled_from(DEVICES), st.data())
def test_a_decision_is_the_same_until_its_valid_until(preferences, catalogue, now, device, data):
    for topic in KEYS:
        decision = decide(preferences, catalogue, topic, now, device)
        until = decision.valid_until
        assert until is None or until > now
        last = until - 1 if until is not None else now + 40_000 * DAY
        for instant in {now, now + (last - now) // 2, data.draw(st.integers(now, last)), last}:
            assert told(decide(preferences, catalogue, topic, instant, device)) == told(decision)


@settings(max_examples=80, deadline=None)
@given(everything_recorded(), catalogues(), NEAR, st.sampled_from(DEVICES))
def test_something_changes_at_valid_until(preferences, catalogue, now, device):
    # With evidence of age or topics required, an instant may pass that another fact outweighs.
    assume(not preferences.age)
    for topic in KEYS:
        about = catalogue.topics[topic]
        decision = decide(preferences, catalogue, topic, now, device)
        if decision.valid_until is None or about.requires:
            continue
        assert told(decide(preferences, catalogue, topic, decision.valid_until, device)) != told(decision)


@settings(max_examples=40, deadline=None)
@given(everything_recorded(), catalogues(), NEAR, st.sampled_from(DEVICES))
def test_a_withdraw_all_leaves_only_what_is_required(preferences, catalogue, now, device):
    last = max((choice.version for one in preferences.topics.values() for choice in one.grants), default=0)
    withdrawn = RecordedChoice(last + 20, last + 19, 10**18, "withdrawn", BY_PERSON, "choice-x", now)
    topics = dict(preferences.topics)
    topics["*"] = fold([("*", withdrawn)])["*"]
    after = Preferences("cust-42", topics=topics, devices=preferences.devices)
    for topic in KEYS:
        decision = decide(after, catalogue, topic, now, device)
        assert not decision.allowed or decision.reason == "required"
