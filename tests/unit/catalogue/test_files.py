"""The two catalogues that come along: clean, complete, and true to the policy behind the automotive one."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

import sayso_server
from sayso.catalogue import Level, lint, read_catalogue, require_publishable
from sayso.model.catalogue import Catalogue, DntPolicy
from sayso.model.deadline import RequestKind, Span, SpanUnit
from sayso.model.partner import PartnerClass
from sayso.model.topic import Flow, LegalBasis, TopicKind

AUTOMOTIVE = Path(__file__).parents[3] / "examples" / "automotive" / "catalogue.toml"
STARTER = Path(sayso_server.__file__).with_name("starter.toml")

# What the policy says in its own order, shortened, and the topics that carry it.
POLICY = {
    "collects chat and messaging transcripts for the brand": ["purpose:service", "purpose:transcript.storage"],
    "collects browsing, purchasing and online behaviour": ["purpose:behaviour"],
    "collects IP address, system and device type by itself": ["purpose:ip_address"],
    "collects geographic location by itself": ["permission:location"],
    "collects name and contact details that people give": ["purpose:service", "purpose:information"],
    "collects surveys": ["purpose:surveys"],
    "collects recordings of communications": ["purpose:voice_recordings"],
    "collects what is posted in forums and blogs": ["purpose:forum"],
    "collects browser and usage data, page views and times": ["purpose:analytics", "cookie:performance"],
    "collects through web, app, voice, SMS, social media": ["partner:messaging-platform:receive"],
    "collects requests for information, news and content": ["purpose:information"],
    "collects technical support requests": ["purpose:support"],
    "collects through promotions": ["purpose:promotions"],
    "collects through recruitment and job applications": ["purpose:recruitment"],
    "collects at trade shows": ["purpose:events"],
    "collects through sales inquiries": ["purpose:sales"],
    "collects publicly available data": ["purpose:public_data"],
    "collects contacts from lists of people who opted in elsewhere": ["purpose:marketing_lists"],
    "uses data to provide the services": ["purpose:service"],
    "uses data to improve the services": ["purpose:improvement"],
    "uses data to decide whether to show a chat button or coupon": ["purpose:proactive_offers"],
    "uses data to answer support requests": ["purpose:support"],
    "uses data to deliver marketing": ["purpose:marketing"],
    "uses data for promotions people enter": ["purpose:promotions"],
    "uses a résumé to consider somebody for a job": ["purpose:recruitment"],
    "keeps data for audits, legal duties and disputes": ["purpose:legal"],
    "sets strictly necessary cookies": ["cookie:necessary"],
    "sets performance cookies": ["cookie:performance"],
    "sets functionality cookies": ["cookie:functionality"],
    "uses pixel tags": ["cookie:pixels"],
    "uses SDKs": ["cookie:sdk"],
    "lets third parties set cookies and pixels": ["cookie:third_party"],
    "does not sell personal information without permission": ["partner:ads-platform:share"],
    "does not disclose transcripts without permission": ["purpose:transcript.sharing"],
    "does not disclose surveys without permission": ["purpose:survey.sharing"],
    "does not disclose recordings without permission": ["purpose:recording.sharing"],
    "shares with the brand that people engaged with": ["partner:messaging-platform:receive"],
    "shares for legal reasons": ["partner:authorities:share", "purpose:legal"],
    "investigates unauthorised transactions": ["purpose:security"],
    "aggregates data for training": ["purpose:transcript.training", "purpose:statistics"],
    "aggregates data for quality assurance": ["purpose:transcript.quality", "purpose:statistics"],
    "shares with card processing services": ["partner:card-processor:share", "purpose:payment"],
    "shares with analytics services": ["partner:web-analytics:share"],
    "shares with data storage services": ["partner:data-storage:share"],
    "shares with integrations": ["partner:vinsolutions:share", "partner:inventory:share"],
    "receives from integrations": ["partner:vinsolutions:receive", "partner:inventory:receive"],
    "combines integrations' data with its own": [
        "partner:vinsolutions:combine",
        "partner:ads-platform:combine",
    ],
    "shares with affiliates": ["partner:affiliates:share"],
    "shares with any other third party by prior consent": ["purpose:third_party_disclosure"],
    "offers an opt-out link in marketing mail": ["purpose:marketing", "channel:email"],
    "receives a unique identifier of the device": ["purpose:device_id"],
    "asks for the camera": ["permission:camera"],
    "asks for the microphone": ["permission:microphone"],
    "asks for photos": ["permission:photos"],
    "asks for videos": ["permission:videos"],
    "offers an opt-out from SMS": ["channel:sms"],
}


@pytest.fixture(scope="module")
def automotive() -> Catalogue:
    return read_catalogue(AUTOMOTIVE)


@pytest.fixture(scope="module")
def starter() -> Catalogue:
    return read_catalogue(STARTER)


def test_the_automotive_catalogue_has_neither_errors_nor_warnings(automotive: Catalogue) -> None:
    assert lint(automotive) == []


def test_the_starter_catalogue_can_be_published(starter: Catalogue) -> None:
    warnings = require_publishable(starter)
    # The two representatives are for brands outside the Union and the United Kingdom.
    assert [finding.table for finding in warnings] == [
        "contacts.eu_representative",
        "contacts.uk_representative",
    ]
    assert all(finding.level is Level.WARNING for finding in warnings)


@pytest.mark.parametrize("path", [AUTOMOTIVE, STARTER], ids=["automotive", "starter"])
def test_a_catalogue_that_comes_along_survives_storing(path: Path) -> None:
    catalogue = read_catalogue(path)
    assert Catalogue.from_json(catalogue.canonical_json()) == catalogue
    wire = catalogue.to_wire()
    assert json.loads(json.dumps(wire)) == wire


@pytest.mark.parametrize(("sentence", "keys"), POLICY.items(), ids=POLICY)
def test_each_sentence_of_the_policy_is_carried_by_its_topics(
    automotive: Catalogue, sentence: str, keys: list[str]
) -> None:
    missing = [key for key in keys if key not in automotive.topics]
    assert missing == [], f"the policy {sentence}"


def test_topics_that_the_policy_does_not_name_are_few_and_known(automotive: Catalogue) -> None:
    named = {key for keys in POLICY.values() for key in keys}
    # Ways to reach people that a dealer has today, and the other directions of partners the policy names.
    assert set(automotive.topics) - named == {
        "channel:phone",
        "channel:whatsapp",
        "channel:push",
        "permission:notifications",
        "partner:messaging-platform:share",
        "partner:affiliates:combine",
    }


def test_the_automotive_catalogue_speaks_three_languages(automotive: Catalogue) -> None:
    assert automotive.languages == ("en", "es", "fr-CA")
    for topic in automotive.topics.values():
        assert len(set(topic.notice.values())) == 3, topic.key
        assert min(map(len, topic.notice.values())) > 60, topic.key


def test_what_people_may_decide_rests_on_a_basis_that_lets_them(automotive: Catalogue) -> None:
    def plain(basis: LegalBasis) -> set[str]:
        return {
            topic.key
            for topic in automotive.topics.values()
            if topic.kind is TopicKind.PURPOSE and topic.basis is basis and not topic.requires
        }

    assert plain(LegalBasis.CONSENT) >= {"purpose:marketing", "purpose:transcript.training", "purpose:surveys"}
    assert plain(LegalBasis.LEGITIMATE_INTEREST) >= {"purpose:transcript.storage", "purpose:transcript.quality"}
    assert plain(LegalBasis.LEGAL_OBLIGATION) == {"purpose:security", "purpose:legal"}


def test_every_permission_and_channel_rests_on_consent(automotive: Catalogue) -> None:
    kinds = (TopicKind.PERMISSION, TopicKind.CHANNEL)
    bases = {topic.basis for topic in automotive.topics.values() if topic.kind in kinds}
    assert bases == {LegalBasis.CONSENT}


def test_no_permission_requires_anything(automotive: Catalogue) -> None:
    assert [
        topic.key for topic in automotive.topics.values() if topic.kind is TopicKind.PERMISSION and topic.requires
    ] == []
    assert automotive.uses_device("channel:push")
    assert not automotive.uses_device("channel:sms")


def test_gpc_covers_exactly_what_sells_or_shares(automotive: Catalogue) -> None:
    assert {topic.key for topic in automotive.topics.values() if topic.sale_or_share} == {
        "purpose:third_party_disclosure",
        "cookie:third_party",
        "partner:ads-platform:share",
        "partner:ads-platform:combine",
    }


def test_the_policy_honours_dnt_and_serves_adults(automotive: Catalogue) -> None:
    assert automotive.dnt is DntPolicy.HONOUR
    assert automotive.majority == 18


def test_every_class_of_partner_is_there(automotive: Catalogue) -> None:
    classes = {key: partner.partner_class for key, partner in automotive.partners.items()}
    assert classes == {
        "vinsolutions": PartnerClass.INTEGRATION,
        "inventory": PartnerClass.INTEGRATION,
        "ads-platform": PartnerClass.INTEGRATION,
        "messaging-platform": PartnerClass.SERVICE_PROVIDER,
        "web-analytics": PartnerClass.SERVICE_PROVIDER,
        "card-processor": PartnerClass.SERVICE_PROVIDER,
        "data-storage": PartnerClass.SERVICE_PROVIDER,
        "affiliates": PartnerClass.AFFILIATE,
        "authorities": PartnerClass.AUTHORITY,
    }


def test_a_lead_for_the_dealers_crm_carries_contact_and_words_only_where_allowed(automotive: Catalogue) -> None:
    crm = automotive.partners["vinsolutions"]
    assert (crm.lead_format, crm.delivery) == ("adf", "email")
    assert set(crm.flows) == {Flow.SHARE, Flow.RECEIVE, Flow.COMBINE}
    assert crm.fields["customer.contact.name"] == ()
    assert crm.fields["customer.contact.email"] == ("channel:email",)
    assert crm.fields["customer.contact.phone"] == ("channel:phone", "channel:sms")
    assert crm.fields["customer.comments"] == ("purpose:transcript.sharing",)
    assert crm.fields["transcript"] == ("purpose:transcript.sharing",)
    assert crm.fields["location"] == ("permission:location",)
    assert "*" not in crm.fields


def test_the_ads_platform_has_flags_for_limited_use(automotive: Catalogue) -> None:
    assert automotive.partners["ads-platform"].restricted == {
        "data_processing_options": ["LDU"],
        "data_processing_options_country": 0,
        "data_processing_options_state": 0,
        "consent": {"ad_user_data": "DENIED", "ad_personalization": "DENIED"},
    }


def test_a_marketing_list_is_never_a_consent(automotive: Catalogue) -> None:
    lists = automotive.sources["marketing_lists"]
    assert lists.never_consent
    assert lists.topics == ("purpose:marketing_lists",)
    assert automotive.topics["purpose:marketing_lists"].basis is LegalBasis.LEGITIMATE_INTEREST


def test_whoever_posts_in_the_forum_is_warned_in_each_language(automotive: Catalogue) -> None:
    for warning in (automotive.topics["purpose:forum"].warning, automotive.sources["forum"].warning):
        assert warning is not None
        assert set(warning) == {"en", "es", "fr-CA"}
        assert "public" in warning["en"]
        assert "público" in warning["es"]
        assert "public" in warning["fr-CA"]


def test_the_sources_that_the_policy_names_besides_chat_are_listed(automotive: Catalogue) -> None:
    assert set(automotive.sources) >= {
        "support", "sales", "promotions", "surveys", "events", "recruitment", "voice_recordings", "behaviour",
        "ip_address", "device_id", "photos", "videos", "forum", "public_data", "marketing_lists",
    }  # fmt: skip


def test_every_cookie_topic_has_a_cookie_and_the_other_way_round(automotive: Catalogue) -> None:
    topics = {topic.key for topic in automotive.topics.values() if topic.kind is TopicKind.COOKIE}
    assert {cookie.topic for cookie in automotive.cookies.values()} == topics


def test_every_data_class_says_how_long_from_when_and_why(automotive: Catalogue) -> None:
    assert automotive.retention["transcripts"].period == timedelta(days=365)
    assert automotive.retention["transcripts"].start == "conversation_closed"
    assert set(automotive.retention) >= {"choices", "requests", "disclosures"}
    for name, kept in automotive.retention.items():
        assert set(kept.ground) == {"en", "es", "fr-CA"}, name


@pytest.mark.parametrize(
    ("law", "regions", "limits"),
    [
        ("policy", ("*",), (None, "30 days", None)),
        ("gdpr", ("EEA",), (None, "1 month", "2 months")),
        ("uk-gdpr", ("GB",), (None, "1 month", "2 months")),
        ("ccpa", ("US-CA",), ("10 business days", "45 days", "45 days")),
        ("ccpa-opt-out", ("US-CA",), (None, "15 business days", None)),
        ("pipeda", ("CA",), (None, "30 days", "30 days")),
        ("quebec", ("CA-QC",), (None, "30 days", None)),
        ("fcc-sms", ("US",), (None, "10 business days", None)),
        ("can-spam", ("US",), (None, "10 business days", None)),
    ],
)
def test_the_deadlines_of_policy_and_laws(
    automotive: Catalogue, law: str, regions: tuple[str, ...], limits: tuple[str | None, ...]
) -> None:
    """`limits`: until when to acknowledge, to respond, and by how much the latter can be put off."""
    deadline = automotive.deadlines[law]
    spans = (deadline.acknowledge, deadline.respond, deadline.extension)
    assert deadline.regions == regions
    assert tuple(str(span) if span else None for span in spans) == limits


def test_the_policys_thirty_days_hold_for_every_request_and_opt_outs_need_no_proof(
    automotive: Catalogue,
) -> None:
    policy = automotive.deadlines["policy"]
    assert policy.kinds == ()
    assert policy.respond == Span(30, SpanUnit.DAYS)
    opt_outs = {RequestKind.SALE_OPT_OUT, RequestKind.SMS_OPT_OUT, RequestKind.EMAIL_OPT_OUT}
    for name, deadline in automotive.deadlines.items():
        if opt_outs & set(deadline.kinds):
            assert not deadline.verification, name


def test_each_partner_abroad_has_a_transfer_on_a_safeguard(automotive: Catalogue) -> None:
    covered = {transfer.partner for transfer in automotive.transfers.values()}
    assert covered == {key for key, partner in automotive.partners.items() if partner.country is not None}
    assert not [name for name, way in automotive.transfers.items() if way.legal_basis.startswith("A49")]


def test_everybody_that_the_policy_sends_people_to_is_named(automotive: Catalogue) -> None:
    contacts = automotive.contacts
    for office in (
        contacts.controller,
        contacts.data_protection_officer,
        contacts.eu_representative,
        contacts.uk_representative,
    ):
        assert office is not None
        assert office.email.endswith("@motors.example")
        assert len(office.address) >= 2
    assert {name: authority.regions for name, authority in contacts.authorities.items()} == {
        "eea": ("EEA",),
        "uk": ("GB",),
        "canada": ("CA",),
        "quebec": ("CA-QC",),
        "california": ("US-CA",),
    }


def test_text_messages_come_from_numbers_of_brand_and_platform(automotive: Catalogue) -> None:
    controllers = {number: sender.controller for number, sender in automotive.topics["channel:sms"].senders.items()}
    assert controllers == {"+12025550142": "brand", "+12025550187": "platform"}


def test_the_starter_has_what_the_first_steps_use(starter: Catalogue) -> None:
    assert set(starter.topics) == {
        "purpose:service",
        "purpose:marketing",
        "purpose:transcript.training",
        "purpose:transcript.sharing",
        "purpose:transcript.quality",
        "cookie:performance",
        "cookie:advertising",
        "channel:email",
        "channel:sms",
        "permission:location",
        "permission:camera",
        "partner:vinsolutions:share",
        "partner:vinsolutions:receive",
        "partner:vinsolutions:combine",
    }
    assert starter.languages == ("en",)
