"""A decided topic, encoded the short way."""

from hypothesis import given
from hypothesis import strategies as st

from sayso.model.decision import Decision
from sayso.model.recorded import RecordedChoice
from sayso_server.services.entries import entry, member, member_of

ID = "01a20a1d-831e-755a-b6dc-788cd50cc091"
MOMENTS = st.none() | st.integers(0, 4 * 10**15)
CHOICES = st.builds(
    RecordedChoice,
    version=st.just(3),
    based_on=st.just(0),
    effective_at=st.just(5),
    answer=st.sampled_from(["granted", "denied", "withdrawn"]),
    origin=st.just("p"),
    choice_id=st.just(ID),
    made_at=st.integers(-(10**18), 10**18),
    expires_at=MOMENTS,
    notice_version=st.none() | st.integers(1, 2**53 - 1),
)


def test_a_grant_stands_with_its_times_and_ids() -> None:
    choice = RecordedChoice(3, 0, 5, "granted", "p", ID, 1_795_000_000_123_456, None, 2)

    assert member_of(Decision("channel:sms", True, "granted", choice)) == (
        b'"channel:sms":{"allowed":true,"reason":"granted","answer":"granted",'
        b'"choice_id":"01a20a1d-831e-755a-b6dc-788cd50cc091","made_at":"2026-11-18T11:06:40.123456Z",'
        b'"expires_at":null,"notice_version":2,"valid_until":null}'
    )


@given(
    topic=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9),
    allowed=st.booleans(),
    reason=st.sampled_from(["granted", "not_asked", 'requires:"a\\b"']),
    choice=st.none() | CHOICES,
    until=MOMENTS,
)
def test_the_short_way_gives_the_bytes_of_the_long_one(
    topic: str, allowed: bool, reason: str, choice: RecordedChoice | None, until: int | None
) -> None:
    decision = Decision(topic, allowed, reason, choice, until)

    assert member_of(decision) == member(topic, entry(decision))
