"""The bytes that a choice's fingerprint is taken of."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sayso.model.choice import Actor, Answer, Choice, Detail, Evidence, Method, Notice
from sayso_server.services.batch_entry import content_of

CHOICE: Mapping[str, Any] = {
    "id": "01a20a1d-831e-755a-b6dc-788cd50cc091",
    "consumer_id": "cust-42",
    "topic": "purpose:marketing",
    "answer": Answer.GRANTED,
    "method": Method.CHAT,
}
START = b'{"id":"01a20a1d-831e-755a-b6dc-788cd50cc091","topic":"purpose:marketing","answer":"granted","method":"chat"'
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
MOMENTS = st.datetimes(timezones=st.just(UTC))


def test_time_consumer_and_what_was_left_out_are_no_content() -> None:
    choice = Choice(**CHOICE, made_at=datetime(2026, 11, 23, tzinfo=UTC), based_on=None)

    assert content_of(choice) == START + b"}"


def test_what_most_choices_say_stands_in_the_models_order() -> None:
    choice = Choice(**CHOICE, notice=Notice(language="fr", version=3), actor=Actor.CONSUMER, based_on=7)

    assert content_of(choice) == START + b',"based_on":7,"actor":"consumer","notice":{"language":"fr","version":3}}'


def test_what_few_choices_say_follows() -> None:
    choice = Choice(**CHOICE, notice=Notice(language="fr"), evidence=Evidence(kind="call"), overrides=("gpc",))

    assert content_of(choice) == START + b',"notice":{"language":"fr"},"evidence":{"kind":"call"},"overrides":["gpc"]}'


@given(
    topic=TEXT,
    said=st.fixed_dictionaries(
        {"answer": st.sampled_from(Answer), "method": st.sampled_from(Method)},
        optional={
            "made_at": st.none() | MOMENTS,
            "based_on": st.none() | st.integers(0, 2**80),
            "actor": st.none() | st.sampled_from(Actor),
            "notice": st.none() | st.builds(Notice, language=st.just("en"), version=st.none() | st.integers(1, 9)),
            "expires_at": st.none() | MOMENTS,
            "device_id": st.none() | st.just("phone"),
            "overrides": st.sampled_from([(), ("gpc",), ("gpc", "dnt")]),
            "detail": st.none() | st.builds(Detail, note=TEXT),
        },
    ),
)
def test_the_short_way_gives_the_bytes_of_the_models_own_serialiser(topic: str, said: Mapping[str, Any]) -> None:
    choice = Choice(**{**CHOICE, "topic": topic, **said})

    by_model = choice.__pydantic_serializer__.to_json(choice, exclude_defaults=True, exclude={"made_at", "consumer_id"})
    assert content_of(choice) == by_model
