"""What the day must end in: one line for each thing it shows. The demo fails when one of them is not so."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dealer_day.book import Book
from dealer_day.happenings import By, Who
from dealer_day.outcome import Outcome

ALLOWING = frozenset({"granted", "default", "required"})


@dataclass(frozen=True, slots=True)
class Expected:
    """One topic of one consumer at the end of the day, and what led there."""

    who: Who
    topic: str
    reason: str
    because: str

    @property
    def allowed(self) -> bool:
        return self.reason in ALLOWING


def cust(number: int) -> Who:
    return Who(By.CUSTOMER, f"cust-{number}")


ANN, BEN = cust(42), cust(17)
TEXTER = Who(By.PHONE, "+12025550173")
WHATSAPPER = Who(By.PHONE, "+13055550176")
SAYS_ZERO = Who(By.VISITOR, "anon_b8NcQe5RjU1oGiW6tKz4Sg")
SAYS_DNT = Who(By.VISITOR, "anon_Vx2mDy7PfHa9LsE0uJq3Cw")

EXPECTED = (
    Expected(ANN, "channel:sms", "granted", "said yes in the privacy panel, until the last word of the day"),
    Expected(ANN, "channel:push", "granted", "said yes, and the phone lets notifications through"),
    Expected(ANN, "permission:location", "granted", "said yes to a rough place; the pin sent later was made coarse"),
    Expected(ANN, "permission:camera", "device_denied", "said yes, but the phone blocked the camera in the afternoon"),
    Expected(ANN, "partner:vinsolutions:share", "granted", "allowed sending"),
    Expected(ANN, "partner:vinsolutions:combine", "denied", "but not joining the records"),
    Expected(ANN, "purpose:transcript.training", "withdrawn", "took it back in the evening"),
    Expected(BEN, "channel:sms", "denied", "typed “stop texting me” in the chat; an imported list does not lift it"),
    Expected(BEN, "permission:microphone", "device_unknown", "the phone allowed it once, which lasts a minute"),
    Expected(BEN, "partner:ads-platform:share", "requires:purpose:marketing", "it needs marketing, never allowed"),
    Expected(cust(58), "channel:sms", "granted", "texted STOP, and START three hours later"),
    Expected(cust(58), "purpose:voice_recordings", "expired", "allowed for two hours in the morning"),
    Expected(cust(63), "channel:sms", "denied", "texted “please stop”; a YES that nobody asked for starts nothing"),
    Expected(cust(63), "channel:phone", "denied", "said no on the phone, which counts at once"),
    Expected(cust(71), "channel:sms", "granted", "HELP is a question, not a no"),
    Expected(cust(71), "permission:camera", "device_denied", "a report that arrived late does not undo a newer one"),
    Expected(cust(71), "purpose:surveys", "granted", "an offline no was older than this yes; the phone is 4 h fast"),
    Expected(cust(85), "channel:whatsapp", "denied", "stopped in WhatsApp’s own settings; a list does not lift it"),
    Expected(cust(85), "partner:inventory:share", "denied", "objected to something that goes on by default"),
    Expected(cust(90), "channel:whatsapp", "denied", "wrote Stop from a new number, which leads to the same person"),
    Expected(cust(90), "channel:email", "granted", "taken over from an older system: nothing was said against it"),
    Expected(TEXTER, "channel:sms", "denied", "texted STOP, delivered twice; known by a pseudonym only"),
    Expected(WHATSAPPER, "channel:whatsapp", "granted", "stopped in the morning and resumed in the afternoon"),
    Expected(cust(104), "cookie:performance", "granted", "said yes as a visitor and brought it along when signing in"),
    Expected(cust(104), "cookie:third_party", "signal", "said yes, but the browser’s GPC covers it"),
    Expected(cust(104), "partner:ads-platform:share", "granted", "knowingly overrode GPC for this one"),
    Expected(cust(104), "partner:vinsolutions:share", "denied", "opted out of this partner"),
    Expected(SAYS_ZERO, "cookie:third_party", "granted", "Sec-GPC: 0 says nothing, so the yes stands"),
    Expected(SAYS_DNT, "cookie:third_party", "signal", "the browser sends DNT, which this dealer honours"),
    Expected(cust(119), "permission:camera", "minor", "13 to 15 years old by the phone’s system: a guardian decides"),
    Expected(cust(119), "purpose:marketing", "minor", "the same for marketing"),
    Expected(cust(126), "purpose:promotions", "denied", "an offline no was newer than the yes; the phone is 3 h slow"),
    Expected(cust(126), "purpose:events", "not_asked", "a yes on the phone counts once the consumer confirms it"),
    Expected(cust(126), "permission:photos", "granted", "said yes, and the phone opened some of the photos"),
    Expected(cust(140), "purpose:marketing", "withdrawn", "took everything back"),
    Expected(cust(140), "channel:email", "granted", "and allowed e-mail again later"),
)

REPEATS = 2
"""Deliveries that came twice: the typed stop in the chat and the STOP of the unknown number."""


def differences(outcomes: Mapping[str, Outcome], book: Book) -> Iterator[str]:
    """Say what is not as expected; nothing when all is well."""
    for expected in EXPECTED:
        outcome = outcomes.get(book.consumer_id(expected.who))
        if outcome is None:
            yield f"{expected.because}: the consumer never appeared"
            continue
        decision = outcome.decisions.get(expected.topic)
        reason = "unknown_topic" if decision is None else decision.reason
        if reason != expected.reason:
            yield f"{outcome.name}, {expected.topic}: expected {expected.reason}, found {reason}"
    for consumer_id in outcomes.keys() - {book.consumer_id(expected.who) for expected in EXPECTED}:
        yield f"{outcomes[consumer_id].name}: nobody expected this consumer"
    repeats = sum(entry.kind == "repeat" for outcome in outcomes.values() for entry in outcome.track.entries)
    if repeats != REPEATS:
        yield f"expected {REPEATS} deliveries that came twice, found {repeats}"


def shown_of(consumer_id: str, book: Book) -> list[Expected]:
    """Give what the day shows about one consumer."""
    return [expected for expected in EXPECTED if book.consumer_id(expected.who) == consumer_id]
