"""A consumer's day: a lane per topic, a mark per choice, and the device, the browser and the rest below."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sayso
from dealer_day.outcome import Outcome
from dealer_day.report.markup import Safe, join, tag
from dealer_day.report.words import ANSWERS, clock, reason_in_words

EVERYTHING = "*"
KINDS = {
    "device": "Device",
    "signal": "Browser signals",
    "age": "Age",
    "place": "Places sent",
    "link": "Identity",
    "repeat": "Delivered twice",
}
_STEP = timedelta(hours=2)


@dataclass(frozen=True, slots=True)
class Span:
    """The time that a timeline covers."""

    start: datetime
    end: datetime

    def at(self, moment: datetime) -> str:
        """Where a moment lies, as a CSS length."""
        share = (moment - self.start) / (self.end - self.start)
        return f"{min(max(share, 0), 1):.2%}"

    def hours(self) -> Iterator[datetime]:
        """Every second full hour."""
        moment = self.start.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
        while moment < self.end - timedelta(minutes=30):
            yield moment
            moment += _STEP


def timeline(outcome: Outcome, span: Span) -> Safe:
    """Make the picture. It is decoration for those who see it: `as_list` says the same in words."""
    topics = [topic for topic in outcome.titles if any(choice.topic == topic for choice in outcome.history)]
    lanes = [_topic_lane(outcome, topic, span) for topic in topics]
    for kind, title in KINDS.items():
        entries = [entry for entry in outcome.track.entries if entry.kind == kind]
        if entries:
            marks = [_mark("note", span.at(entry.at), f"{clock(entry.at)} {entry.text}") for entry in entries]
            lanes.append(_lane(title, "", marks))
    if any(choice.topic == EVERYTHING for choice in outcome.history):
        refusals = [choice for choice in outcome.history if choice.topic == EVERYTHING]
        lanes.insert(0, _lane("Everything", "", [_choice_mark(choice, span, decides=True) for choice in refusals]))
    ticks = [tag("span", clock(hour), class_="tick", style=f"left:{span.at(hour)}") for hour in span.hours()]
    axis = _lane("", "", ticks, class_="lane axis")
    return tag("div", axis, *lanes, class_="timeline", aria_hidden="true")


def as_list(outcome: Outcome) -> Safe:
    """The same in words, in order of time."""
    lines = [(choice.effective_at, _sentence(choice)) for choice in outcome.history]
    lines += [(entry.at, join(f"{KINDS[entry.kind]}: {entry.text}.")) for entry in outcome.track.entries]
    items = [tag("li", tag("time", clock(at)), " ", text) for at, text in sorted(lines)]
    return tag("ol", *items, class_="words")


def _topic_lane(outcome: Outcome, topic: str, span: Span) -> Safe:
    decision = outcome.decisions[topic]
    said = [choice for choice in outcome.history if choice.topic == topic]
    effects = [
        choice for choice in outcome.history if choice.topic in (topic, EVERYTHING) and _decides(choice, decision)
    ]
    bars = _bars(effects, span)
    marks = [_choice_mark(choice, span, decides=_decides(choice, decision)) for choice in said]
    verdict = ("✓ " if decision.allowed else "✗ ") + reason_in_words(decision)
    return _lane(outcome.titles[topic], topic, [*bars, *marks], verdict=verdict, allowed=decision.allowed)


def _decides(choice: sayso.PastChoice, decision: sayso.Decision) -> bool:
    """Whether a choice ever could decide: what the brand, a list or a call says counts only where it stands."""
    spoken = choice.method in ("phone", "agent") or choice.actor in ("brand", "agent")
    return choice.id == decision.choice_id or choice.answer != "granted" or not spoken


def _bars(choices: Sequence[sayso.PastChoice], span: Span) -> list[Safe]:
    bars = []
    for place, choice in enumerate(choices, start=1):
        end = choices[place].effective_at if place < len(choices) else span.end
        until = end if choice.expires_at is None else min(end, choice.expires_at)
        left, right = span.at(choice.effective_at), span.at(until)
        kind = "yes" if choice.answer == "granted" else "no"
        bars.append(tag("span", class_=f"bar {kind}", style=f"left:{left};right:calc(100% - {right})"))
    return bars


def _choice_mark(choice: sayso.PastChoice, span: Span, *, decides: bool) -> Safe:
    kind = "yes" if choice.answer == "granted" else "no"
    return _mark(kind if decides else f"{kind} idle", span.at(choice.effective_at), _label(choice))


def _mark(kind: str, left: str, title: str) -> Safe:
    return tag("span", class_=f"mark {kind}", style=f"left:{left}", title=title)


def _lane(
    title: str,
    key: str,
    marks: Iterable[Safe],
    *,
    verdict: str = "",
    allowed: bool | None = None,
    class_: str = "lane",
) -> Safe:
    name = tag("span", title, tag("code", key) if key else "", class_="name")
    state = "" if allowed is None else " ok" if allowed else " not"
    end = tag("span", verdict, class_=f"verdict{state}")
    return tag("div", name, tag("span", *marks, class_="track"), end, class_=class_)


def _label(choice: sayso.PastChoice) -> str:
    return f"{clock(choice.effective_at)} {ANSWERS.get(choice.answer, choice.answer)}, by {choice.method}"


def _sentence(choice: sayso.PastChoice) -> Safe:
    topic = "everything" if choice.topic == EVERYTHING else choice.topic
    said = ANSWERS.get(choice.answer, choice.answer)
    until = "" if choice.expires_at is None else f", until {choice.expires_at:%Y-%m-%d %H:%M} UTC"
    by = "" if choice.actor == "consumer" else f" (said by the {choice.actor})"
    return join(tag("code", topic), f": {said}, by {choice.method}{by}{until}.")
