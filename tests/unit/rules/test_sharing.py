import pytest

from sayso.model.decision import Reason
from sayso.rules.sharing import answer_to_share

ALLOWING = {"granted", "default", "required"}
FLAGS_SPEAK_FOR = {"denied", "withdrawn", "signal", "not_asked", "expired", "outdated"}


@pytest.mark.parametrize("reason", sorted(ALLOWING))
@pytest.mark.parametrize("flagged", [True, False])
def test_what_is_allowed_is_sent_and_redacted_where_a_field_has_to_stay(reason: str, flagged: bool) -> None:
    assert answer_to_share(allowed=True, reasons=[reason], flagged=flagged, holds_back=False) == "send"
    assert answer_to_share(allowed=True, reasons=[reason], flagged=flagged, holds_back=True) == "send_redacted"


@pytest.mark.parametrize("reason", [*sorted({each.value for each in Reason} - ALLOWING), "requires:purpose:x", "news"])
@pytest.mark.parametrize("holds_back", [True, False])
def test_without_flags_of_the_partner_what_is_not_allowed_is_withheld(reason: str, holds_back: bool) -> None:
    assert answer_to_share(allowed=False, reasons=[reason], flagged=False, holds_back=holds_back) == "withhold"


@pytest.mark.parametrize("reason", sorted(FLAGS_SPEAK_FOR))
@pytest.mark.parametrize("holds_back", [True, False])
def test_the_partners_flags_stand_in_for_a_refusal(reason: str, holds_back: bool) -> None:
    assert answer_to_share(allowed=False, reasons=[reason], flagged=True, holds_back=holds_back) == "send_restricted"


@pytest.mark.parametrize("reason", [*sorted({each.value for each in Reason} - ALLOWING - FLAGS_SPEAK_FOR), "news", ""])
def test_no_flag_stands_in_for_anything_else(reason: str) -> None:
    assert answer_to_share(allowed=False, reasons=[reason], flagged=True, holds_back=False) == "withhold"


@pytest.mark.parametrize("reason", sorted(FLAGS_SPEAK_FOR))
def test_the_partners_flags_stand_in_for_a_refusal_of_what_the_share_requires(reason: str) -> None:
    reasons = ["requires:purpose:marketing", "requires:purpose:analytics", reason]
    assert answer_to_share(allowed=False, reasons=reasons, flagged=True, holds_back=False) == "send_restricted"


@pytest.mark.parametrize("reason", [*sorted({each.value for each in Reason} - ALLOWING - FLAGS_SPEAK_FOR), "news", ""])
def test_no_flag_hides_a_minor_or_an_erasure_behind_what_the_share_requires(reason: str) -> None:
    for reasons in (["requires:purpose:marketing", reason], ["requires:purpose:marketing", "denied", reason]):
        assert answer_to_share(allowed=False, reasons=reasons, flagged=True, holds_back=False) == "withhold"


def test_what_requires_something_whose_own_reason_is_not_known_is_withheld() -> None:
    reasons = ["requires:purpose:marketing"]
    assert answer_to_share(allowed=False, reasons=reasons, flagged=True, holds_back=False) == "withhold"
