"""What keeps a catalogue from being published, and what its publisher is told."""

from datetime import date
from typing import Any

import pytest

from sayso.catalogue import Finding, Level, catalogue_from_python, lint, require_publishable
from sayso.errors import CatalogueError

Tables = dict[str, Any]
FR = "fr-CA"


def findings(tables: Tables, level: Level) -> list[tuple[str, str, str]]:
    found = lint(catalogue_from_python(tables))
    return [(finding.table, finding.key, finding.message) for finding in found if finding.level is level]


def errors(tables: Tables) -> list[tuple[str, str, str]]:
    return findings(tables, Level.ERROR)


def warnings(tables: Tables) -> list[tuple[str, str, str]]:
    return findings(tables, Level.WARNING)


def in_both(text: str) -> dict[str, str]:
    return {"en": text, FR: text}


def topic(basis: str = "consent", **settings: Any) -> dict[str, Any]:
    return {
        "basis": basis,
        "title": in_both("Title"),
        "notice": in_both("Notice"),
        "data_classes": ["contact"],
        **settings,
    }


def test_a_catalogue_with_nothing_wrong_has_no_findings(tables: Tables) -> None:
    assert lint(catalogue_from_python(tables)) == []


def test_a_catalogue_without_topics_is_refused() -> None:
    assert ("topics", "", "is empty; there is nothing to decide about") in errors({})


@pytest.mark.parametrize("basis", ["contract", "legal_obligation"])
@pytest.mark.parametrize(
    ("key", "settings", "what"),
    [
        ("permission:camera", {}, "a device permission"),
        ("channel:sms", {}, "a channel"),
        ("purpose:marketing", {}, "marketing"),
        ("purpose:direct-marketing.post", {}, "marketing"),
        ("purpose:offers", {"marketing": True}, "marketing"),
        ("purpose:transcript.training", {}, "training"),
        ("purpose:assistant", {"training": True}, "training"),
        ("purpose:lists", {"sale_or_share": True}, "the sale or sharing of data"),
        ("cookie:ads", {"sale_or_share": True}, "the sale or sharing of data"),
    ],
)
def test_a_basis_that_takes_the_choice_away_is_refused_where_the_choice_is_the_consumers(
    tables: Tables, basis: str, key: str, settings: Tables, what: str
) -> None:
    tables["topics"][key] = topic(basis, **settings)
    message = (
        f"{basis} leaves no choice, and {what} is the consumer's to refuse; rest it on consent or legitimate_interest"
    )
    assert errors(tables) == [(f'topics."{key}"', "basis", message)]


@pytest.mark.parametrize("basis", ["consent", "legitimate_interest"])
def test_marketing_may_rest_on_either_basis_with_a_choice(tables: Tables, basis: str) -> None:
    tables["topics"]["purpose:marketing"]["basis"] = basis
    assert errors(tables) == []


def test_a_partner_that_buys_data_may_not_rest_on_a_contract(tables: Tables) -> None:
    tables["partners"]["vinsolutions"]["flows"]["share"] |= {"basis": "contract", "sale_or_share": True}
    assert [(table, key) for table, key, _ in errors(tables)] == [("partners.vinsolutions.flows.share", "basis")]


@pytest.mark.parametrize(
    ("key", "words"),
    [("permission:camera", "before anybody asked"), ("channel:sms", "before anybody opted in")],
)
def test_a_permission_or_channel_that_is_on_by_itself_is_warned_of(tables: Tables, key: str, words: str) -> None:
    tables["topics"][key]["basis"] = "legitimate_interest"
    assert errors(tables) == []
    ((table, at, message),) = warnings(tables)
    assert (table, at) == (f'topics."{key}"', "basis")
    assert words in message


@pytest.mark.parametrize(
    ("path", "table", "key"),
    [
        (("topics", "purpose:marketing", "title"), 'topics."purpose:marketing"', "title.fr-CA"),
        (("topics", "purpose:marketing", "notice"), 'topics."purpose:marketing"', "notice.fr-CA"),
        (("partners", "vinsolutions", "title"), "partners.vinsolutions", "title.fr-CA"),
        (
            ("partners", "vinsolutions", "flows", "share", "notice"),
            "partners.vinsolutions.flows.share",
            "notice.fr-CA",
        ),
        (("retention", "contact", "title"), "retention.contact", "title.fr-CA"),
        (("retention", "contact", "ground"), "retention.contact", "ground.fr-CA"),
        (("contacts", "authorities", "eea", "name"), "contacts.authorities.eea", "name.fr-CA"),
    ],
)
def test_a_text_missing_in_a_declared_language_is_refused(
    tables: Tables, path: tuple[str, ...], table: str, key: str
) -> None:
    texts: Any = tables
    for step in path:
        texts = texts[step]
    del texts[FR]
    assert errors(tables) == [(table, key, "is missing; write it, or take fr-CA out of `languages`")]


@pytest.mark.parametrize("part", ["warning", "change"])
def test_optional_texts_come_in_every_language_or_not_at_all(tables: Tables, part: str) -> None:
    tables["topics"]["purpose:marketing"][part] = {"en": "New"}
    assert [(table, key) for table, key, _ in errors(tables)] == [('topics."purpose:marketing"', f"{part}.fr-CA")]


def test_a_text_in_an_undeclared_language_is_refused(tables: Tables) -> None:
    tables["topics"]["purpose:marketing"]["title"]["de"] = "Angebote"
    message = "is in a language that `languages` does not list"
    assert errors(tables) == [('topics."purpose:marketing"', "title.de", message)]


def test_a_retired_topic_needs_no_new_texts(tables: Tables) -> None:
    tables["topics"]["purpose:old"] = {"basis": "consent", "retired": True}
    assert lint(catalogue_from_python(tables)) == []


def test_a_topic_of_a_class_without_retention_is_refused(tables: Tables) -> None:
    tables["topics"]["purpose:marketing"]["data_classes"] = ["contact", "letters"]
    message = "nothing says how long 'letters' is kept; add [retention.letters] with period, start and ground"
    assert errors(tables) == [('topics."purpose:marketing"', "data_classes", message)]


def test_retention_of_a_class_that_nothing_uses_is_warned_of(tables: Tables) -> None:
    tables["retention"]["letters"] = tables["retention"]["contact"]
    tables["retention"]["choices"] = tables["retention"]["contact"]  # Sayso's own record, always kept
    assert warnings(tables) == [("retention.letters", "", "is used by no topic and no source")]


def test_a_purpose_without_data_classes_is_warned_of(tables: Tables) -> None:
    tables["topics"]["purpose:quality"]["data_classes"] = []
    assert [(table, key) for table, key, _ in warnings(tables)] == [('topics."purpose:quality"', "data_classes")]


@pytest.mark.parametrize(
    ("length", "expected"),
    [
        ("59s", [("error", "expires_after")]),
        ("60s", []),
        ("P3650D", []),
        ("P3651D", [("warning", "expires_after")]),
    ],
)
def test_a_grant_lasts_between_a_minute_and_ten_years(
    tables: Tables, length: str, expected: list[tuple[str, str]]
) -> None:
    tables["topics"]["purpose:marketing"]["expires_after"] = length
    found = lint(catalogue_from_python(tables))
    assert [(finding.level, finding.key) for finding in found] == expected


def test_an_expiry_that_has_no_effect_is_warned_of(tables: Tables) -> None:
    tables["topics"]["purpose:quality"] |= {"basis": "contract", "expires_after": "365d"}
    assert warnings(tables) == [
        (
            'topics."purpose:quality"',
            "expires_after",
            "has no effect: nobody grants what rests on contract",
        )
    ]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"expires_after": "P365D", "refresh_before": "P14D"}, []),
        ({"expires_after": "P14D", "refresh_before": "P14D"}, [("error", "refresh_before")]),
        ({"refresh_before": "P14D"}, []),  # a grant may name its own end
        ({"grace": "P366D"}, []),
        ({"grace": "P367D"}, [("warning", "grace")]),
    ],
)
def test_asking_anew_comes_before_the_end_and_a_grace_is_no_permanent_state(
    tables: Tables, settings: dict[str, str], expected: list[tuple[str, str]]
) -> None:
    tables["topics"]["purpose:marketing"] |= settings
    found = lint(catalogue_from_python(tables))
    assert [(finding.level, finding.key) for finding in found] == expected


def test_a_grace_or_a_refresh_of_what_nobody_grants_is_warned_of(tables: Tables) -> None:
    tables["topics"]["purpose:quality"] |= {"basis": "contract", "grace": "P1D", "refresh_before": "P1D"}
    assert [(key, message) for _, key, message in warnings(tables)] == [
        ("grace", "has no effect: nobody grants what rests on contract"),
        ("refresh_before", "has no effect: nobody grants what rests on contract"),
    ]


def test_a_one_time_grant_of_the_device_never_outlasts_a_lasting_one(tables: Tables) -> None:
    tables["topics"]["permission:camera"] |= {"fresh_for": "30s"}
    assert [(table, key) for table, key, _ in errors(tables)] == [('topics."permission:camera"', "fresh_for_one_time")]


def test_a_device_state_believed_for_over_a_week_is_warned_of(tables: Tables) -> None:
    tables["topics"]["permission:camera"]["fresh_for"] = "P8D"
    assert [(table, key) for table, key, _ in warnings(tables)] == [('topics."permission:camera"', "fresh_for")]


def test_freshness_of_a_topic_without_a_device_is_warned_of(tables: Tables) -> None:
    tables["topics"]["purpose:quality"]["fresh_for"] = "1h"
    assert [(table, key) for table, key, _ in warnings(tables)] == [('topics."purpose:quality"', "fresh_for")]


def test_a_share_without_a_field_map_is_refused(tables: Tables) -> None:
    del tables["partners"]["vinsolutions"]["fields"]
    message = "is missing: name each field that leaves, with the topics it needs"
    assert errors(tables) == [("partners.vinsolutions.fields", "", message)]


def test_a_field_map_that_names_an_unknown_topic_is_refused_with_the_nearest(tables: Tables) -> None:
    tables["partners"]["vinsolutions"]["fields"]["customer.phone"] = ["channel:smss"]
    message = "'channel:smss' is no topic of this catalogue; did you mean 'channel:sms'?"
    assert errors(tables) == [("partners.vinsolutions.fields", '"customer.phone"', message)]


def test_sending_every_unmapped_field_is_warned_of(tables: Tables) -> None:
    tables["partners"]["vinsolutions"]["fields"]["*"] = []
    assert errors(tables) == []
    assert warnings(tables) == [
        ("partners.vinsolutions.fields", '"*"', "sends each field that nobody mapped; name them instead")
    ]


def test_sending_unmapped_fields_under_a_topic_is_fine(tables: Tables) -> None:
    tables["partners"]["vinsolutions"]["fields"]["*"] = ["purpose:marketing"]
    assert lint(catalogue_from_python(tables)) == []


@pytest.mark.parametrize("field", ["transcript", "customer.Transcript", "survey.answers", "recording_url"])
def test_what_people_said_leaves_only_with_consent_or_to_service_providers(tables: Tables, field: str) -> None:
    partner = tables["partners"]["vinsolutions"]
    partner["fields"][field] = ["purpose:quality"]
    ((table, _, message),) = warnings(tables)
    assert table == "partners.vinsolutions.fields"
    assert "only with their consent" in message
    partner["fields"][field] = ["purpose:marketing"]
    assert warnings(tables) == []
    partner["fields"][field] = []
    partner["partner_class"] = "service_provider"
    assert warnings(tables) == []


def test_a_service_provider_does_not_buy_data(tables: Tables) -> None:
    tables["partners"]["vinsolutions"]["partner_class"] = "service_provider"
    tables["partners"]["vinsolutions"]["flows"]["share"]["sale_or_share"] = True
    assert [(table, key) for table, key, _ in errors(tables)] == [
        ("partners.vinsolutions.flows.share", "sale_or_share")
    ]


def test_a_partner_without_flows_is_refused(tables: Tables) -> None:
    tables["partners"]["idle"] = {"partner_class": "affiliate", "country": "US", "title": in_both("Idle")}
    message = "is empty; write [partners.idle.flows.share], .receive or .combine"
    assert errors(tables) == [("partners.idle", "flows", message)]


@pytest.mark.parametrize(("missing", "words"), [("policy_url", "its own policy"), ("country", "crosses a border")])
def test_what_a_notice_says_about_a_partner_is_asked_for(tables: Tables, missing: str, words: str) -> None:
    del tables["partners"]["vinsolutions"][missing]
    ((table, key, message),) = warnings(tables)
    assert (table, key) == ("partners.vinsolutions", missing)
    assert words in message


def transfer(**settings: Any) -> dict[str, Any]:
    return {
        "exporter": "Example Motors",
        "importer": "VinSolutions",
        "origin": "EEA",
        "destination": "US",
        "legal_basis": "A49-1-a",
        "review_by": "2027-01-01",
        **settings,
    }


def test_a_transfer_on_consent_alone_is_warned_of(tables: Tables) -> None:
    tables["transfers"] = {"crm": transfer()}
    ((table, key, message),) = warnings(tables)
    assert (table, key) == ("transfers.crm", "legal_basis")
    assert "explicit consent alone" in message


def test_a_transfer_on_consent_beside_clauses_is_fine(tables: Tables) -> None:
    tables["transfers"] = {"crm": transfer(), "crm-clauses": transfer(legal_basis="A46-2-c", module=1)}
    assert lint(catalogue_from_python(tables)) == []


def test_clauses_for_another_destination_do_not_help(tables: Tables) -> None:
    tables["transfers"] = {
        "crm": transfer(),
        "other": transfer(destination="IN", legal_basis="A46-2-c", module=1),
    }
    assert [(table, key) for table, key, _ in warnings(tables)] == [("transfers.crm", "legal_basis")]


def test_clauses_without_their_module_are_refused(tables: Tables) -> None:
    tables["transfers"] = {"crm": transfer(legal_basis="A46-2-c")}
    message = "is missing: say which module of the clauses, 1 to 4"
    assert errors(tables) == [("transfers.crm", "module", message)]


def test_a_transfer_to_an_unknown_partner_is_refused(tables: Tables) -> None:
    tables["transfers"] = {"crm": transfer(legal_basis="A45-3", partner="vin")}
    assert errors(tables) == [("transfers.crm", "partner", "'vin' is no partner of this catalogue")]


def test_an_overdue_review_is_warned_of_from_the_day_after(tables: Tables) -> None:
    tables["transfers"] = {"crm": transfer(legal_basis="A45-3")}
    catalogue = catalogue_from_python(tables)
    assert lint(catalogue) == []
    assert lint(catalogue, today=date(2027, 1, 1)) == []
    (finding,) = lint(catalogue, today=date(2027, 1, 2))
    assert str(finding) == ("warning: [transfers.crm] review_by: was 2027-01-01: look at this transfer again")


def source(**settings: Any) -> dict[str, Any]:
    return {
        "provided_by": "third_party",
        "topics": ["purpose:quality"],
        "title": in_both("Lists"),
        "data_classes": ["contact"],
        **settings,
    }


@pytest.mark.parametrize(
    ("settings", "key", "message"),
    [
        ({"topics": []}, "topics", "is empty; name the topics that decide about this source"),
        (
            {"topics": ["purpose:qualty"]},
            "topics",
            "'purpose:qualty' is no topic of this catalogue; did you mean 'purpose:quality'?",
        ),
        (
            {"topics": ["purpose:marketing"], "never_consent": True},
            "topics",
            "'purpose:marketing' rests on consent, which this source is not; use an opt-out",
        ),
        (
            {"data_classes": ["letters"]},
            "data_classes",
            "nothing says how long 'letters' is kept; add [retention.letters] with period, start and ground",
        ),
    ],
)
def test_a_source_that_nobody_decides_about_is_refused(
    tables: Tables, settings: Tables, key: str, message: str
) -> None:
    tables["sources"] = {"lists": source(**settings)}
    assert errors(tables) == [("sources.lists", key, message)]


def test_a_list_that_is_no_consent_may_rest_on_an_opt_out(tables: Tables) -> None:
    tables["sources"] = {"lists": source(never_consent=True)}
    assert lint(catalogue_from_python(tables)) == []


@pytest.mark.parametrize(
    ("decides", "message"),
    [
        (
            "cookie:performnce",
            "'cookie:performnce' is no topic of this catalogue; did you mean 'cookie:performance'?",
        ),
        ("purpose:marketing", "'purpose:marketing' is not a cookie topic"),
    ],
)
def test_a_cookie_that_no_cookie_topic_decides_about_is_refused(tables: Tables, decides: str, message: str) -> None:
    tables["cookies"] = {"_ga": {"topic": decides, "provider": "x", "description": in_both("Counts")}}
    assert errors(tables) == [("cookies._ga", "topic", message)]


def test_notice_of_an_extension_that_does_not_exist_is_refused(tables: Tables) -> None:
    tables["deadlines"]["policy"]["extension_notice"] = "30 days"
    assert errors(tables) == [("deadlines.policy", "extension_notice", "is for an `extension`, and there is none")]


def test_a_catalogue_without_deadlines_is_warned_of(tables: Tables) -> None:
    del tables["deadlines"]
    assert [(table, key) for table, key, _ in warnings(tables)] == [("deadlines", "")]


def test_a_catalogue_without_controller_is_refused(tables: Tables) -> None:
    del tables["contacts"]["controller"]
    message = "is missing: name, address and email of who answers for it all"
    assert errors(tables) == [("contacts.controller", "", message)]


@pytest.mark.parametrize("office", ["data_protection_officer", "eu_representative", "uk_representative", "authorities"])
def test_an_office_that_only_some_brands_need_is_warned_of(tables: Tables, office: str) -> None:
    del tables["contacts"][office]
    assert errors(tables) == []
    assert [table for table, _, _ in warnings(tables)] == [f"contacts.{office}"]


def test_publishing_is_refused_with_every_error_and_no_warning(tables: Tables) -> None:
    del tables["contacts"]["controller"]
    del tables["contacts"]["uk_representative"]
    tables["topics"]["channel:sms"]["basis"] = "contract"
    with pytest.raises(CatalogueError) as caught:
        require_publishable(catalogue_from_python(tables))
    assert [problem.table for problem in caught.value.found] == ['topics."channel:sms"', "contacts.controller"]


def test_publishing_with_warnings_gives_them_back(tables: Tables) -> None:
    del tables["contacts"]["uk_representative"]
    (warning,) = require_publishable(catalogue_from_python(tables))
    assert warning.level is Level.WARNING


def test_errors_come_before_warnings(tables: Tables) -> None:
    tables["topics"]["purpose:quality"]["data_classes"] = []
    del tables["contacts"]["controller"]
    levels = [finding.level for finding in lint(catalogue_from_python(tables))]
    assert levels == [Level.ERROR, Level.WARNING]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("plain-name_1", "cookies.plain-name_1"),
        ("purpose:x", 'cookies."purpose:x"'),
        ('say "hi"', r'cookies."say \"hi\""'),
        ("back\\slash", r'cookies."back\\slash"'),
        ("new\nline", r'cookies."new\U0000000aline"'),
    ],
)
def test_table_names_are_quoted_as_toml_does(name: str, written: str, tables: Tables) -> None:
    tables["cookies"] = {name: {"topic": "purpose:quality", "provider": "x", "description": in_both("x")}}
    ((table, _, _),) = errors(tables)
    assert table == written


def test_a_finding_reads_as_one_line() -> None:
    finding = Finding(Level.ERROR, 'topics."purpose:x"', "basis", "is wrong")
    assert str(finding) == 'error: [topics."purpose:x"] basis: is wrong'
