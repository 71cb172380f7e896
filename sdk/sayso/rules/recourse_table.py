"""Authorities that take complaints, and what the laws say about turning to them.

Compiled on 2026-11-24 without looking up every page: a brand has names and links checked, and names its own under
`contacts.authorities` in the catalogue where they differ.
"""

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType
from typing import Final, NamedTuple

LANGUAGES: Final = ("en", "es", "fr")
GDPR_SINCE: Final = date(2018, 5, 25)


class Office(NamedTuple):
    """A public authority that takes complaints.

    Attributes:
        regions: Where it is competent: countries, subdivisions, `EEA` or `*`.
        name: Its name, by language; one that has only its own name everywhere has it under `en`.
        url: Where a complaint starts.
        since: From which day on it could be turned to.
    """

    regions: tuple[str, ...]
    name: Mapping[str, str]
    url: str
    since: date = date.min


def _named(en: str, es: str, fr: str) -> Mapping[str, str]:
    return MappingProxyType({"en": en, "es": es, "fr": fr})


def _national(regions: str, name: str, url: str) -> Office:
    return Office(tuple(regions.split()), MappingProxyType({"en": name}), url, GDPR_SINCE)


ANYWHERE: Final = Office(
    regions=("*",),
    name=_named(
        "the authorities listed by the Global Privacy Assembly",
        "las autoridades que enumera la Asamblea Global de Privacidad",
        "les autorités recensées par l’Assemblée mondiale pour la protection de la vie privée",
    ),
    url="https://globalprivacyassembly.org/participation-in-the-assembly/list-of-accredited-members/",
)
"""Whom somebody is sent to whose authority nobody knows."""

_LISTED: Final = (
    Office(
        regions=("EEA",),
        name=_named(
            "the data protection authority of your country",
            "la autoridad de protección de datos de su país",
            "l’autorité de protection des données de votre pays",
        ),
        url="https://www.edpb.europa.eu/about-edpb/about-edpb/members_en",
        since=GDPR_SINCE,
    ),
    Office(
        regions=("GB",),
        name=_named(
            "Information Commissioner’s Office (ICO)",
            "Information Commissioner’s Office (ICO), Reino Unido",
            "Information Commissioner’s Office (ICO), Royaume-Uni",
        ),
        url="https://ico.org.uk/make-a-complaint/",
    ),
    Office(
        regions=("CA",),
        name=_named(
            "Office of the Privacy Commissioner of Canada",
            "Comisionado de Privacidad de Canadá",
            "Commissariat à la protection de la vie privée du Canada",
        ),
        url="https://www.priv.gc.ca/en/report-a-concern/",
        since=date(2001, 1, 1),
    ),
    Office(
        regions=("CA-QC",),
        name=_named(
            "Commission d’accès à l’information du Québec",
            "Commission d’accès à l’information de Quebec",
            "Commission d’accès à l’information du Québec",
        ),
        url="https://www.cai.gouv.qc.ca/",
        since=date(1994, 1, 1),
    ),
    Office(
        regions=("US-CA",),
        name=_named(
            "California Privacy Protection Agency",
            "Agencia de Protección de la Privacidad de California",
            "Agence californienne de protection de la vie privée",
        ),
        url="https://cppa.ca.gov/webapplications/complaint",
        since=date(2023, 7, 1),
    ),
    Office(
        regions=("US-CA",),
        name=_named(
            "Attorney General of California",
            "Fiscal General de California",
            "Procureur général de la Californie",
        ),
        url="https://oag.ca.gov/report",
        since=date(2020, 1, 1),
    ),
    Office(
        regions=("US",),
        name=_named(
            "the attorney general of your state",
            "la fiscalía general de su estado",
            "le procureur général de votre État",
        ),
        url="https://www.naag.org/find-my-ag/",
    ),
)

_EEA_NATIONAL: Final = (
    _national("AT", "Datenschutzbehörde", "https://www.dsb.gv.at/"),
    _national("BE", "Autorité de protection des données", "https://www.dataprotectionauthority.be/"),
    _national("BG", "Commission for Personal Data Protection", "https://www.cpdp.bg/"),
    _national("CY", "Commissioner for Personal Data Protection", "https://www.dataprotection.gov.cy/"),
    _national("CZ", "Úřad pro ochranu osobních údajů", "https://uoou.gov.cz/"),
    _national("DE", "Bundesbeauftragte für den Datenschutz (BfDI)", "https://www.bfdi.bund.de/"),
    _national("DK", "Datatilsynet", "https://www.datatilsynet.dk/"),
    _national("EE", "Andmekaitse Inspektsioon", "https://www.aki.ee/"),
    _national("ES", "Agencia Española de Protección de Datos (AEPD)", "https://www.aepd.es/"),
    _national("FI AX", "Tietosuojavaltuutetun toimisto", "https://tietosuoja.fi/"),
    _national(
        "FR GF GP MF MQ RE YT",
        "Commission nationale de l’informatique et des libertés (CNIL)",
        "https://www.cnil.fr/",
    ),
    _national("GR", "Hellenic Data Protection Authority", "https://www.dpa.gr/"),
    _national("HR", "Agencija za zaštitu osobnih podataka", "https://azop.hr/"),
    _national("HU", "Nemzeti Adatvédelmi és Információszabadság Hatóság", "https://www.naih.hu/"),
    _national("IE", "Data Protection Commission", "https://www.dataprotection.ie/"),
    _national("IS", "Persónuvernd", "https://www.personuvernd.is/"),
    _national("IT", "Garante per la protezione dei dati personali", "https://www.garanteprivacy.it/"),
    _national("LI", "Datenschutzstelle", "https://www.datenschutzstelle.li/"),
    _national("LT", "Valstybinė duomenų apsaugos inspekcija", "https://vdai.lrv.lt/"),
    _national("LU", "Commission nationale pour la protection des données", "https://cnpd.public.lu/"),
    _national("LV", "Datu valsts inspekcija", "https://www.dvi.gov.lv/"),
    _national("MT", "Information and Data Protection Commissioner", "https://idpc.org.mt/"),
    _national("NL", "Autoriteit Persoonsgegevens", "https://autoriteitpersoonsgegevens.nl/"),
    _national("NO", "Datatilsynet", "https://www.datatilsynet.no/"),
    _national("PL", "Urząd Ochrony Danych Osobowych", "https://uodo.gov.pl/"),
    _national("PT", "Comissão Nacional de Proteção de Dados", "https://www.cnpd.pt/"),
    _national("RO", "Autoritatea Națională de Supraveghere (ANSPDCP)", "https://www.dataprotection.ro/"),
    _national("SE", "Integritetsskyddsmyndigheten", "https://www.imy.se/"),
    _national("SI", "Informacijski pooblaščenec", "https://www.ip-rs.si/"),
    _national("SK", "Úrad na ochranu osobných údajov", "https://dataprotection.gov.sk/"),
)

OFFICES: Final[tuple[Office, ...]] = (*_LISTED, *_EEA_NATIONAL)
"""Every authority that is shipped. A catalogue's `contacts.authorities` stand in their place."""

WORDS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        # GDPR Art. 12(4), 77 and 79.
        "EEA": _named(
            "You can complain to a supervisory authority where you live, work, or where you think the rules were "
            "broken: {authorities}. You can also go to court. Complaining costs nothing.",
            "Puede presentar una reclamación ante una autoridad de control de donde vive, trabaja o donde crea que se "
            "infringieron las normas: {authorities}. También puede acudir a los tribunales. Reclamar es gratuito.",
            "Vous pouvez introduire une réclamation auprès d’une autorité de contrôle de l’endroit où vous vivez, "
            "travaillez ou pensez que les règles n’ont pas été respectées : {authorities}. Vous pouvez aussi saisir "
            "la justice. La réclamation est gratuite.",
        ),
        # UK GDPR Art. 77 and 79.
        "GB": _named(
            "You can complain to: {authorities}. You can also go to court. Complaining costs nothing.",
            "Puede reclamar ante: {authorities}. También puede acudir a los tribunales. Reclamar es gratuito.",
            "Vous pouvez vous plaindre auprès de : {authorities}. Vous pouvez aussi saisir la justice. La plainte est "
            "gratuite.",
        ),
        # PIPEDA s. 8(7), 11 and 14; somebody whose province nobody knows may live in Québec.
        "CA": _named(
            "You can complain to: {authorities}. In Québec, do so within 30 days of this answer. After the federal "
            "commissioner’s report you can apply to the Federal Court. Complaining costs nothing.",
            "Puede reclamar ante: {authorities}. En Quebec, hágalo en los 30 días siguientes a esta respuesta. Tras "
            "el informe del comisionado federal puede acudir al Tribunal Federal. Reclamar es gratuito.",
            "Vous pouvez déposer une plainte auprès de : {authorities}. Au Québec, faites-le dans les 30 jours "
            "suivant cette réponse. Après le rapport du commissaire fédéral, vous pouvez saisir la Cour fédérale. La "
            "plainte est gratuite.",
        ),
        # Act respecting the protection of personal information in the private sector, s. 34, 42 and 43.
        "CA-QC": _named(
            "Within 30 days of this answer, or of the day on which it was due, you can have the disagreement "
            "examined by: {authorities}.",
            "En los 30 días siguientes a esta respuesta, o al día en que debía darse, puede pedir que examine el "
            "desacuerdo: {authorities}.",
            "Dans les 30 jours suivant cette réponse, ou la date à laquelle elle était due, vous pouvez faire "
            "examiner la mésentente par : {authorities}.",
        ),
        # Cal. Civ. Code 1798.199.45.
        "US-CA": _named(
            "You can file a complaint with: {authorities}. Complaining costs nothing.",
            "Puede presentar una queja ante: {authorities}. Reclamar es gratuito.",
            "Vous pouvez déposer une plainte auprès de : {authorities}. La plainte est gratuite.",
        ),
        # Such as Va. Code 59.1-577(C), C.R.S. 6-1-1306(3).
        "US": _named(
            "You can appeal by writing to us again: somebody else will look at it. You can also complain to: "
            "{authorities}. Both cost nothing.",
            "Puede recurrir escribiéndonos de nuevo: lo examinará otra persona. También puede reclamar ante: "
            "{authorities}. Ambas cosas son gratuitas.",
            "Vous pouvez faire appel en nous écrivant de nouveau : une autre personne examinera votre demande. Vous "
            "pouvez aussi vous plaindre auprès de : {authorities}. Les deux sont gratuits.",
        ),
        "*": _named(
            "You can complain to the authority of the place where you live: {authorities}. Some set a time limit, "
            "Québec 30 days from this answer. Complaining costs nothing.",
            "Puede reclamar ante la autoridad del lugar donde vive: {authorities}. Algunas fijan un plazo, Quebec 30 "
            "días desde esta respuesta. Reclamar es gratuito.",
            "Vous pouvez vous plaindre auprès de l’autorité de l’endroit où vous vivez : {authorities}. Certaines "
            "fixent un délai, le Québec 30 jours à compter de cette réponse. La plainte est gratuite.",
        ),
    }
)
"""What a consumer can do, by the law of the place and by language."""
