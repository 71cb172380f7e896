"""What publishing a catalogue after another changes, and what may not be published."""

from typing import Any

import pytest

from sayso.catalogue import ChangeKind, catalogue_from_python, compare, lint, with_retired
from sayso.model.catalogue import Catalogue
from sayso.model.topic import LegalBasis, Topic

CONSENT, INTEREST = LegalBasis.CONSENT, LegalBasis.LEGITIMATE_INTEREST
CONTRACT, LAW = LegalBasis.CONTRACT, LegalBasis.LEGAL_OBLIGATION


def one(basis: LegalBasis = CONSENT, **settings: Any) -> Catalogue:
    return Catalogue(topics={"purpose:x": Topic(key="purpose:x", basis=basis, **settings)})


def changes(old: Catalogue | None, new: Catalogue) -> list[tuple[str, str, bool]]:
    return [(change.kind, change.topic, change.asks_again) for change in compare(old, new).changes]


def test_a_first_catalogue_adds_every_topic() -> None:
    comparison = compare(None, one())
    assert [(change.kind, change.topic, change.message) for change in comparison.changes] == [
        (ChangeKind.ADDED, "purpose:x", "not allowed until granted")
    ]
    assert comparison.refusals == ()


def test_an_unchanged_catalogue_changes_nothing(tables: dict[str, Any]) -> None:
    catalogue = catalogue_from_python(tables)
    assert compare(catalogue, catalogue_from_python(tables)).changes == ()


def test_an_added_opt_out_says_that_it_is_on_unless_refused() -> None:
    (change,) = compare(None, one(INTEREST)).changes
    assert change.message == "allowed unless refused"


def test_a_dropped_topic_is_removed_and_a_retired_one_retired() -> None:
    assert changes(one(), Catalogue()) == [("removed", "purpose:x", False)]
    assert changes(one(), one(retired=True)) == [("retired", "purpose:x", False)]
    assert changes(one(retired=True), Catalogue()) == []
    assert changes(one(retired=True), one()) == [("revived", "purpose:x", False)]


def test_a_raised_version_asks_those_who_consented_again_but_not_those_who_did_not_object() -> None:
    assert changes(one(version=1), one(version=2)) == [("version_raised", "purpose:x", True)]
    assert changes(one(INTEREST, version=1), one(INTEREST, version=2)) == [("version_raised", "purpose:x", False)]
    assert compare(one(version=1), one(version=2)).asks_again == ("purpose:x",)


def test_a_raised_version_says_how_long_what_was_granted_holds() -> None:
    (change,) = compare(one(version=1, grace="P30D"), one(version=2, grace="P30D")).changes
    assert change.message == (
        "goes from version 1 to 2; everybody who granted it is asked again, and what they granted holds for P30D"
    )


@pytest.mark.parametrize(
    ("before", "now", "warns"),
    [(None, "P30D", True), ("P30D", "P31D", True), ("P30D", "P29D", False), ("P30D", None, False)],
)
def test_another_grace_is_told_and_a_longer_one_warned_of(before: str | None, now: str | None, warns: bool) -> None:
    assert warned(one(grace=before), one(grace=now)) == [("grace_changed", "purpose:x", warns)]


def test_when_people_may_be_asked_anew_is_told() -> None:
    old, new = one(), one(refresh_before="P14D")
    assert changes(old, new) == changes(new, old) == [("refresh_before_changed", "purpose:x", False)]
    assert compare(old, new).changes[0].message == "people may be asked anew from P14D before their grant ends"


@pytest.mark.parametrize("part", ["title", "notice", "warning", "change"])
def test_another_text_under_the_same_version_is_told(part: str) -> None:
    old, new = one(**{part: {"en": "old"}}), one(**{part: {"en": "new"}})
    assert changes(old, new) == [("text_changed", "purpose:x", False)]
    raised = one(version=2, **{part: {"en": "new"}})
    assert changes(old, raised) == [("version_raised", "purpose:x", True)]


def test_another_requirement_is_told_and_another_order_is_not() -> None:
    assert changes(one(), one(requires=("purpose:y",))) == [("requires_changed", "purpose:x", False)]
    assert changes(one(requires=("purpose:y", "purpose:z")), one(requires=("purpose:z", "purpose:y"))) == []


@pytest.mark.parametrize("before", [CONSENT, INTEREST])
@pytest.mark.parametrize("now", [CONTRACT, LAW])
def test_a_basis_never_takes_a_choice_away_that_people_had(before: LegalBasis, now: LegalBasis) -> None:
    (refusal,) = compare(one(before), one(now)).refusals
    assert (refusal.code, refusal.table, refusal.key) == ("basis_changed", 'topics."purpose:x"', "basis")
    assert "use a new topic key" in refusal.message


@pytest.mark.parametrize(
    ("before", "now"),
    [(CONSENT, INTEREST), (INTEREST, CONSENT), (CONTRACT, CONSENT), (LAW, CONTRACT), (CONTRACT, LAW)],
)
def test_any_other_change_of_basis_is_told_and_not_refused(before: LegalBasis, now: LegalBasis) -> None:
    comparison = compare(one(before), one(now))
    assert [change.kind for change in comparison.changes] == [ChangeKind.BASIS_CHANGED]
    assert comparison.refusals == ()


def test_a_partners_basis_is_held_to_the_same_rule(tables: dict[str, Any]) -> None:
    old = catalogue_from_python(tables)
    tables["partners"]["vinsolutions"]["flows"]["share"]["basis"] = "contract"
    (refusal,) = compare(old, catalogue_from_python(tables)).refusals
    assert (refusal.code, refusal.table) == ("basis_changed", "partners.vinsolutions.flows.share")


def test_a_version_never_goes_down() -> None:
    (refusal,) = compare(one(version=3), one(version=2)).refusals
    assert (refusal.code, refusal.table, refusal.key) == ("version_lowered", 'topics."purpose:x"', "version")
    assert compare(one(version=3), one(version=3)).refusals == ()


def test_a_majority_below_18_has_to_be_allowed() -> None:
    young = Catalogue(majority=16)
    (refusal,) = compare(None, young).refusals
    assert (refusal.code, refusal.table, refusal.key) == ("majority_lowered", "", "majority")
    assert compare(young, young).refusals == (refusal,)
    assert compare(None, young, allow_lower_majority=True).refusals == ()
    assert compare(None, Catalogue(majority=18)).refusals == ()


def test_a_dropped_topic_is_carried_along_as_retired(tables: dict[str, Any]) -> None:
    old = catalogue_from_python(tables)
    del tables["topics"]["purpose:quality"]
    del tables["partners"]["vinsolutions"]
    new = with_retired(old, catalogue_from_python(tables))
    assert {key for key, topic in new.topics.items() if topic.retired} == {
        "purpose:quality",
        "partner:vinsolutions:share",
    }
    assert [(change.kind, change.topic) for change in compare(old, new).changes] == [
        (ChangeKind.RETIRED, "purpose:quality"),
        (ChangeKind.RETIRED, "partner:vinsolutions:share"),
    ]
    assert lint(new) == []
    assert Catalogue.from_json(new.canonical_json()) == new


def test_with_nothing_dropped_the_new_catalogue_is_left_alone() -> None:
    new = one()
    assert with_retired(one(), new) is new
    assert with_retired(None, new) is new


def test_a_topic_cannot_change_its_basis_by_way_of_a_catalogue_without_it() -> None:
    between = with_retired(one(CONSENT), Catalogue())
    (refusal,) = compare(between, one(CONTRACT)).refusals
    assert refusal.code == "basis_changed"


def test_a_partner_that_comes_back_takes_its_retired_topics_over(tables: dict[str, Any]) -> None:
    first = catalogue_from_python(tables)
    partner = tables["partners"].pop("vinsolutions")
    second = with_retired(first, catalogue_from_python(tables))
    tables["partners"]["vinsolutions"] = partner
    third = with_retired(second, catalogue_from_python(tables))
    topic = third.topic("partner:vinsolutions:share")
    assert topic is not None
    assert not topic.retired


def warned(old: Catalogue | None, new: Catalogue) -> list[tuple[str, str, bool]]:
    return [(change.kind, change.topic, change.warns) for change in compare(old, new).changes]


def test_what_the_opt_out_signal_no_longer_covers_is_warned_of() -> None:
    sold, kept = one(sale_or_share=True), one()
    assert warned(sold, kept) == [("sale_or_share_changed", "purpose:x", True)]
    assert warned(kept, sold) == [("sale_or_share_changed", "purpose:x", False)]


def test_going_from_consent_to_legitimate_interest_warns_that_silence_now_allows() -> None:
    assert warned(one(CONSENT), one(INTEREST)) == [("basis_changed", "purpose:x", True)]
    assert warned(one(INTEREST), one(CONSENT)) == [("basis_changed", "purpose:x", False)]
    (change,) = compare(one(CONSENT), one(INTEREST)).changes
    assert change.message == (
        "rested on consent and now on legitimate_interest; allowed unless refused, "
        "so from then on also for everybody who was never asked"
    )


@pytest.mark.parametrize(
    ("before", "now", "message"),
    [
        ("P365D", "P30D", "new grants end after P30D instead of P365D; those already given keep their end"),
        ("P30D", "P365D", "new grants end after P365D instead of P30D; those already given keep their end"),
        ("P365D", None, "new grants no longer end by themselves; before it was after P365D"),
        (None, "P30D", "new grants end after P30D; those already given keep their end, or have none"),
    ],
)
def test_another_end_of_grants_is_told(before: str | None, now: str | None, message: str) -> None:
    (change,) = compare(one(expires_after=before), one(expires_after=now)).changes
    assert (change.kind, change.topic, change.message) == ("expires_after_changed", "purpose:x", message)
    assert change.warns is (now is None)


def partnered(tables: dict[str, Any], fields: dict[str, list[str]]) -> Catalogue:
    tables["partners"]["vinsolutions"]["fields"] = fields
    return catalogue_from_python(tables)


def test_a_partners_fields_are_compared_one_by_one(tables: dict[str, Any]) -> None:
    old = catalogue_from_python(tables)  # customer.phone needs channel:sms, vehicle nothing
    new = partnered(tables, {"customer.phone": [], "vehicle": ["purpose:marketing"], "customer.email": []})
    gone = partnered(tables, {"vehicle": []})

    assert [(change.kind, change.topic, change.message, change.warns) for change in compare(old, new).changes] == [
        (
            "partner_fields_changed",
            "partner:vinsolutions:share",
            "field customer.phone needed channel:sms and now nothing else",
            True,
        ),
        (
            "partner_fields_changed",
            "partner:vinsolutions:share",
            "field vehicle needed nothing else and now purpose:marketing",
            False,
        ),
        (
            "partner_fields_changed",
            "partner:vinsolutions:share",
            "field customer.email was held back and now needs nothing else",
            True,
        ),
    ]
    (change,) = compare(old, gone).changes
    assert (change.message, change.warns) == ("field customer.phone needed channel:sms and is now held back", False)


def test_a_field_falls_under_the_star_once_it_is_no_longer_named(tables: dict[str, Any]) -> None:
    old = partnered(tables, {"customer.phone": ["channel:sms"], "*": []})
    new = partnered(tables, {"*": []})
    (change,) = compare(old, new).changes
    assert (change.message, change.warns) == ("field customer.phone needed channel:sms and now nothing else", True)
    assert compare(old, old).changes == ()


def _for_germany(age: int) -> Catalogue:
    law = {"law": "GDPR Art. 8", "regions": ["DE"], "age": age, "valid_from": "2018-05-25"}
    return Catalogue.model_validate({"ages": {"germany": law}})


def test_an_age_below_18_somewhere_has_to_be_allowed_as_well() -> None:
    (refusal,) = compare(None, _for_germany(16)).refusals
    assert (refusal.code, refusal.table, refusal.key) == ("majority_lowered", "ages.germany", "age")
    assert compare(None, _for_germany(16), allow_lower_majority=True).refusals == ()
    assert compare(None, _for_germany(19)).refusals == ()


def test_other_ages_somewhere_are_told_with_a_warning() -> None:
    (change,) = compare(_for_germany(19), _for_germany(20)).changes
    assert (change.kind, change.topic, change.warns) == ("majority_changed", "", True)
    assert change.message.endswith("in some places: germany")
    assert compare(_for_germany(19), _for_germany(19)).changes == ()


def test_another_age_of_majority_is_told_for_the_catalogue_as_a_whole() -> None:
    (raised,) = compare(Catalogue(majority=18), Catalogue(majority=21)).changes
    (lowered,) = compare(Catalogue(majority=21), Catalogue(majority=18)).changes
    assert (raised.kind, raised.topic, raised.warns) == ("majority_changed", "", False)
    assert (lowered.kind, lowered.topic, lowered.warns) == ("majority_changed", "", True)
    assert lowered.message == "people decide for themselves from 18 instead of 21 years"


def test_what_is_made_of_unknown_age_and_of_dnt_is_told() -> None:
    strict, lax = Catalogue(unknown_age="minor", dnt="honour"), Catalogue()
    assert warned(strict, lax) == [("unknown_age_changed", "", True), ("dnt_changed", "", True)]
    assert warned(lax, strict) == [("unknown_age_changed", "", False), ("dnt_changed", "", False)]


def test_a_requirement_that_falls_away_is_warned_of() -> None:
    assert warned(one(requires=("purpose:y",)), one()) == [("requires_changed", "purpose:x", True)]
    assert warned(one(), one(requires=("purpose:y",))) == [("requires_changed", "purpose:x", False)]


@pytest.mark.parametrize(
    ("before", "now", "warns"),
    [("PT24H", "P6D", True), ("P6D", "PT24H", False)],
)
@pytest.mark.parametrize("name", ["fresh_for", "fresh_for_one_time"])
def test_how_long_a_device_report_counts_is_told_and_longer_is_warned_of(
    name: str, before: str, now: str, warns: bool
) -> None:
    def located(span: str) -> Catalogue:
        return Catalogue(
            topics={"permission:location": Topic(key="permission:location", basis=CONSENT, **{name: span})}
        )

    assert warned(located(before), located(now)) == [("fresh_for_changed", "permission:location", warns)]


def test_another_capability_behind_a_permission_is_warned_of() -> None:
    def selfie(capability: str) -> Catalogue:
        return Catalogue(
            topics={"permission:selfie": Topic(key="permission:selfie", basis=CONSENT, capability=capability)}
        )

    (change,) = compare(selfie("camera"), selfie("photos")).changes
    assert (change.kind, change.warns) == ("capability_changed", True)
    assert change.message == "now goes by what the device says about photos instead of camera"


@pytest.mark.parametrize(
    ("before", "now", "warns"),
    [
        ("integration", "service_provider", True),
        ("affiliate", "authority", True),
        ("service_provider", "authority", False),
        ("service_provider", "integration", False),
        ("integration", "affiliate", False),
    ],
)
def test_a_partner_that_may_now_have_what_people_said_is_warned_of(
    tables: dict[str, Any], before: str, now: str, warns: bool
) -> None:
    partner = tables["partners"]["vinsolutions"]
    old = catalogue_from_python(tables | {"partners": {"vinsolutions": partner | {"partner_class": before}}})
    new = catalogue_from_python(tables | {"partners": {"vinsolutions": partner | {"partner_class": now}}})

    assert warned(old, new) == [("partner_class_changed", "partner:vinsolutions:share", warns)]
    (change,) = compare(old, new).changes
    assert change.message.startswith(f"the partner's class was {before} and is now {now}")


@pytest.mark.parametrize(
    ("before", "now", "warns"),
    [({}, {"ldu": True}, True), ({"ldu": True}, {"ldu": False}, True), ({"ldu": True}, {}, False)],
)
def test_flags_with_which_data_goes_where_it_was_withheld_are_warned_of(
    tables: dict[str, Any], before: dict[str, bool], now: dict[str, bool], warns: bool
) -> None:
    partner = tables["partners"]["vinsolutions"]
    old = catalogue_from_python(tables | {"partners": {"vinsolutions": partner | {"restricted": before}}})
    new = catalogue_from_python(tables | {"partners": {"vinsolutions": partner | {"restricted": now}}})

    assert warned(old, new) == [("partner_flags_changed", "partner:vinsolutions:share", warns)]
