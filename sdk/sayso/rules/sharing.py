"""Whether data goes to a partner, and how: as it is, without some fields, with the partner's flags, or not at all."""

from collections.abc import Collection
from typing import Final

from sayso.model.decision import Reason
from sayso.model.disclosure import GuardAnswer
from sayso.rules.explain import REQUIRES

_FLAGS_SPEAK_FOR: Final = frozenset(
    {
        Reason.DENIED.value,
        Reason.WITHDRAWN.value,
        Reason.SIGNAL.value,
        Reason.NOT_ASKED.value,
        Reason.EXPIRED.value,
        Reason.OUTDATED.value,
    }
)
"""What a partner's flags can say for the consumer: "no", and "nobody has said yes"."""


def answer_to_share(*, allowed: bool, reasons: Collection[str], flagged: bool, holds_back: bool) -> GuardAnswer:
    """Decide about handing data to a partner.

    Flags for limited use, such as Meta's LDU or Google's denied consent, stand in for a refusal of this sharing or of
    a topic that it requires. For nothing else: no flag tells a partner that a consumer is a minor, was erased, has an
    open restriction, or that nobody could be asked. A reason that this release doesn't know withholds. One such reason
    is enough, wherever among the topics it stands: `requires:<topic>` names only the first that stands in the way.

    Args:
        allowed: Whether `partner:<key>:share` is allowed.
        reasons: Why not: `Decision.reason` of the share and of all that it requires, directly or not, of each that is
            not allowed. `requires:<topic>` counts by that topic's own reasons, which are among them.
        flagged: Whether the catalogue has flags of the partner's own for limited use.
        holds_back: Whether some field has to stay.

    Returns:
        `send`, `send_redacted`, `send_restricted` or `withhold`.
    """
    if allowed:
        return GuardAnswer.SEND_REDACTED if holds_back else GuardAnswer.SEND
    own = {reason for reason in reasons if not reason.startswith(REQUIRES)}
    if flagged and own and own <= _FLAGS_SPEAK_FOR:
        return GuardAnswer.SEND_RESTRICTED
    return GuardAnswer.WITHHOLD
