"""Handing a consumer's data to partners."""

from sayso.client.guard import Sharing
from sayso.client.handle import Handle
from sayso.client.partner_shares import check_partner


class Guarding(Handle):
    """Guards hand-overs."""

    __slots__ = ()

    def sharing(self, partner: str, device: str | None = None) -> Sharing:
        """Hand data to a partner: `async with ann.sharing("vinsolutions") as out: await crm.send(out.redact(lead))`.

        Entering asks whether the partner may have anything now, and which fields. Leaving writes one disclosure: to
        whom, when, which fields went and which stayed, never what was in them. If the block raises, it says that the
        hand-over failed, and the error passes through. If `redact` was never called, it says that nobody knows what
        was sent. It is written for a hand-over that was withheld, too.

        What was decided on entering holds for `max_staleness`, but not beyond the end of a grant or a refusal that the
        consumer makes here; after that `redact` raises NotAllowedError. So prepare first, enter then, and send at once.

        Args:
            partner: Its key in the catalogue, such as `vinsolutions`.
            device: The device that the data comes from; fields that need a permission need one.

        Returns:
            What to enter. In an outage it withholds, with code `unavailable`.

        Raises:
            NotAllowedError: On entering: nothing may be handed over; `code` is the decision's reason.
            InvalidError: The key can't be a partner's; on entering: the catalogue has no such partner, or nothing is
                shared with it.
            NotAuthenticatedError, ForbiddenError: On entering: the key is not accepted.
        """
        return Sharing(self._guard, self.id, check_partner(partner), device)
