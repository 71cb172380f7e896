"""A guardian's case: what is asked for a minor, of whom, and how far it has come. One for each minor at a time.

It lasts while there is no answer, 14 days at most, and goes with its contact once there is one. The links that open it
are documents of their own, of which only the digest is known.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Final

from sayso.model.guardian import ContactFrom
from sayso.model.instant import Micros, format_micros, span_micros
from sayso.rules.guardians import LINK_LASTS
from sayso_server.jsonio import dumps, loads
from sayso_server.services.caller import Caller
from sayso_server.storage.base import DocumentKey, StoredDocument

CASE: Final = "guardian"
LINK: Final = "guardian-link"

ASKED: Final = "asked"
"""The minor has named somebody; the brand's backend makes the link."""
OPEN: Final = "open"
"""A link is out."""
WAITING: Final = "waiting"
"""The guardian has allowed something, and is to be asked once more from `due_at` on."""
CONFIRMING: Final = "confirming"
"""The link for that is out."""
STATES: Final = (ASKED, OPEN, WAITING, CONFIRMING)

LIVE: Final = "live"
USED: Final = "used"
TO_ASK: Final = "ask"
TO_CONFIRM: Final = "confirm"
TO_MANAGE: Final = "manage"


@dataclass(frozen=True, slots=True)
class Case:
    """What is asked of a guardian.

    Attributes:
        case_id: The same for the same minor.
        consumer_id: The minor.
        state: One of `STATES`.
        created_at: When it was asked.
        due_at: When something is to be done next.
        expires_at: Then it is deleted, unanswered.
        topics: What is to be allowed.
        language: What the guardian reads.
        contact_from: Where their address comes from.
        contact: The address, if it was given.
        evidence: What shows that it is the guardian.
        link: The digest of the link that is out, or None.
        chosen: What they have allowed that is yet to be confirmed.
        claim: An answer that is being recorded: whoever comes next with the link finishes it.
    """

    case_id: str
    consumer_id: str
    state: str
    created_at: Micros
    due_at: Micros
    expires_at: Micros
    topics: tuple[str, ...]
    language: str
    contact_from: ContactFrom
    contact: dict[str, str] = field(default_factory=dict)
    evidence: dict[str, Any] = field(default_factory=dict)
    link: str | None = None
    chosen: tuple[str, ...] = ()
    claim: dict[str, Any] | None = None

    @property
    def key(self) -> DocumentKey:
        """Under what it is stored."""
        return DocumentKey(CASE, self.case_id)

    @property
    def asked_about(self) -> tuple[str, ...]:
        """What the open link is about: what was chosen, where that is to be confirmed."""
        return self.chosen if self.state == CONFIRMING else self.topics


_APART = {"case_id", "consumer_id", "state", "created_at", "due_at", "expires_at"}


def write_case(case: Case) -> StoredDocument:
    """Give a case as it is stored."""
    body = {name: value for name, value in asdict(case).items() if name not in _APART and value}
    return StoredDocument(
        CASE, case.case_id, case.consumer_id, case.state, case.created_at, case.due_at, case.expires_at, (), dumps(body)
    )


def read_case(stored: StoredDocument | None, now: Micros) -> Case | None:
    """Read a case back; None where there is none, or none any more."""
    if stored is None or stored.consumer_id is None or stored.expires_at is None or stored.expires_at <= now:
        return None
    body = loads(stored.body)
    body["contact_from"] = ContactFrom(body["contact_from"])
    for name in ("topics", "chosen"):
        body[name] = tuple(body.get(name, ()))
    return Case(
        stored.document_id,
        stored.consumer_id,
        stored.state,
        stored.created_at,
        stored.due_at,
        stored.expires_at,
        **body,
    )


def link_document(
    link_id: str, case: Case, purpose: str, now: Micros, *, state: str = LIVE, lasts: bool = False
) -> StoredDocument:
    """Give a link as it is stored; one that lasts has no end but the minor's coming of age."""
    body = {"purpose": purpose, "case": case.case_id, "language": case.language}
    expires_at = None if lasts else now + span_micros(LINK_LASTS)
    return StoredDocument(LINK, link_id, case.consumer_id, state, now, 0, expires_at, (), dumps(body))


def audit_line(event: str, caller: Caller, now: Micros, **members: object) -> bytes:
    """Give a line of the audit: nobody's name, address or token."""
    return dumps({"event": event, **members, "by": caller.stamp(), "at": format_micros(now)})


def case_json(case: Case) -> dict[str, Any]:
    """Give a case as the brand's backend sees it."""
    shown: dict[str, Any] = {
        "consumer_id": case.consumer_id,
        "state": case.state,
        "topics": list(case.topics),
        "language": case.language,
        "contact_from": case.contact_from.value,
        "contact": case.contact,
        "asked_at": format_micros(case.created_at),
        "deleted_at": format_micros(case.expires_at),
    }
    if case.state in (WAITING, CONFIRMING):
        shown |= {"chosen": list(case.chosen), "confirm_from": format_micros(case.due_at)}
    return shown
