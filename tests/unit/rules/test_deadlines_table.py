"""Dates reckoned by hand from the laws and a paper calendar, never by running the rules.

Federal holidays of the United States (5 USC 6103): 1 January, the third Monday of January and of February, the last
Monday of May, 19 June, 4 July, the first Monday of September, the second of October, 11 November, the fourth Thursday
of November, 25 December; one on a Saturday is kept on the Friday before, one on a Sunday on the Monday after.
"""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sayso.model.deadline import RequestKind
from sayso.rules.deadlines import due
from sayso.rules.default_deadlines import DEFAULT_DEADLINES
from sayso_server.services.holidays import is_business_day

# The law alone, or all that are shipped; what is asked; from where; received at noon UTC; the last day to confirm
# receipt, to answer, and to answer if extended; why the case is here.
CASES = """
# GDPR and UK GDPR Art. 12(3): one month, and two more
gdpr          access        DE       2026-01-31 -          2026-02-28 2026-04-30 to a month without a 31st
gdpr          access        DE       2028-01-31 -          2028-02-29 2028-04-30 the same in a leap year
gdpr          access        FR       2027-01-29 -          2027-02-28 2027-04-29 29 January, no leap year
gdpr          access        FR       2028-01-30 -          2028-02-29 2028-04-30 30 January, leap year
gdpr          delete        ES       2026-03-31 -          2026-04-30 2026-06-30 31 March
gdpr          delete        ES       2026-05-31 -          2026-06-30 2026-08-31 31 May
gdpr          delete        IT       2026-08-31 -          2026-09-30 2026-11-30 31 August
gdpr          copy          NL       2026-12-31 -          2027-01-31 2027-03-31 over the year's end
gdpr          copy          NL       2026-11-30 -          2026-12-30 2027-02-28 30 November, extended to February
gdpr          copy          NL       2027-11-30 -          2027-12-30 2028-02-29 the same before a leap day
gdpr          access        SE       2028-02-29 -          2028-03-29 2028-05-29 on a leap day
gdpr          access        SE       2026-02-28 -          2026-03-28 2026-05-28 the last day of February
gdpr          access        PL       2026-06-15 -          2026-07-15 2026-09-15 in the middle of a month
gdpr          access        PL       2099-12-31 -          2100-01-31 2100-03-31 into the next century
gdpr          access        PL       2100-01-31 -          2100-02-28 2100-04-30 2100 has no leap day
gdpr          access        NO       2026-10-03 -          2026-11-03 2027-01-03 no Member State, but the EEA
gdpr          access        RE       2026-09-30 -          2026-10-30 2026-12-30 an outermost region
gdpr          access        DE       2026-10-15 -          2026-11-15 2027-01-15 due on a Sunday: not moved on
uk-gdpr       access        GB       2026-01-30 -          2026-02-28 2026-04-30 the United Kingdom
uk-gdpr       access        UK       2027-12-31 -          2028-01-31 2028-03-31 the same, by another name
# 11 CCR 7021: 10 business days to confirm, 45 days, 45 more
ccpa          delete        US-CA    2026-12-18 2027-01-05 2027-02-01 2027-03-18 over Christmas and New Year
ccpa          delete        US-CA    2026-11-20 2026-12-07 2027-01-04 2027-02-18 the Friday after Thanksgiving counts
ccpa          access        US-CA    2028-01-14 2028-01-31 2028-02-28 2028-04-13 over Martin Luther King Day
ccpa          access        US-CA    2027-01-15 2027-02-01 2027-03-01 2027-04-15 the same in another year
ccpa          correct       US-CA    2026-06-12 2026-06-29 2026-07-27 2026-09-10 over Juneteenth
ccpa          correct       US-CA    2026-06-26 2026-07-13 2026-08-10 2026-09-24 4 July a Saturday, kept on Friday
ccpa          copy          US-CA    2026-03-07 2026-03-20 2026-04-21 2026-06-05 received on a Saturday
ccpa          copy          US-CA    2028-02-29 2028-03-14 2028-04-14 2028-05-29 on a leap day
ccpa          delete        US-CA    2027-12-20 2028-01-05 2028-02-03 2028-03-19 1 January kept in the old year
ccpa          delete        US-CA    2026-03-23 2026-04-06 2026-05-07 2026-06-21 over a holiday of California alone
# 11 CCR 7026(f), 47 CFR 64.1200(a)(10), 15 USC 7704(a)(4): 15, 10 and 10 business days
ccpa-opt-out  sale-opt-out  US-CA    2026-12-18 -          2027-01-12 -          sale: over the year's end
ccpa-opt-out  sale-opt-out  US-CA    2026-11-20 -          2026-12-14 -          sale: over Thanksgiving
ccpa-opt-out  sale-opt-out  US-CA    2026-09-04 -          2026-09-28 -          sale: over Labor Day
ccpa-opt-out  sale-opt-out  US-CA    2027-12-20 -          2028-01-12 -          sale: over two moved holidays
ccpa-opt-out  sale-opt-out  US-CA    2026-01-30 -          2026-02-23 -          sale: over Washington's birthday
ccpa-opt-out  sale-opt-out  US-CA    2026-10-02 -          2026-10-26 -          sale: over Columbus Day
fcc-sms       sms-opt-out   US-TX    2026-12-18 -          2027-01-05 -          SMS: over the year's end
fcc-sms       sms-opt-out   US-TX    2026-11-06 -          2026-11-23 -          SMS: over Veterans Day
fcc-sms       sms-opt-out   US-FL    2026-05-22 -          2026-06-08 -          SMS: over Memorial Day
fcc-sms       sms-opt-out   US       2025-04-11 -          2025-04-25 -          SMS: Good Friday counts
can-spam      email-opt-out US-NY    2024-12-20 -          2025-01-07 -          e-mail: over Christmas and New Year
can-spam      email-opt-out US-NY    2024-02-16 -          2024-03-04 -          e-mail: over a leap day
# PIPEDA s. 8, and Québec's s. 32, which knows no extension
pipeda        correct       CA-ON    2026-01-31 -          2026-03-02 2026-04-01 30 days from 31 January
pipeda        correct       CA-ON    2028-01-31 -          2028-03-01 2028-03-31 the same in a leap year
pipeda        access        CA-AB    2026-12-15 -          2027-01-14 2027-02-13 over the year's end
pipeda        access        CA-BC    2024-02-01 -          2024-03-02 2024-04-01 over a leap day
quebec        access        CA-QC    2026-04-15 -          2026-05-15 -          Québec knows no extension
pipeda+quebec correct       CA-QC    2027-02-10 -          2027-03-12 -          nor do both laws together
# other states: 45 days, 45 more
us-states     access        US-VA    2025-01-01 -          2025-02-15 2025-04-01 Virginia
us-states     delete        US-TX    2024-07-04 -          2024-08-18 2024-10-02 Texas
# everything that is shipped: the 30 days of the policy, and whatever law applies
all           access        DE       2026-12-18 -          2027-01-17 2027-03-18 Germany: the policy is sooner
all           access        DE       2027-01-31 -          2027-02-28 2027-04-30 Germany: a short February
all           access        DE       2028-02-01 -          2028-03-01 2028-05-01 Germany: a long one
all           access        FR       2026-06-15 -          2026-07-15 2026-09-15 France: both on one day
all           access        EEA      2027-02-15 -          2027-03-15 2027-05-15 some country of the EEA
all           email-opt-out GB       2026-12-18 -          2027-01-17 2027-03-18 the United Kingdom
all           delete        US-CA    2026-12-18 2027-01-05 2027-01-17 2027-03-18 California
all           delete        US       2026-12-18 2027-01-05 2027-01-17 2027-03-18 some state may be California
all           access        US-NY    2026-12-18 -          2027-01-17 -          New York has no such law
all           minor-content-removal US-CA    2026-12-18 -          2027-01-17 -          California: silent on removal
all           access        CA-ON    2026-12-18 -          2027-01-17 2027-02-16 Ontario
all           access        CA-QC    2026-12-18 -          2027-01-17 -          Québec
all           access        CA       2026-12-18 -          2027-01-17 -          some province may be Québec
all           access        -        2027-01-31 2027-02-12 2027-02-28 -          nobody knows where
all           access        BR       2026-12-18 2027-01-05 2027-01-17 -          a country not in the table
all           access        Atlantis 2026-12-18 2027-01-05 2027-01-17 -          no place at all
all           sale-opt-out  US-CA    2026-12-18 -          2027-01-12 -          selling, California
all           sale-opt-out  -        2026-12-18 -          2027-01-12 -          selling, nobody knows where
all           sms-opt-out   US-WY    2026-12-18 -          2027-01-05 -          texts, United States
all           sms-opt-out   -        2026-12-18 -          2027-01-05 -          texts, nobody knows where
all           sms-opt-out   CA-ON    2026-12-18 -          2027-01-17 -          texts, Canada
"""

# The same, received at an instant, by the calendar of a time zone.
ZONED = """
gdpr          access        DE       2026-03-31T23:30+00:00 Europe/Berlin       -          2026-05-01 2026-07-01
uk-gdpr       access        GB       2026-03-31T22:30+00:00 Europe/London       -          2026-04-30 2026-06-30
ccpa          access        US-CA    2026-01-01T03:00+00:00 America/Los_Angeles 2026-01-15 2026-02-14 2026-03-31
ccpa          access        US-CA    2026-01-01T03:00+00:00 UTC                 2026-01-15 2026-02-15 2026-04-01
policy        access        NZ       2026-02-27T12:00+00:00 Pacific/Auckland    -          2026-03-30 -
policy        access        NZ       2026-02-27T12:00+00:00 UTC                 -          2026-03-29 -
pipeda        access        CA-ON    2026-06-30T23:30-04:00 America/Toronto     -          2026-07-30 2026-08-29
pipeda        access        CA-ON    2026-06-30T23:30-04:00 UTC                 -          2026-07-31 2026-08-30
pipeda        access        CA-NL    2027-03-01T03:00+00:00 America/St_Johns    -          2027-03-30 2027-04-29
"""


def rows(table: str, columns: int) -> Iterator[list[str]]:
    for line in table.strip().splitlines():
        if not line.startswith("#"):
            yield line.split(maxsplit=columns - 1)


def last_days(laws: str, kind: str, place: str, received: str, zone: str = "UTC") -> list[str]:
    found = due(
        RequestKind(kind),
        None if place == "-" else place,
        datetime.fromisoformat(received),
        DEFAULT_DEADLINES if laws == "all" else {name: DEFAULT_DEADLINES[name] for name in laws.split("+")},
        zone=ZoneInfo(zone),
        business_day=is_business_day,
    )
    instants = (found.acknowledge_by, found.respond_by, found.extended_until)
    return ["-" if instant is None else instant.date().isoformat() for instant in instants]


@pytest.mark.parametrize("row", list(rows(CASES, 8)), ids=lambda row: f"{row[0]}, {row[7]}")
def test_a_request_is_due_on_the_day_that_the_law_says(row):
    laws, kind, place, received, *expected, _why = row

    assert last_days(laws, kind, place, f"{received}T12:00:00+00:00") == expected


@pytest.mark.parametrize("row", list(rows(ZONED, 8)), ids=lambda row: f"{row[2]} by {row[4]}")
def test_days_are_those_of_the_time_zone_asked_for(row):
    laws, kind, place, received, zone, *expected = row

    assert last_days(laws, kind, place, received, zone) == expected


def test_there_are_more_than_sixty_cases_and_none_twice():
    cases = [tuple(row[:4]) for row in rows(CASES, 8)] + [tuple(row[:5]) for row in rows(ZONED, 8)]

    assert len(cases) > 60
    assert len(set(cases)) == len(cases)
