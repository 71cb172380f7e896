"""The command line of `sayso`."""

import argparse
from datetime import datetime, timedelta

from sayso.model.choice import Method

_DESCRIPTION = "Record a consumer's choices and ask what they allow."
_ENVIRONMENT = (
    "The server and the key come from SAYSO_URL, SAYSO_KEY_ID and SAYSO_SECRET; SAYSO_OUTBOX names the file in which "
    "what can't be sent waits. Exit codes: 0 done or allowed, 1 not allowed (check), 2 error."
)
_OUTBOX = (
    "The outbox's file comes from --outbox or SAYSO_OUTBOX. A client that uses it sends what waits once the server "
    "answers, and notices within a second what is sent again. Exit codes: 0 done, 2 error."
)


def make_parser() -> argparse.ArgumentParser:
    """Give the parser; `command` in what it parses names one of `commands.COMMANDS`."""
    parser = argparse.ArgumentParser(prog="sayso", description=_DESCRIPTION, epilog=_ENVIRONMENT)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    check = _add(commands, "check", "tell whether something is allowed: exit code 0 or 1")
    _ask_about_topic(check)
    decide = _add(commands, "decide", "tell whether something is allowed, and everything that decided")
    _ask_about_topic(decide)
    decide.add_argument("--as-of", type=_moment, metavar="TIME", help="a past moment, such as 2026-11-23T19:00:00Z")

    history = _add(commands, "history", "list what was recorded, newest first")
    history.add_argument("consumer", help="the consumer's id")
    history.add_argument("--limit", type=_count, default=100, help="at most so many lines (100)")

    disclosures = _add(commands, "disclosures", "list what was handed over to and from partners, newest first")
    disclosures.add_argument("consumer", help="the consumer's id")
    disclosures.add_argument("--limit", type=_count, default=100, help="at most so many lines (100)")

    token = _add(commands, "token", "sign a token with which a page acts for one consumer")
    token.add_argument("consumer", help="the consumer's id")
    token.add_argument("--origin", action="append", required=True, help="a page's origin, or app; may be repeated")
    token.add_argument("--minutes", type=_minutes, default=timedelta(minutes=5), help="how long it holds (5)")

    grant = _add(commands, "grant", "record that the consumer allows something")
    _record(grant)
    grant.add_argument("--shown", required=True, metavar="LANGUAGE", help="the language of the notice they saw")
    grant.add_argument("--notice-version", type=_count, help="the notice's version (the current one)")
    grant.add_argument(
        "--evidence",
        type=_evidence,
        metavar="KIND[=REF]",
        help="what shows that they agreed and where it is kept, such as call_recording=2026-11-23/17",
    )
    grant.add_argument("--days", type=_days, help="how long it lasts")

    withdraw = _add(commands, "withdraw", "record that the consumer takes it back")
    _record(withdraw)

    outbox = commands.add_parser(
        "outbox",
        help="show what waits to be sent, and send again what was parked",
        description="Show what waits to be sent, and send again what was parked. Needs neither a server nor a key.",
        epilog=_OUTBOX,
    )
    actions = outbox.add_subparsers(dest="action", required=True, metavar="ACTION")
    _outbox(actions, "list", "list what waits and what is parked, oldest first")
    again = _outbox(actions, "retry", "have parked entries sent again")
    again.add_argument("id", nargs="*", type=_count, help="which, by their ids in the list (all that are parked)")
    _outbox(actions, "export", "print everything in it as JSON")
    return parser


def _add(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".", epilog=_ENVIRONMENT)
    command.add_argument("--json", action="store_true", help="print JSON")
    return command


def _outbox(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]", name: str, what: str
) -> argparse.ArgumentParser:
    action = actions.add_parser(name, help=what, description=what[0].upper() + what[1:] + ".", epilog=_OUTBOX)
    action.add_argument("--json", action="store_true", help="print JSON")
    action.add_argument("--outbox", metavar="PATH", help="the outbox's file (SAYSO_OUTBOX)")
    return action


def _ask_about_topic(command: argparse.ArgumentParser) -> None:
    command.add_argument("consumer", help="the consumer's id")
    command.add_argument("topic", help="such as purpose:marketing")
    command.add_argument("--device", help="the device it would happen on; permissions need one")
    command.add_argument("--language", default="en", help="of the explanation (en)")


def _record(command: argparse.ArgumentParser) -> None:
    command.add_argument("consumer", help="the consumer's id")
    command.add_argument("topic", help="such as channel:sms")
    command.add_argument("--method", choices=[method.value for method in Method], default=Method.API.value)
    command.add_argument("--device", help="the device it was made on")


def _evidence(text: str) -> dict[str, str]:
    kind, _, ref = text.partition("=")
    return {"kind": kind, "ref": ref} if ref else {"kind": kind}


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("not a time; write it as 2026-11-23T19:00:00Z") from None
    if moment.tzinfo is None:
        raise argparse.ArgumentTypeError("the time has no zone; end it with Z or an offset such as +01:00")
    return moment


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError("not a whole number from 1 on")
    return int(text)


def _minutes(text: str) -> timedelta:
    return timedelta(minutes=_count(text))


def _days(text: str) -> timedelta:
    try:
        return timedelta(days=_count(text))
    except OverflowError:
        raise argparse.ArgumentTypeError("too long") from None
