"""What a catalogue answers once it has been read."""

import time
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from sayso.catalogue import catalogue_from_python
from sayso.model.catalogue import Catalogue
from sayso.model.deadline import Span, SpanUnit, parse_span
from sayso.model.duration import format_duration, parse_duration
from sayso.model.topic import Flow, LegalBasis, Topic, TopicKind


def requiring(graph: dict[str, tuple[str, ...]]) -> Catalogue:
    return Catalogue(
        topics={key: Topic(key=key, basis=LegalBasis.CONSENT, requires=names) for key, names in graph.items()}
    )


def test_a_partners_flows_become_topics(tables: dict[str, Any]) -> None:
    topic = catalogue_from_python(tables).topic("partner:vinsolutions:share")
    assert topic is not None
    assert (topic.kind, topic.partner, topic.flow) == (TopicKind.PARTNER, "vinsolutions", Flow.SHARE)
    assert topic.notice["fr-CA"] == "Nous l’envoyons."


def test_an_unknown_topic_is_none_and_its_nearest_is_named(tables: dict[str, Any]) -> None:
    catalogue = catalogue_from_python(tables)
    assert catalogue.topic("purpose:markting") is None
    assert catalogue.nearest("purpose:markting") == "purpose:marketing"
    assert catalogue.nearest("partner:vinsolution:share") == "partner:vinsolutions:share"
    assert catalogue.nearest("zzz") is None


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("channel:smss", "channel:sms"),
        ("chanel:sms", "channel:sms"),
        ("sms", None),
        ("purpose:training", "purpose:transcript.training"),
        ("partner:vinsolutions:shar", "partner:vinsolutions:share"),
        ("partner:vinsolution:share", "partner:vinsolutions:share"),
        ("channel:fax", None),
        ("channel:pager", None),
        ("purpose:markets.abroad", None),
        ("partner:autosolving:share", None),
        ("partner:acme:share", None),
        ("permission:camera", None),
    ],
)
def test_only_a_name_that_is_much_like_it_is_suggested_however_alike_the_kinds_are(
    tables: dict[str, Any], written: str, meant: str | None
) -> None:
    text = next(iter(tables["topics"].values()))
    known = ("channel:sms", "channel:email", "purpose:marketing", "purpose:transcript.training")

    assert catalogue_from_python(tables | {"topics": dict.fromkeys(known, text)}).nearest(written) == meant


def test_naming_the_nearest_of_500_topics_stays_quick_for_a_hostile_key() -> None:
    catalogue = requiring({f"purpose:{'a' * 80}.{number}": () for number in range(500)})
    catalogue.nearest("purpose:warm-up")
    start = time.process_time()
    for _ in range(20):
        catalogue.nearest("purpose:" + "ab" * 40)
    # 20 comparisons with all 500 keys take over a second.
    assert time.process_time() - start < 0.4


def test_a_retired_topic_is_nobodys_nearest() -> None:
    retired = Topic(key="purpose:marketing", basis=LegalBasis.CONSENT, retired=True)
    assert Catalogue(topics={"purpose:marketing": retired}).nearest("purpose:markting") is None


def test_a_permission_reads_the_capability_of_its_name() -> None:
    assert Topic(key="permission:camera", basis=LegalBasis.CONSENT).capability == "camera"
    selfie = Topic(key="permission:selfie", basis=LegalBasis.CONSENT, capability="camera")
    assert selfie.capability == "camera"
    assert Topic(key="purpose:marketing", basis=LegalBasis.CONSENT).capability is None


def test_a_permission_of_no_known_capability_has_to_say_what_it_reads() -> None:
    with pytest.raises(ValidationError, match="`capability` is missing"):
        Topic(key="permission:selfie", basis=LegalBasis.CONSENT)


@pytest.mark.parametrize(
    ("basis", "refusable"),
    [
        (LegalBasis.CONSENT, True),
        (LegalBasis.LEGITIMATE_INTEREST, True),
        (LegalBasis.CONTRACT, False),
        (LegalBasis.LEGAL_OBLIGATION, False),
    ],
)
def test_only_consent_and_legitimate_interest_can_be_refused(basis: LegalBasis, refusable: bool) -> None:
    assert Topic(key="purpose:x", basis=basis).refusable is refusable


def test_the_closure_has_what_is_required_first_and_leaves_the_topic_itself_out() -> None:
    catalogue = requiring(
        {"purpose:a": ("purpose:b", "purpose:c"), "purpose:b": ("purpose:d",), "purpose:c": (), "purpose:d": ()}
    )
    assert catalogue.closure("purpose:a") == ("purpose:d", "purpose:b", "purpose:c")
    assert catalogue.closure("purpose:d") == ()
    assert catalogue.closure("purpose:unknown") == ()


def test_a_required_topic_that_does_not_exist_is_in_the_closure_so_that_it_can_fail() -> None:
    assert requiring({"purpose:a": ("purpose:gone",)}).closure("purpose:a") == ("purpose:gone",)


def test_a_circle_has_a_closure_all_the_same() -> None:
    catalogue = requiring({"purpose:a": ("purpose:b",), "purpose:b": ("purpose:a",)})
    assert catalogue.closure("purpose:a") == ("purpose:b",)
    assert catalogue.closure("purpose:b") == ("purpose:a",)


def test_a_topic_uses_the_device_if_anything_it_requires_is_a_permission() -> None:
    catalogue = requiring(
        {"purpose:a": ("purpose:b",), "purpose:b": ("permission:camera",), "permission:camera": (), "purpose:c": ()}
    )
    uses = {key: catalogue.uses_device(key) for key in catalogue.topics}
    assert uses == {"purpose:a": True, "purpose:b": True, "permission:camera": True, "purpose:c": False}


graphs = st.dictionaries(
    st.sampled_from([f"purpose:{letter}" for letter in "abcdefgh"]),
    st.lists(st.sampled_from([f"purpose:{letter}" for letter in "abcdefgh"]), unique=True, max_size=4).map(tuple),
    min_size=1,
)


@given(graphs)
def test_the_closure_is_exactly_what_can_be_reached(graph: dict[str, tuple[str, ...]]) -> None:
    catalogue = requiring(graph)
    for key, names in graph.items():
        reached = set(names)
        for _ in graph:
            reached |= {name for known in reached for name in graph.get(known, ())}
        assert set(catalogue.closure(key)) == reached - {key}
        assert len(catalogue.closure(key)) == len(set(catalogue.closure(key)))


@given(graphs)
def test_without_circles_each_topic_follows_all_that_it_requires(graph: dict[str, tuple[str, ...]]) -> None:
    downhill = {key: tuple(name for name in names if name > key) for key, names in graph.items()}
    catalogue = requiring(downhill)
    for key in downhill:
        order = catalogue.closure(key)
        for place, name in enumerate(order):
            assert set(downhill.get(name, ())) <= set(order[:place])


def test_a_stored_catalogue_comes_back_equal_and_as_the_same_bytes(tables: dict[str, Any]) -> None:
    catalogue = catalogue_from_python(tables)
    stored = catalogue.canonical_json()
    again = Catalogue.from_json(stored)
    assert again == catalogue
    assert again.canonical_json() == stored
    assert list(again.topics) == list(catalogue.topics)


def test_looking_things_up_does_not_change_what_is_stored(tables: dict[str, Any]) -> None:
    catalogue = catalogue_from_python(tables)
    before = catalogue.canonical_json()
    catalogue.closure("purpose:marketing")
    catalogue.nearest("purpose:markting")
    catalogue.to_wire()
    assert catalogue.canonical_json() == before


def test_the_wire_shows_each_topic_with_key_kind_basis_version_and_texts(tables: dict[str, Any]) -> None:
    wire = catalogue_from_python(tables).to_wire()
    by_key = {topic["key"]: topic for topic in wire["topics"]}
    marketing = by_key["purpose:marketing"]
    assert (marketing["kind"], marketing["basis"], marketing["version"]) == ("purpose", "consent", 2)
    assert marketing["title"] == {"en": "Offers", "fr-CA": "Offres"}
    assert marketing["requires"] == []
    assert marketing["sale_or_share"] is False
    assert by_key["permission:camera"]["capability"] == "camera"
    assert by_key["permission:camera"]["fresh_for"] == "P1D"
    assert by_key["permission:camera"]["fresh_for_one_time"] == "PT60S"
    assert by_key["partner:vinsolutions:share"]["partner"] == "vinsolutions"
    (partner,) = wire["partners"]
    assert partner["flows"] == {"share": "partner:vinsolutions:share"}
    assert partner["partner_class"] == "integration"
    assert wire["retention"]["contact"]["period"] == "P730D"
    assert wire["deadlines"]["policy"]["respond"] == "30 days"
    assert wire["contacts"]["controller"]["email"] == "privacy@motors.example"
    assert wire["languages"] == ["en", "fr-CA"]
    assert "revision" not in wire
    assert "brand" not in wire


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("fr-CA", {"fr-CA": "Offres"}),
        ("fr", {"fr-CA": "Offres"}),
        ("en-GB", {"en": "Offers"}),
        ("de", {"en": "Offers"}),
    ],
)
def test_the_wire_in_one_language_gives_the_nearest_there_is(
    tables: dict[str, Any], language: str, title: dict[str, str]
) -> None:
    wire = catalogue_from_python(tables).to_wire(language)
    assert wire["topics"][0]["title"] == title
    assert list(wire["retention"]["contact"]["ground"]) == list(title)


def test_a_topic_is_frozen() -> None:
    topic = Topic(key="purpose:x", basis=LegalBasis.CONSENT)
    with pytest.raises(ValidationError, match="frozen"):
        topic.version = 2  # type: ignore[misc]


@pytest.mark.parametrize(
    ("written", "length"),
    [
        ("365d", timedelta(days=365)),
        ("24h", timedelta(hours=24)),
        ("90m", timedelta(minutes=90)),
        ("60s", timedelta(seconds=60)),
        ("P365D", timedelta(days=365)),
        ("P2W", timedelta(days=14)),
        ("PT24H", timedelta(hours=24)),
        ("P1DT12H", timedelta(hours=36)),
        (timedelta(days=3), timedelta(days=3)),
    ],
)
def test_a_length_of_time_is_read(written: object, length: timedelta) -> None:
    assert parse_duration(written) == length


@pytest.mark.parametrize(
    ("written", "hint"),
    [
        ("P2Y", 'such as "P730D"'),
        ("P6M", 'such as "P180D"'),
        ("P", "is not a length of time"),
        ("PT", "is not a length of time"),
        ("P1DT", "is not a length of time"),
        ("-1d", "is not a length of time"),
        ("1 year", "is not a length of time"),
        ("0d", "longer than nothing"),
        ("P999999D", "at most a century"),
        (365, "a text with its unit"),
        (True, "a text with its unit"),
    ],
)
def test_a_length_of_time_that_means_nothing_is_refused_with_the_remedy(written: object, hint: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the text is checked below
        parse_duration(written)
    assert hint in str(caught.value)


@given(st.integers(min_value=1, max_value=36_525 * 86_400))
def test_a_length_of_time_reads_back_as_written(seconds: int) -> None:
    length = timedelta(seconds=seconds)
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize(
    ("written", "span"),
    [
        ("30 days", Span(30, SpanUnit.DAYS)),
        ("1 month", Span(1, SpanUnit.MONTHS)),
        ("10 business days", Span(10, SpanUnit.BUSINESS_DAYS)),
    ],
)
def test_a_time_limit_is_read_and_written_the_same_way(written: str, span: Span) -> None:
    assert parse_span(written) == span
    assert str(span) == written


@pytest.mark.parametrize("written", ["30", "0 days", "a month", "P30D", 30, "10 working days"])
def test_any_other_time_limit_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="is not a time limit"):
        parse_span(written)
