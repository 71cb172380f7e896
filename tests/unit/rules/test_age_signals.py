"""Age signals of Apple, Google and AB 1043 become bands, and nothing else of them is kept."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.rules.age_signals import AgeBand, read_age_signal


@pytest.mark.parametrize(
    ("platform", "payload", "band"),
    [
        (
            "apple",
            {"lowerBound": 13, "upperBound": 15, "ageRangeDeclaration": "selfDeclared"},
            (13, 15, "apple selfDeclared"),
        ),
        (
            "apple",
            {"lowerBound": 16, "upperBound": 17, "ageRangeDeclaration": "guardianDeclared"},
            (16, 17, "apple guardianDeclared"),
        ),
        ("apple", {"lowerBound": 18, "ageRangeDeclaration": "confirmed"}, (18, None, "apple confirmed")),
        ("apple", {"lowerBound": 18, "upperBound": None}, (18, None, "apple unknown")),
        (
            "apple",
            {"upperBound": 12, "ageRangeDeclaration": "guardianCheckedByOtherMethod"},
            (None, 12, "apple guardianCheckedByOtherMethod"),
        ),
        ("apple", "declinedSharing", (None, None, "apple declinedSharing")),
        ("apple", None, (None, None, "apple declinedSharing")),
        ("apple", {}, (None, None, "apple declinedSharing")),
        ("apple", {"lowerBound": None, "upperBound": None}, (None, None, "apple declinedSharing")),
        ("google", {"userStatus": "VERIFIED", "ageLower": None}, (18, None, "google VERIFIED")),
        ("google", {"userStatus": "DECLARED", "ageLower": 16, "ageUpper": 17}, (16, 17, "google DECLARED")),
        (
            "google",
            {"userStatus": "SUPERVISED", "ageLower": 13, "ageUpper": 15, "installId": "x"},
            (13, 15, "google SUPERVISED"),
        ),
        (
            "google",
            {"userStatus": "SUPERVISED_APPROVAL_PENDING", "ageLower": 0, "ageUpper": 12},
            (0, 12, "google SUPERVISED_APPROVAL_PENDING"),
        ),
        ("google", {"userStatus": "SUPERVISED_APPROVAL_DENIED"}, (None, 17, "google SUPERVISED_APPROVAL_DENIED")),
        ("google", {"userStatus": "SUPERVISED", "ageLower": 18}, (None, 17, "google SUPERVISED")),
        ("google", {"userStatus": "UNKNOWN"}, (None, None, "google UNKNOWN")),
        ("google", {}, (None, None, "google unknown")),
        ("ab1043", "<13", (0, 12, "ab1043")),
        ("ab1043", "13–15", (13, 15, "ab1043")),
        ("ab1043", {"bracket": "16-17"}, (16, 17, "ab1043")),
        ("ab1043", "18 or over", (18, None, "ab1043")),
        ("ab1043", "under_13", (0, 12, "ab1043")),
    ],
)
def test_a_signal_becomes_a_band(platform, payload, band):
    assert read_age_signal(platform, payload) == AgeBand(*band)


@pytest.mark.parametrize(
    ("platform", "payload"),
    [
        ("apple", "sharing"),
        ("apple", {"lowerBound": "13"}),
        ("apple", {"lowerBound": True}),
        ("apple", {"lowerBound": -1}),
        ("apple", {"lowerBound": 131}),
        ("apple", {"lowerBound": 17, "upperBound": 13}),
        ("apple", {"ageRangeDeclaration": "selfDeclared"}),
        ("google", None),
        ("google", "VERIFIED"),
        ("google", {"userStatus": "VERIFIED", "ageUpper": 12.5}),
        ("ab1043", "12-14"),
        ("ab1043", 13),
        ("nokia", {}),
    ],
)
def test_what_is_no_such_payload_is_refused_and_not_repeated(platform, payload):
    with pytest.raises(ValueError, match=r"apple|lowerBound|upperBound|userStatus|ageUpper|bracket"):
        read_age_signal(platform, payload)


@pytest.mark.parametrize(
    ("platform", "payload", "known"),
    [
        ("apple", {"age": 15}, "lowerBound, upperBound, ageRangeDeclaration, activeParentalControls"),
        ("apple", {"lower_bound": 13, "upper_bound": 15}, "lowerBound, upperBound"),
        ("apple", {"lowerBound": 18, "upper_bound": 15}, "lowerBound, upperBound"),
        ("google", {"age": 15}, "userStatus, ageLower, ageUpper, mostRecentApprovalDate, installId"),
        ("google", {"userStatus": "DECLARED", "age_upper": 15}, "userStatus, ageLower, ageUpper"),
        ("ab1043", {"bracket": "18+", "age": 15}, "known are bracket"),
    ],
)
def test_an_age_under_an_unknown_name_never_passes_for_nothing_shared(platform, payload, known):
    with pytest.raises(ValueError, match=known) as caught:
        read_age_signal(platform, payload)
    assert "15" not in str(caught.value)


@given(st.text(max_size=60) | st.integers() | st.none())
def test_a_declaration_that_is_no_plain_word_is_not_kept(written):
    method = read_age_signal("apple", {"lowerBound": 13, "ageRangeDeclaration": written}).method
    word = method.removeprefix("apple ")
    assert word in (written, "unknown")
    assert word.isascii()
    assert len(word) <= 40
