"""Which laws apply, whether an answer may be put off, and when the last day ends."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.catalogue import read_catalogue
from sayso.model.deadline import Deadline, RequestKind
from sayso.rules.deadlines import OPT_OUTS, due, monday_to_friday
from sayso.rules.default_deadlines import DEFAULT_DEADLINES, with_defaults
from sayso_server.services.holidays import is_business_day

ACCESS = RequestKind.ACCESS
NOON = datetime(2026, 12, 18, 12, tzinfo=UTC)  # a Friday
PLACES = [None, "DE", "GB", "US", "US-CA", "US-NY", "CA", "CA-QC", "BR", "EEA", "*", "no place"]


def law(respond, *, regions=("*",), valid_from=date(2020, 1, 1), **others):
    return Deadline(law="A law", regions=regions, respond=respond, valid_from=valid_from, **others)


def answered_by(deadlines, place="DE", received=NOON, **others):
    return due(ACCESS, place, received, deadlines, **others).respond_by.date().isoformat()


def test_without_any_deadlines_those_that_are_shipped_count():
    assert due(ACCESS, "DE", NOON, {}) == due(ACCESS, "DE", NOON, DEFAULT_DEADLINES)
    assert due(ACCESS, "DE", NOON, {}).laws == ("policy", "gdpr")


def test_nothing_but_the_deadlines_that_are_given_counts():
    assert answered_by({"ours": law("10 days")}) == "2026-12-28"


def test_a_catalogues_own_promise_leaves_the_laws_that_are_shipped_in_force():
    ours = with_defaults({"policy": law("20 days")})
    deleted = due(RequestKind.DELETE, "US-CA", NOON, ours)
    stopped = due(RequestKind.SMS_OPT_OUT, "US-CA", NOON, ours, business_day=is_business_day)

    assert (deleted.laws, deleted.respond_by.date()) == (("policy", "ccpa"), date(2027, 1, 7))
    assert deleted.acknowledge_by is not None
    assert deleted.acknowledge_by.date() == date(2027, 1, 1)
    assert (stopped.set_by, stopped.respond_by.date()) == ("fcc-sms", date(2027, 1, 5))


def test_a_deadline_of_a_shipped_ones_name_takes_its_place_and_a_new_name_stands_beside():
    ours = with_defaults({"gdpr": law("10 days", regions=("DE",)), "house": law("40 days")})

    assert due(ACCESS, "DE", NOON, ours).laws == ("policy", "gdpr", "house")
    assert answered_by(ours) == "2026-12-28"
    assert with_defaults({}) == DEFAULT_DEADLINES


def test_a_kind_that_the_catalogue_says_nothing_about_is_answered_in_the_30_days_of_the_policy():
    found = due(ACCESS, "DE", NOON, {"removal": law("10 days", kinds=("minor-content-removal",))})

    assert (found.laws, found.respond_by.date()) == (("policy",), date(2027, 1, 17))


def test_the_earliest_answer_decides_and_names_its_law():
    found = due(ACCESS, "DE", NOON, {"slow": law("30 days"), "quick": law("20 days"), "slower": law("2 months")})

    assert (found.set_by, found.respond_by.date()) == ("quick", date(2027, 1, 7))
    assert found.laws == ("slow", "quick", "slower")


def test_the_earliest_acknowledgement_counts_even_of_a_law_that_does_not_set_the_answer():
    found = due(ACCESS, "DE", NOON, {"quick": law("20 days"), "polite": law("30 days", acknowledge="5 days")})

    assert (found.set_by, found.acknowledge_by) == ("quick", datetime(2026, 12, 23, 23, 59, 59, tzinfo=UTC))


def test_laws_of_other_places_do_not_apply():
    assert due(ACCESS, "DE", NOON, DEFAULT_DEADLINES).laws == ("policy", "gdpr")
    assert due(ACCESS, "CA-QC", NOON, DEFAULT_DEADLINES).laws == ("policy", "pipeda", "quebec")
    assert due(RequestKind.SMS_OPT_OUT, "us-ny", NOON, DEFAULT_DEADLINES).laws == ("policy", "fcc-sms")


@pytest.mark.parametrize("place", [None, "BR", "ZZ", "Springfield", "", "*"])
def test_from_nobody_knows_where_every_law_applies(place):
    assert due(ACCESS, place, NOON, DEFAULT_DEADLINES).laws == (
        "policy",
        "gdpr",
        "uk-gdpr",
        "ccpa",
        "us-states",
        "pipeda",
        "quebec",
    )


def test_a_law_that_is_not_yet_in_force_does_not_count():
    laws = {"old": law("30 days"), "new": law("10 days", valid_from=date(2027, 1, 1))}

    assert answered_by(laws, received=datetime(2026, 12, 31, 12, tzinfo=UTC)) == "2027-01-30"
    assert answered_by(laws, received=datetime(2027, 1, 1, 12, tzinfo=UTC)) == "2027-01-11"


def test_a_request_older_than_every_entry_counts_by_all_of_them():
    assert answered_by(DEFAULT_DEADLINES, received=datetime(1990, 1, 31, 12, tzinfo=UTC)) == "1990-02-28"


def test_an_extension_ends_where_the_first_law_ends_it():
    laws = {
        "long": law("1 month", extension="2 months", regions=("DE",)),
        "short": law("40 days", extension="20 days", regions=("DE",)),
    }
    found = due(ACCESS, "DE", NOON, laws)

    assert found.extended_until == datetime(2027, 2, 16, 23, 59, 59, tzinfo=UTC)


def test_one_law_that_allows_no_extension_forbids_it():
    laws = {"gdpr": DEFAULT_DEADLINES["gdpr"], "strict": law("40 days", regions=("DE",))}
    found = due(ACCESS, "DE", NOON, laws)

    assert (found.extend_by, found.extended_until) == (None, None)


def test_the_brands_own_promise_leaves_the_extension_to_the_law():
    found = due(ACCESS, "DE", NOON, {"policy": law("14 days"), "gdpr": DEFAULT_DEADLINES["gdpr"]})

    assert found.respond_by.date() == date(2027, 1, 1)
    assert found.extended_until is not None
    assert found.extended_until.date() == date(2027, 3, 18)


def test_where_nothing_but_the_promise_applies_nothing_is_put_off():
    assert due(ACCESS, "US-NY", NOON, DEFAULT_DEADLINES).extended_until is None


def test_a_promise_may_limit_the_extension_too():
    laws = {"policy": law("14 days", extension="14 days"), "gdpr": DEFAULT_DEADLINES["gdpr"]}

    assert due(ACCESS, "DE", NOON, laws).extended_until == datetime(2027, 1, 15, 23, 59, 59, tzinfo=UTC)


def test_an_extension_is_announced_before_the_answer_was_due_by_any_law():
    laws = {"slow": law("45 days", extension="45 days", extension_notice="45 days", regions=("DE",))}
    quick = laws | {"quick": law("10 days", extension="5 days", extension_notice="3 days", regions=("DE",))}
    promise = laws | {"policy": law("20 days")}

    announced = [due(ACCESS, "DE", NOON, each).extend_by for each in (laws, quick, promise)]

    assert announced == [
        datetime(2027, 2, 1, 23, 59, 59, tzinfo=UTC),
        datetime(2026, 12, 21, 23, 59, 59, tzinfo=UTC),
        datetime(2027, 1, 7, 23, 59, 59, tzinfo=UTC),
    ]


def test_an_extension_in_another_unit_starts_where_the_first_answer_was_due():
    laws = {"mixed": law("1 month", extension="10 business days", regions=("US-CA",))}
    found = due(ACCESS, "US-CA", datetime(2026, 11, 18, tzinfo=UTC), laws, business_day=is_business_day)

    assert found.extended_until == datetime(2027, 1, 5, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize("kind", sorted(OPT_OUTS))
def test_no_opt_out_waits_for_proof_of_who_asks(kind):
    assert not due(kind, "DE", NOON, {"wrong": law("30 days", verification=True)}).verification


def test_other_requests_may_wait_unless_a_law_says_otherwise():
    assert due(ACCESS, "DE", NOON, DEFAULT_DEADLINES).verification
    assert not due(ACCESS, "DE", NOON, {"a": law("30 days"), "b": law("30 days", verification=False)}).verification


@pytest.mark.parametrize(
    ("regions", "place", "received", "expected"),
    [
        (("CA",), "CA-ON", "2026-06-26", "2026-07-02"),  # Monday, Tuesday; 1 July is Canada Day
        (("US",), None, "2026-07-01", "2026-07-07"),  # the law's own calendar: 3 July is free, wherever they are
        (("*",), "DE", "2026-04-30", "2026-05-06"),  # 1 May is free
        (("*",), None, "2026-04-30", "2026-05-05"),  # in an unknown country no day is
        (("*",), "IL", "2026-06-04", "2026-06-09"),  # Friday and Saturday are the weekend
        (("EEA",), "EEA", "2026-12-24", "2026-12-29"),  # no one country's holidays
    ],
)
def test_business_days_are_those_of_the_laws_country_else_of_the_consumers(regions, place, received, expected):
    at = datetime.fromisoformat(f"{received}T12:00:00+00:00")

    assert answered_by({"law": law("3 business days", regions=regions)}, place, at, business_day=is_business_day) == (
        expected
    )


def test_without_a_calendar_only_saturdays_and_sundays_are_free():
    assert answered_by({"law": law("5 business days")}) == "2026-12-25"
    assert [monday_to_friday("US", date(2026, 12, day)) for day in (25, 26, 27, 28)] == [True, False, False, True]


def test_the_last_day_lasts_until_its_midnight_in_winter_and_summer_time():
    los_angeles = ZoneInfo("America/Los_Angeles")
    found = due(ACCESS, "US-NY", datetime(2026, 2, 20, 12, tzinfo=los_angeles), {}, zone=los_angeles)

    assert found.respond_by.astimezone(UTC) == datetime(2026, 3, 23, 6, 59, 59, tzinfo=UTC)


def test_a_naive_time_of_receipt_is_refused():
    with pytest.raises(ValueError, match="no zone"):
        due(ACCESS, "DE", datetime(2026, 12, 18, 12), {})  # noqa: DTZ001


# From the day of the policy on.
dates = st.datetimes(datetime(2021, 6, 16), datetime(2095, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(st.sampled_from(RequestKind), st.sampled_from(PLACES), dates)
def test_the_dates_stand_in_order_and_never_beyond_the_policys_30_days(kind, place, received):
    found = due(kind, place, received, DEFAULT_DEADLINES)

    assert received < found.respond_by <= received + timedelta(days=31)
    assert found.acknowledge_by is None or received < found.acknowledge_by <= found.respond_by
    assert (found.extend_by is None) == (found.extended_until is None)
    if found.extend_by is not None and found.extended_until is not None:
        assert found.extend_by <= found.respond_by < found.extended_until


@given(st.sampled_from(RequestKind), st.sampled_from(PLACES), dates)
def test_nowhere_is_anything_due_sooner_than_for_somebody_from_an_unknown_place(kind, place, received):
    here = due(kind, place, received, DEFAULT_DEADLINES)
    anywhere = due(kind, None, received, DEFAULT_DEADLINES)

    assert anywhere.respond_by <= here.respond_by
    assert set(here.laws) <= set(anywhere.laws)


def test_the_example_catalogue_has_the_figures_that_are_shipped():
    example = read_catalogue(Path(__file__).parents[3] / "examples" / "automotive" / "catalogue.toml").deadlines
    figures = ("regions", "kinds", "acknowledge", "respond", "extension", "extension_notice", "verification")

    def figures_of(deadlines):
        return {name: [getattr(law, figure) for figure in figures] for name, law in deadlines.items()}

    assert figures_of(example) == figures_of(DEFAULT_DEADLINES)
