"""Reading TOML: what is wrong is named by table and key, in the words of the file."""

from pathlib import Path
from typing import Any

import pytest

from sayso.catalogue import catalogue_from_python, read_catalogue
from sayso.errors import CatalogueError

SMALL = """
[topics."purpose:marketing"]
basis = "consent"
expires_after = "365d"
"""


def problems_of(source: str) -> list[tuple[str, str, str]]:
    with pytest.raises(CatalogueError) as caught:
        read_catalogue(source)
    assert caught.value.found, "nothing was named"
    return [(problem.table, problem.key, problem.message) for problem in caught.value.found]


def test_a_path_a_text_and_bytes_give_the_same_catalogue(tmp_path: Path) -> None:
    path = tmp_path / "catalogue.toml"
    path.write_text(SMALL)
    from_path = read_catalogue(path)
    assert list(from_path.topics) == ["purpose:marketing"]
    assert read_catalogue(str(path)) == from_path
    assert read_catalogue(SMALL) == from_path
    assert read_catalogue(SMALL.encode()) == from_path
    assert read_catalogue(b"\xef\xbb\xbf" + SMALL.encode()) == from_path


@pytest.mark.parametrize(
    ("toml", "table", "key", "message"),
    [
        (
            '[topics."purpose:x"]\nbasis = "consnt"',
            'topics."purpose:x"',
            "basis",
            "must be one of consent, legitimate_interest, contract, legal_obligation, not 'consnt'",
        ),
        (
            '[topics."purpose:x"]\ntitle.en = "X"',
            'topics."purpose:x"',
            "basis",
            "is missing; write one of consent, legitimate_interest, contract, legal_obligation",
        ),
        (
            '[topics."purpose:x"]\nbasis = "consent"\nsale_or_shaer = true',
            'topics."purpose:x"',
            "sale_or_shaer",
            "is not known here; did you mean `sale_or_share`?",
        ),
        (
            '[topics."purpose:x"]\nbasis = "consent"\nsale_or_share = "yes"',
            'topics."purpose:x"',
            "sale_or_share",
            "must be true or false, not 'yes'",
        ),
        (
            '[topics."purpose:x"]\nbasis = "consent"\nversion = "2"',
            'topics."purpose:x"',
            "version",
            "must be a whole number, not '2'",
        ),
        (
            '[topics."purpose:x"]\nbasis = "consent"\nversion = 0',
            'topics."purpose:x"',
            "version",
            "must be greater than or equal to 1, not 0",
        ),
        (
            '[topics."purpose:x"]\nbasis = "consent"\nexpires_after = "P2Y"',
            'topics."purpose:x"',
            "expires_after",
            "'P2Y' has no fixed length; write the days you mean, such as \"P730D\"",
        ),
        (
            '[topics."purpose:x"]\nbasis = "consent"\nrequires = ["purpose:a", "b"]',
            'topics."purpose:x"',
            "requires[1]",
            "'b' is not a topic key; one starts with purpose:, cookie:, channel:, permission:, partner:",
        ),
        (
            '[topics."purpose:x"]\nbasis = "consent"\nrequires = "purpose:a"',
            'topics."purpose:x"',
            "requires",
            "must be a list in square brackets, not 'purpose:a'",
        ),
        (
            '[topics."purpose:x"]\nbasis = "consent"\ntitle.fr_ca = "X"',
            'topics."purpose:x"',
            "title.fr_ca",
            "'fr_ca' is not a language tag like en or fr-CA",
        ),
        (
            '[topics."purpose:x"]\nbasis = "consent"\ntitle.en = ""',
            'topics."purpose:x"',
            "title.en",
            "must not be empty",
        ),
        (
            '[topics."permission:x"]\nbasis = "consent"\ncapability = "radar"',
            'topics."permission:x"',
            "capability",
            "'radar' is no device capability; write one of location, camera, microphone, photos, photos_add, "
            "videos, notifications, tracking",
        ),
        (
            '[topics."purpos:x"]\nbasis = "consent"',
            'topics."purpos:x"',
            "",
            "'purpos:x' is not a topic key; did you mean `purpose:…`?",
        ),
        (
            '[topics."*"]\nbasis = "consent"',
            'topics."*"',
            "",
            "`*` stands for every topic in a refusal; it is no topic of its own",
        ),
        (
            '[topics."channel:sms"]\nbasis = "consent"\n[topics."channel:sms".senders."+1"]\ncontroller = "me"',
            'topics."channel:sms".senders."+1"',
            "controller",
            "must be one of brand, platform, not 'me'",
        ),
        (
            '[topics."partner:x:share"]\nbasis = "consent"',
            "topics",
            "",
            "'partner:x:share' belongs to its partner: write it as [partners.x.flows.share]",
        ),
        (
            "[partners.x]\ntitle.en = 'X'",
            "partners.x",
            "partner_class",
            "is missing; write one of service_provider, integration, affiliate, authority",
        ),
        (
            "[partners.X]\npartner_class = 'affiliate'",
            "partners.X",
            "",
            "'X' is no partner name: 1 to 96 of a-z, 0-9, `.`, `_` and `-`, a letter or digit first",
        ),
        (
            "[partners.x]\npartner_class = 'affiliate'\n[partners.x.flows.sell]\nbasis = 'consent'",
            "partners.x.flows.sell",
            "",
            "must be one of share, receive, combine, not 'sell'",
        ),
        (
            "[partners.x]\npartner_class = 'affiliate'\n[partners.x.flows.share]\nbasis = 'consent'\nnotic.en = 'x'",
            "partners.x.flows.share",
            "notic",
            "is not known here; did you mean `notice`?",
        ),
        (
            "[partners.x]\npartner_class = 'affiliate'\n[partners.x.fields]\n'a.b' = ['email']",
            "partners.x.fields",
            '"a.b"[0]',
            "'email' is not a topic key; one starts with purpose:, cookie:, channel:, permission:, partner:",
        ),
        (
            "[partners.x]\npartner_class = 'affiliate'\n[partners.x.fields]\na.b = ['channel:email']",
            "partners.x.fields",
            "a",
            "must be a list of topics; a path with dots stands in quotes",
        ),
        (
            "[partners.x]\npartner_class = 'affiliate'\nhosts = ['https://crm.example']",
            "partners.x",
            "hosts[0]",
            "'https://crm.example' is not a host name in small letters, such as crm.example",
        ),
        (
            "[partners.x]\npartner_class = 'affiliate'\npolicy_url = 'http://crm.example'",
            "partners.x",
            "policy_url",
            "'http://crm.example' is not an address that starts with https://",
        ),
        (
            "[retention.contact]\nstart = 'collected'\nground.en = 'x'",
            "retention.contact",
            "period",
            "is missing; write it",
        ),
        (
            "[retention.contact]\nperiod = '1d'\nground.en = 'x'",
            "retention.contact",
            "start",
            "is missing; write one of collected, last_contact, conversation_closed, choice_replaced, "
            "request_closed, sale_closed",
        ),
        (
            "[retention.contact]\nperiod = '1d'\nstart = 'collected'",
            "retention.contact",
            "ground",
            "is missing; write it",
        ),
        (
            "[deadlines.x]\nlaw = 'x'\nregions = ['*']\nvalid_from = 2026-01-01\nrespond = '30'",
            "deadlines.x",
            "respond",
            '\'30\' is not a time limit; write "30 days", "1 month" or "10 business days"',
        ),
        (
            "[deadlines.x]\nlaw = 'x'\nregions = ['Texas']\nvalid_from = 2026-01-01\nrespond = '30 days'",
            "deadlines.x",
            "regions[0]",
            "'Texas' is not a country like CA, a part of one like CA-QC, EEA or *",
        ),
        (
            "[contacts.controller]\nname = 'x'\naddress = ['x']\nemail = 'x'",
            "contacts.controller",
            "email",
            "'x' is not an e-mail address",
        ),
        ("majorty = 18\n", "", "majorty", "is not known here; did you mean `majority`?"),
        ("majority = true\n", "", "majority", "must be a whole number, not True"),
        ("languages = []\n", "", "languages", "must not be empty"),
        (
            "languages = ['es']\n",
            "",
            "default_language",
            "'en' is not among `languages`",
        ),
        ("[topic.x]\nbasis = 'consent'", "topic", "", "is not known here; did you mean `topics`?"),
    ],
)
def test_every_mistake_is_named_by_table_and_key_with_the_remedy(toml: str, table: str, key: str, message: str) -> None:
    assert problems_of(toml + "\n") == [(table, key, message)]


def test_all_mistakes_are_named_at_once() -> None:
    found = problems_of('majorty = 18\n[topics."purpose:x"]\nbasis = "x"\n[retention.contact]\nperiod = "1d"')
    assert {(table, key) for table, key, _ in found} == {
        ("", "majorty"),
        ('topics."purpose:x"', "basis"),
        ("retention.contact", "start"),
        ("retention.contact", "ground"),
    }


def test_the_errors_text_lists_the_mistakes_for_people() -> None:
    with pytest.raises(CatalogueError) as caught:
        read_catalogue('[topics."purpose:x"]\nbasis = "no"')
    assert '[topics."purpose:x"] basis: must be one of consent' in str(caught.value)


def test_text_that_is_not_toml_says_where() -> None:
    with pytest.raises(CatalogueError, match=r"not TOML: .*line 2"):
        read_catalogue("languages = ['en']\nmajority 18\n")


def test_bytes_that_are_not_text_are_refused() -> None:
    with pytest.raises(CatalogueError, match=r"not UTF-8 text \(byte 2\)"):
        read_catalogue(b"a=\xff")


def test_a_file_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"nowhere\.toml.*No such file"):
        read_catalogue(tmp_path / "nowhere.toml")


def test_a_file_over_a_mebibyte_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "big.toml"
    path.write_bytes(b"# " + b"x" * 1_048_576)
    with pytest.raises(CatalogueError, match="larger than 1 MiB"):
        read_catalogue(path)
    with pytest.raises(CatalogueError, match="larger than 1 MiB"):
        read_catalogue(path.read_bytes())


def test_absurd_nesting_is_refused() -> None:
    with pytest.raises(CatalogueError, match="nested too deeply"):
        read_catalogue(b"a = " + b"[" * 100_000)


def test_flags_nested_beyond_use_are_refused() -> None:
    deep: dict[str, Any] = {}
    for _ in range(7):
        deep = {"a": deep}
    with pytest.raises(CatalogueError, match=r"\[partners\.x\.restricted\].*deeper than 6"):
        catalogue_from_python({"partners": {"x": {"partner_class": "affiliate", "restricted": deep}}})


def test_500_topics_are_read_and_501_refused() -> None:
    topics = {f"purpose:t{number}": {"basis": "consent"} for number in range(500)}
    assert len(catalogue_from_python({"topics": topics}).topics) == 500
    with pytest.raises(CatalogueError, match=r"\[topics\]: holds 501 topics; at most 500"):
        catalogue_from_python({"topics": {**topics, "purpose:one-more": {"basis": "consent"}}})


def test_retired_topics_take_nobodys_place() -> None:
    topics: dict[str, Any] = {f"purpose:t{number}": {"basis": "consent"} for number in range(500)}
    topics["purpose:old"] = {"basis": "consent", "retired": True}
    assert len(catalogue_from_python({"topics": topics}).topics) == 501


def test_200_partners_are_read_and_201_refused() -> None:
    partners = {f"p{number}": {"partner_class": "affiliate"} for number in range(200)}
    assert len(catalogue_from_python({"partners": partners}).partners) == 200
    with pytest.raises(CatalogueError, match=r"\[partners\]: holds 201 partners; at most 200"):
        catalogue_from_python({"partners": {**partners, "one-more": {"partner_class": "affiliate"}}})


def test_500_fields_of_a_partner_are_read_and_501_refused() -> None:
    fields: dict[str, list[str]] = {f"lead.f{number}": [] for number in range(500)}
    partner = {"partner_class": "affiliate", "fields": fields}
    assert len(catalogue_from_python({"partners": {"x": partner}}).partners["x"].fields) == 500
    with pytest.raises(CatalogueError, match=r"\[partners\.x\.fields\]: holds 501 fields; at most 500"):
        catalogue_from_python({"partners": {"x": {**partner, "fields": {**fields, "one.more": []}}}})


def test_the_tables_of_a_catalogue_from_python_are_left_as_they_were(tables: dict[str, Any]) -> None:
    before = repr(tables)
    catalogue_from_python(tables)
    assert repr(tables) == before


@pytest.mark.parametrize("number", ["1e999", "-1e999", "inf", "nan", "[{ deep = -inf }]", "9223372036854775808"])
def test_a_flag_that_json_can_not_carry_is_named_by_table_and_key(number):
    toml = f'[partners.x]\npartner_class = "affiliate"\n[partners.x.restricted]\nldu = true\nlimit = {number}\n'

    with pytest.raises(CatalogueError) as refused:
        read_catalogue(toml)

    assert "[partners.x.restricted] limit: is or holds a number that JSON can't carry" in str(refused.value)
