"""What each command does."""

import argparse
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sayso.cli.outbox import outbox
from sayso.cli.output import complain, say, say_json, say_pairs, say_table
from sayso.client.client import Client
from sayso.client.decision import Decision
from sayso.client.recorded import Recorded
from sayso.client.settings import read_outbox
from sayso.model.decision import Reason

ALLOWED = 0
DONE = 0
NOT_ALLOWED = 1
UNANSWERED = 2

PATIENCE = timedelta(seconds=5)
"""How long somebody at a terminal waits for a server that does not answer."""

_NO_ANSWER = "no answer from the server; check SAYSO_URL and that it is running"

Options = argparse.Namespace


async def check(options: Options) -> int:
    """Answer with the exit code, and in a sentence."""
    decision = await _decision(options)
    if options.json:
        say_json(_decision_json(decision))
    else:
        say(decision.explain())
    return _if_answered(decision, ALLOWED if decision.allowed else NOT_ALLOWED)


async def decide(options: Options) -> int:
    """Show everything that decided."""
    decision = await _decision(options)
    if options.json:
        say_json(_decision_json(decision))
        return _if_answered(decision, DONE)
    facts = [
        ("topic", decision.topic),
        ("allowed", decision.allowed),
        ("reason", decision.reason),
        ("answer", decision.answer),
        ("made at", decision.made_at),
        ("notice", decision.notice_version),
        ("expires at", decision.expires_at),
        ("valid until", decision.valid_until),
        ("device", decision.device_id),
        ("signal", decision.signal),
        ("choice", decision.choice_id),
    ]
    say_pairs([(name, value) for name, value in facts if value is not None])
    say(decision.explain())
    return _if_answered(decision, DONE)


async def history(options: Options) -> int:
    """List recorded choices."""
    async with _client() as privacy:
        choices = [choice async for choice in privacy.consumer(options.consumer).history(options.limit)]
    if options.json:
        say_json([choice.raw for choice in choices])
    elif not choices:
        say("nothing recorded")
    else:
        say_table(
            ["version", "recorded", "topic", "answer", "method", "actor", "notice"],
            [
                [
                    choice.version,
                    choice.recorded_at,
                    choice.topic,
                    choice.answer,
                    choice.method,
                    choice.actor,
                    choice.notice_version,
                ]
                for choice in choices
            ],
        )
    return DONE


async def disclosures(options: Options) -> int:
    """List hand-overs to and from partners."""
    async with _client() as privacy:
        found = await privacy.consumer(options.consumer).disclosures(options.limit)
    if options.json:
        say_json([one.raw for one in found])
    elif not found:
        say("nothing handed over")
    else:
        say_table(
            ["at", "partner", "flow", "answer", "sent", "held back", "outcome", "reason"],
            [
                [
                    one.at,
                    one.partner,
                    one.flow,
                    one.answer,
                    _names(one.fields_sent),
                    _names(one.fields_held_back),
                    one.outcome,
                    one.reason,
                ]
                for one in found
            ],
        )
    return DONE


async def token(options: Options) -> int:
    """Print a consumer token."""
    async with _client() as privacy:
        signed = privacy.consumer_token(options.consumer, origins=options.origin, ttl=options.minutes)
    if options.json:
        say_json({"token": signed, "expires_in": int(options.minutes.total_seconds())})
    else:
        say(signed)
    return DONE


async def grant(options: Options) -> int:
    """Record a grant."""
    async with _client() as privacy:
        recorded = await privacy.consumer(options.consumer).grant(
            options.topic,
            shown=options.shown,
            notice_version=options.notice_version,
            method=options.method,
            expires_after=options.days,
            evidence=options.evidence,
            device=options.device,
        )
    return _say_recorded(recorded, privacy, options)


async def withdraw(options: Options) -> int:
    """Record a refusal."""
    async with _client() as privacy:
        recorded = await privacy.consumer(options.consumer).withdraw(
            options.topic, method=options.method, device=options.device
        )
    return _say_recorded(recorded, privacy, options)


COMMANDS: Mapping[str, Callable[[Options], Coroutine[Any, Any, int]]] = {
    "check": check,
    "decide": decide,
    "history": history,
    "disclosures": disclosures,
    "token": token,
    "grant": grant,
    "withdraw": withdraw,
    "outbox": outbox,
}


def _client(language: str = "en") -> Client:
    """Make a client that keeps nothing in memory, which ends with the command."""
    return Client.from_env(outbox=read_outbox() or False, live=False, language=language, time_box=PATIENCE)


async def _decision(options: Options) -> Decision:
    async with _client(language=options.language) as privacy:
        as_of = getattr(options, "as_of", None)
        decision = await privacy.consumer(options.consumer).decide(options.topic, options.device, as_of)
    if decision.reason == Reason.UNAVAILABLE.value:
        complain(privacy.status_reason or _NO_ANSWER)
    return decision


def _if_answered(decision: Decision, code: int) -> int:
    """Give the exit code; a script must not take an outage for the consumer's no."""
    return code if decision.reason != Reason.UNAVAILABLE.value else UNANSWERED


def _names(fields: tuple[str, ...] | None) -> str | None:
    return "not known" if fields is None else ", ".join(fields) or None


def _decision_json(decision: Decision) -> dict[str, Any]:
    members = {name: value for name, value in asdict(decision).items() if not name.startswith("_")}
    return {**members, "explanation": decision.explain()}


def _say_recorded(recorded: Recorded, privacy: Client, options: Options) -> int:
    if options.json:
        say_json(recorded._asdict())
        return DONE
    if recorded.status == "pending":
        complain(privacy.status_reason or _NO_ANSWER)
        complain("it is kept in the outbox, and sent by the next client that uses it")
    say_pairs(
        [
            ("recorded" if recorded.status == "confirmed" else recorded.status, recorded.topic),
            ("choice", recorded.choice_id),
            ("version", recorded.version),
            ("at", recorded.recorded_at),
            ("decides", recorded.stands),
            ("allowed now", recorded.allowed),
            ("reason", recorded.reason),
        ]
    )
    return DONE
