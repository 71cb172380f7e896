"""Whom a consumer can turn to."""

from datetime import date

import pytest

from sayso.model.catalogue import Catalogue
from sayso.model.request import DenialReason
from sayso.rules.denials import REASONS, denial_in_words
from sayso.rules.recourse import recourse
from sayso.rules.recourse_table import LANGUAGES, OFFICES, WORDS
from sayso.rules.regions import EEA_COUNTRIES

TODAY = date(2026, 11, 24)
NOTHING = Catalogue()


def authority(url, *regions, **names):
    return {"name": names or {"en": "An office"}, "url": url, "regions": list(regions)}


def naming(**authorities):
    return Catalogue.model_validate({"languages": ["en"], "contacts": {"authorities": authorities}})


def urls(place, catalogue=NOTHING, on=TODAY):
    return [office.url for office in recourse(place, catalogue, on).offices]


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ("FR", ["https://www.cnil.fr/"]),
        ("RE", ["https://www.cnil.fr/"]),
        ("ES-CT", ["https://www.aepd.es/"]),
        ("NO", ["https://www.datatilsynet.no/"]),
        ("EEA", ["https://www.edpb.europa.eu/about-edpb/about-edpb/members_en"]),
        ("GB", ["https://ico.org.uk/make-a-complaint/"]),
        ("UK", ["https://ico.org.uk/make-a-complaint/"]),
        ("CA-ON", ["https://www.priv.gc.ca/en/report-a-concern/"]),
        ("CA-QC", ["https://www.cai.gouv.qc.ca/"]),
        ("CA", ["https://www.priv.gc.ca/en/report-a-concern/", "https://www.cai.gouv.qc.ca/"]),
        ("US-CA", ["https://cppa.ca.gov/webapplications/complaint", "https://oag.ca.gov/report"]),
        ("US-TX", ["https://www.naag.org/find-my-ag/"]),
    ],
)
def test_the_nearest_authority_is_named_and_any_that_may_be_competent(place, expected):
    assert urls(place) == expected


def test_every_country_of_the_eea_has_its_own():
    for country in EEA_COUNTRIES:
        assert len(urls(country)) == 1
        assert urls(country) != urls("EEA")


@pytest.mark.parametrize("place", [None, "Atlantis", "*"])
def test_from_nobody_knows_where_every_head_office_is_named_and_no_thirty_of_one_continent(place):
    assert urls(place) == [
        "https://www.edpb.europa.eu/about-edpb/about-edpb/members_en",
        "https://ico.org.uk/make-a-complaint/",
        "https://www.priv.gc.ca/en/report-a-concern/",
        "https://www.cai.gouv.qc.ca/",
        "https://cppa.ca.gov/webapplications/complaint",
        "https://oag.ca.gov/report",
        "https://www.naag.org/find-my-ag/",
    ]


def test_where_nobody_is_known_to_be_competent_a_list_of_authorities_is_named():
    found = recourse("BR", NOTHING, TODAY)

    assert found.url == "https://globalprivacyassembly.org/participation-in-the-assembly/list-of-accredited-members/"
    assert found.authority["en"] == "the authorities listed by the Global Privacy Assembly"


def test_the_catalogues_authority_stands_in_place_of_the_one_that_is_shipped():
    own = naming(california=authority("https://ours.example/", "US-CA", en="Our office", es="Nuestra oficina"))
    found = recourse("US-CA", own, TODAY)

    assert urls("US-CA", own) == ["https://ours.example/"]
    assert found.words["en"] == (
        "You can file a complaint with: Our office (https://ours.example/). Complaining costs nothing."
    )
    assert "Nuestra oficina" in found.words["es"]
    assert urls("CA-QC", own) == urls("CA-QC")


def test_a_nearer_authority_goes_before_the_catalogues_for_a_wider_region():
    own = naming(eea=authority("https://ours.example/", "EEA"))

    assert urls("EEA", own) == ["https://ours.example/"]
    assert urls("FR", own) == ["https://www.cnil.fr/"]


def test_an_authority_for_everywhere_is_named_where_there_is_no_nearer_one():
    own = naming(world=authority("https://ours.example/", "*"))

    assert urls("BR", own) == ["https://ours.example/"]
    assert urls("GB", own) == ["https://ico.org.uk/make-a-complaint/"]


def test_an_authority_is_not_named_before_it_could_be_turned_to():
    assert urls("US-CA", on=date(2023, 6, 30)) == ["https://oag.ca.gov/report"]
    assert urls("US-CA", on=date(2023, 7, 1))[0] == "https://cppa.ca.gov/webapplications/complaint"


@pytest.mark.parametrize(
    ("place", "language", "expected"),
    [
        (
            "CA-QC",
            "fr-CA",
            "Dans les 30 jours suivant cette réponse, ou la date à laquelle elle était due, vous pouvez faire examiner "
            "la mésentente par : Commission d’accès à l’information du Québec (https://www.cai.gouv.qc.ca/).",
        ),
        (
            "ES",
            "es",
            "Puede presentar una reclamación ante una autoridad de control de donde vive, trabaja o donde crea que se "
            "infringieron las normas: Agencia Española de Protección de Datos (AEPD) (https://www.aepd.es/). También "
            "puede acudir a los tribunales. Reclamar es gratuito.",
        ),
        (
            "GB",
            "pl",
            "You can complain to: Information Commissioner’s Office (ICO) (https://ico.org.uk/make-a-complaint/). You "
            "can also go to court. Complaining costs nothing.",
        ),
    ],
)
def test_what_can_be_done_is_said_in_the_readers_language_else_in_english(place, language, expected):
    assert recourse(place, NOTHING, TODAY).in_words(language) == expected


def test_the_tables_are_whole():
    assert all(set(words) == set(LANGUAGES) for words in (*WORDS.values(), *REASONS.values()))
    assert all("{authorities}" in text for words in WORDS.values() for text in words.values())
    assert all(office.url.startswith("https://") and office.name["en"] for office in OFFICES)
    assert set(REASONS) == set(DenialReason)


def test_a_denial_gives_the_reason_the_grounds_and_the_recourse():
    turned_to = recourse("GB", NOTHING, TODAY)

    assert denial_in_words(DenialReason.NO_MATCH, turned_to, "en", grounds="The address is unknown.") == (
        "We found nothing about you under what you told us. The address is unknown. You can complain to: Information "
        "Commissioner’s Office (ICO) (https://ico.org.uk/make-a-complaint/). You can also go to court. Complaining "
        "costs nothing."
    )


def test_where_a_law_bars_the_grounds_the_law_is_named_and_the_reason_is_not_given_away():
    told = denial_in_words(
        DenialReason.SUSPECTED_FRAUD, recourse("CA-ON", NOTHING, TODAY), "en", barred_by="PIPEDA s. 9(2.4) {1}"
    )

    assert told.startswith("A law bars us from saying why: PIPEDA s. 9(2.4) {1}. You can complain to: ")


@pytest.mark.parametrize("why", [{}, {"grounds": "Because.", "barred_by": "A law"}])
def test_a_denial_without_grounds_or_with_both_is_none(why):
    with pytest.raises(ValueError, match="a denial gives its grounds"):
        denial_in_words(DenialReason.OTHER, recourse("GB", NOTHING, TODAY), "en", **why)
