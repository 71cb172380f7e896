"""From when a choice counts: fixed when it is recorded, so that nobody's clock can undo a withdrawal.

The sender's clock cancels out: only the age of the choice when it was sent, which that one clock measured,
is taken off the server's time.
"""

from datetime import timedelta

from sayso.model.instant import Micros, span_micros

LATEST_GRANT_AHEAD = timedelta(minutes=5)
"""A grant dated further ahead of its sending than this was not made by a clock that can be trusted."""


def effective_at(
    *, recorded_at: Micros, sent_at: Micros | None, made_at: Micros | None, latest_seen: Micros | None
) -> Micros:
    """Give when a choice counts from, in microseconds.

    Args:
        recorded_at: The server's time; never goes back within a consumer.
        sent_at: The sender's time when the batch left; without it the server's time counts.
        made_at: The sender's time when the choice was made; without it the time of sending counts.
        latest_seen: The largest effective time among the choices it has seen, or None.

    Returns:
        `recorded_at - (sent_at - made_at)`, never later than `recorded_at` and never earlier than
        `latest_seen`.
    """
    sent = recorded_at if sent_at is None else sent_at
    age = 0 if made_at is None else max(0, sent - made_at)
    moment = recorded_at - age
    if latest_seen is not None:
        moment = max(moment, latest_seen)
    return min(moment, recorded_at)


def is_from_the_future(*, recorded_at: Micros, sent_at: Micros | None, made_at: Micros | None) -> bool:
    """Tell whether a choice claims to be made more than five minutes after it was sent."""
    if made_at is None:
        return False
    return made_at - (recorded_at if sent_at is None else sent_at) > span_micros(LATEST_GRANT_AHEAD)
