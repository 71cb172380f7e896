"""What is stored of a choice beside its columns."""

from hypothesis import given
from hypothesis import strategies as st

from sayso.model.recorded import BY_PERSON, GRANTED, RecordedChoice
from sayso_server.services.recorded_body import Body, Outcome, pack_body, read_body
from sayso_server.storage.base import StoredChange

ID = "01a20a1d-831e-755a-b6dc-788cd50cc091"
OTHER = "01a20a1d-831e-755a-b6dc-788cd50cc092"
NOW = 1_795_000_000_000_000
STAMP = b'{"key":"dealer.0123456789abcdef","class":"backend"}'
CONTENT = f'{{"id":"{ID}","topic":"channel:sms","answer":"granted","method":"chat"}}'.encode()
SENT = {"id": ID, "topic": "channel:sms", "answer": "granted", "method": "chat"}
TIMES = st.integers(-(10**17), 10**17)


def stored(body: bytes, version: int = 4, effective_at: int = NOW) -> StoredChange:
    return StoredChange(version, "choice", NOW, effective_at, NOW, ID, b"\0" * 32, body)


def test_what_most_choices_need_is_short() -> None:
    recorded = RecordedChoice(4, 0, NOW, GRANTED, BY_PERSON, ID, NOW, None, 1)

    body = pack_body(CONTENT, STAMP, "consumer", recorded, Outcome(True, True, "granted"), recorded_at=NOW)

    assert body == (
        b'[{"topic":"channel:sms","answer":"granted","method":"chat"},'
        b'{"key":"dealer.0123456789abcdef","class":"backend"},"consumer","p",0,0,null,1,true,true,"granted"]'
    )


@given(
    based_on=st.integers(0, 3),
    effective_at=TIMES,
    made_at=TIMES,
    expires_at=st.none() | TIMES,
    notice_version=st.none() | st.integers(1, 2**53 - 1),
    superseded_by=st.none() | st.just(OTHER),
    more=st.dictionaries(st.sampled_from(["made_at_sent", "linked_from", "copy_of"]), st.text(max_size=9)),
)
def test_everything_that_was_written_is_read_back(
    *,
    based_on: int,
    effective_at: int,
    made_at: int,
    expires_at: int | None,
    notice_version: int | None,
    superseded_by: str | None,
    more: dict[str, str],
) -> None:
    recorded = RecordedChoice(4, based_on, effective_at, GRANTED, BY_PERSON, ID, made_at, expires_at, notice_version)
    outcome = Outcome(superseded_by is None, False, "withdrawn", superseded_by)

    body = pack_body(CONTENT, STAMP, "guardian", recorded, outcome, recorded_at=NOW, more=more)

    assert read_body(stored(body, effective_at=effective_at)) == Body(
        SENT, {"key": "dealer.0123456789abcdef", "class": "backend"}, "guardian", recorded, outcome, more
    )
