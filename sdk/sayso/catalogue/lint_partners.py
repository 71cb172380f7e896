"""Whether each partner says what it gets, from whom, and under whose policy."""

from collections.abc import Iterator
from typing import Final

from sayso.catalogue.finding import Finding, dotted, error, no_topic, warning
from sayso.model.catalogue import Catalogue
from sayso.model.partner import ANY_FIELD, Partner, PartnerClass
from sayso.model.topic import Flow, LegalBasis

# What people said: it goes to service providers and, where the law demands it, to authorities; to all others
# only with permission.
_SPOKEN: Final = ("transcript", "survey", "recording")
_MAY_HEAR: Final = (PartnerClass.SERVICE_PROVIDER, PartnerClass.AUTHORITY)


def partners(catalogue: Catalogue) -> Iterator[Finding]:
    """Find partners without flows, field maps that lead nowhere, and fields sent unasked."""
    for partner in catalogue.partners.values():
        table = dotted("partners", partner.key)
        if not partner.flows:
            yield error(table, "flows", f"is empty; write [{table}.flows.share], .receive or .combine")
        if Flow.SHARE in partner.flows and not partner.fields:
            yield error(
                f"{table}.fields",
                "",
                "is missing: name each field that leaves, with the topics it needs",
            )
        if Flow.SHARE not in partner.flows and partner.fields:
            yield warning(f"{table}.fields", "", "has no effect without a share flow")
        if Flow.SHARE not in partner.flows and partner.restricted:
            yield warning(f"{table}.restricted", "", "has no effect without a share flow")
        if partner.partner_class is PartnerClass.INTEGRATION and partner.policy_url is None:
            yield warning(table, "policy_url", "is missing: what an integration does is up to its own policy")
        if partner.country is None and partner.partner_class is not PartnerClass.AUTHORITY:
            yield warning(table, "country", "is missing, so nobody can tell whether data crosses a border")
        if partner.partner_class is PartnerClass.SERVICE_PROVIDER:
            for flow, settings in partner.flows.items():
                if settings.sale_or_share:
                    yield error(
                        dotted("partners", partner.key, "flows", flow),
                        "sale_or_share",
                        "is true, but a buyer is no service provider (CCPA 1798.140(ag)); change one",
                    )
        yield from _fields(catalogue, partner)


def _fields(catalogue: Catalogue, partner: Partner) -> Iterator[Finding]:
    table = dotted("partners", partner.key, "fields")
    for field, needed in partner.fields.items():
        if field == ANY_FIELD and not needed:
            yield warning(table, dotted(field), "sends each field that nobody mapped; name them instead")
        for key in needed:
            topic = catalogue.topic(key)
            if topic is None:
                yield error(table, dotted(field), no_topic(catalogue, key))
            elif topic.retired:
                yield warning(table, dotted(field), f"{key!r} is retired, so the field stays back for good")
        if partner.partner_class not in _MAY_HEAR and any(word in field.lower() for word in _SPOKEN):
            asked = (catalogue.topic(key) for key in needed)
            if not any(topic is not None and topic.basis is LegalBasis.CONSENT for topic in asked):
                yield warning(
                    table,
                    dotted(field),
                    "what people said leaves for others than service providers only with their consent; "
                    "name a consent topic",
                )
