"""What is said here and not yet confirmed, laid over what the server knows.

A refusal counts at once. A grant counts only on top of fresh data, and only where nothing but the missing grant
stood in the way. In doubt the answer is no.
"""

from typing import NamedTuple

from sayso.client.known_catalogue import required
from sayso.client.reported import Published
from sayso.local.answers import ALLOWED
from sayso.local.overlay import Overlay, PendingChoice
from sayso.model.decision import Reason
from sayso.model.instant import Micros
from sayso.model.topic import EVERY_TOPIC, TopicKind

_REFUSED = frozenset({Reason.DENIED.value, Reason.WITHDRAWN.value})
_GRANTABLE = _REFUSED | {Reason.NOT_ASKED.value, Reason.EXPIRED.value, Reason.OUTDATED.value}
_REQUIRED = Reason.REQUIRED.value
_UNAVAILABLE = Reason.UNAVAILABLE.value


class Verdict(NamedTuple):
    """The reason that counts, and the pending choice that made it so, if one did."""

    reason: str
    choice: PendingChoice | None = None

    @property
    def allowed(self) -> bool:
        """Whether that allows."""
        return self.reason in ALLOWED


def refused_at_once(overlay: Overlay, consumer_id: str, topic: str) -> PendingChoice | None:
    """Give the pending refusal that answers whatever the server knows; one of everything leaves what is `required`."""
    refusal = overlay.refusal(consumer_id, topic)
    return None if refusal is None or refusal.topic == EVERY_TOPIC else refusal


def judge(
    overlay: Overlay,
    consumer_id: str,
    topic: str,
    device: str | None,
    *,
    reason: str,
    version: int,
    catalogue: Published | None,
    now: Micros,
) -> Verdict:
    """Lay what is pending over one fresh answer.

    Args:
        overlay: What is pending.
        consumer_id: Whose.
        topic: What was asked.
        device: On which device.
        reason: What the server's data says.
        version: The version of that data.
        catalogue: The one it was decided by; None if it can't be had, and then doubt decides.
        now: The wall clock.
    """

    def holds(grant: PendingChoice) -> bool:
        return catalogue is not None and _holds(grant, catalogue, now)

    refusal = overlay.refusal(consumer_id, topic, holds)
    if refusal is not None and (refusal.topic != EVERY_TOPIC or reason != _REQUIRED):
        return Verdict(refusal.answer, refusal)
    if not overlay.loaded:
        return Verdict(_UNAVAILABLE)  # an earlier process may have left a refusal
    if reason == _REQUIRED:
        return Verdict(reason)
    if reason not in ALLOWED:
        grant = overlay.grant(consumer_id, topic)
        if grant is None or catalogue is None or not _suffices(grant, reason, version, catalogue, now):
            return Verdict(reason)
        return Verdict(_UNAVAILABLE) if overlay.doubts(consumer_id, device) else Verdict(Reason.GRANTED.value, grant)
    if overlay.doubts(consumer_id, device):
        return Verdict(_UNAVAILABLE)
    if any(one.refuses for one in overlay.consumers.get(consumer_id, ())):
        if catalogue is None:
            return Verdict(_UNAVAILABLE)
        for name, direct in required(catalogue, topic):
            refusal = overlay.refusal(consumer_id, name, holds)
            needs_no_yes = catalogue.topics.get(name, {}).get("basis") in ("contract", "legal_obligation")
            if refusal is not None and not (refusal.topic == EVERY_TOPIC and needs_no_yes):
                return Verdict(f"requires:{direct}")
    return Verdict(reason)


def _suffices(grant: PendingChoice, reason: str, version: int, catalogue: Published, now: Micros) -> bool:
    """Tell whether nothing but this grant stood in the way."""
    if reason not in _GRANTABLE or not _holds(grant, catalogue, now):
        return False
    if reason in _REFUSED and (grant.based_on is None or version > grant.based_on):
        return False  # somebody may have refused after the grant was made
    topic = catalogue.topics[grant.topic]
    if topic.get("kind") == TopicKind.PERMISSION.value:
        return False
    return not (topic.get("requires") or topic.get("sale_or_share") or topic.get("retired"))


def _holds(grant: PendingChoice, catalogue: Published, now: Micros) -> bool:
    """Tell whether a grant has neither ended nor answered an older notice than the one in force."""
    topic = catalogue.topics.get(grant.topic)
    if topic is None or (grant.until is not None and grant.until <= now):
        return False
    return grant.notice_version is None or grant.notice_version >= int(topic.get("version") or 0)
