"""`sayso-server requests`: rights requests, entered and worked by a privacy officer at the terminal."""

import argparse
import asyncio
import getpass
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, time, tzinfo
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import TypeAdapter, ValidationError

from sayso.model.deadline import RequestKind
from sayso.model.instant import read_time
from sayso.model.request import (
    TRANSITION_BODIES,
    DenialReason,
    Fault,
    FindBody,
    Holder,
    NewRequest,
    RequestId,
    Transition,
    UrlState,
)
from sayso.rules.requests import FILED_BY, Party
from sayso.wire import Role, TokenClass
from sayso_server.cli.arguments import Commands, add_brand, add_database, add_json
from sayso_server.cli.new_file import write_new
from sayso_server.cli.output import say, say_json
from sayso_server.cli.requests_erasing import make_sure
from sayso_server.cli.requests_shown import say_page, say_request
from sayso_server.cli.workbench import Workbench, opened
from sayso_server.jsonio import dumps
from sayso_server.routes.bodies import parse
from sayso_server.services.caller import Caller
from sayso_server.services.requests import OPEN, STATES

_ID = TypeAdapter[str](RequestId)
_WAYS = [channel.value for channel in sorted(FILED_BY[Party.OFFICER])]
_KINDS = [kind.value for kind in RequestKind]
_HOLDERS = [holder.value for holder in Holder]
_REASONS = [reason.value for reason in DenialReason]
_HELP = {
    Transition.ACKNOWLEDGE: "confirm receipt",
    Transition.VERIFY: "ask who is asking; unanswered it expires, and the clock goes on meanwhile",
    Transition.START: "begin: it is known who asks",
    Transition.EXTEND: "put the answer off, once, and say why",
    Transition.FULFIL: "say that it is done; a request to delete is carried out by this, for good",
    Transition.DENY: "deny it, with grounds; whom the consumer can turn to is put in",
    Transition.REVOKE: "close it because the consumer took it back",
    Transition.HAND_OVER: "give it to the brand or to the platform",
    Transition.NOTE: "add a remark, which the consumer doesn't see",
    Transition.LIFT: "end a restriction, the consumer having been told",
}
Work = Callable[[Workbench, Caller, argparse.Namespace], Awaitable[int]]


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("requests", help="enter, list and work rights requests")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    create = actions.add_parser("create", help="enter what came by post, phone or mail; it costs the consumer nothing")
    create.add_argument("kind", metavar="KIND", choices=_KINDS, help=", ".join(RequestKind))
    create.add_argument("--channel", required=True, choices=_WAYS, help="the way it came")
    create.add_argument(
        "--received", metavar="DATE", type=_moment, help="when, such as 2026-11-20; the clock runs from then"
    )
    create.add_argument("--consumer", metavar="ID", help="whose, if known; else an address to answer to is needed")
    for name in ("name", "email", "phone", "address"):
        create.add_argument(f"--{name}", help="of whoever asks")
    create.add_argument("--jurisdiction", metavar="REGION", help="where they live, such as US-CA; else the strictest")
    create.add_argument("--language", metavar="TAG", help="what the answer is written in; en without it")
    create.add_argument(
        "--held-by", choices=_HOLDERS, default=Holder.BRAND.value, help="who works on it; default: brand"
    )
    create.add_argument("--topic", dest="topics", action="append", metavar="KEY", help="object: one of the topics")
    create.add_argument("--about", metavar="FIELD", help="correct: the field or topic that is wrong")
    create.add_argument("--fault", choices=[fault.value for fault in Fault], help="correct: what is wrong with it")
    create.add_argument("--url", dest="urls", action="append", metavar="URL", help="removal: a public address")
    create.add_argument("--text", help="the person's own words")
    _finish(create, _create)

    listing = actions.add_parser("list", help="list requests by when they are due, with the days left")
    listing.add_argument("--state", choices=STATES, default=OPEN, help=f"{OPEN} without it")
    _finish(listing, _list)

    find = actions.add_parser("find", help="find somebody's requests")
    which = find.add_mutually_exclusive_group(required=True)
    which.add_argument("--email", help="their e-mail address")
    which.add_argument("--phone", help="their phone number")
    _finish(find, _find)

    show = actions.add_parser("show", help="show one with all that was done")
    show.add_argument("id", metavar="REQUEST", type=_request_id, help="as `requests list` prints it")
    _finish(show, _show)

    result = actions.add_parser("result", help="fetch the zip that answers an access, copy or transfer, once fulfilled")
    result.add_argument("id", metavar="REQUEST", type=_request_id, help="as `requests list` prints it")
    result.add_argument(
        "--out", metavar="FILE", type=Path, required=True, help="a new file that only you can read; none is overwritten"
    )
    _finish(result, _result)

    for transition in Transition:
        doing = actions.add_parser(transition.value, help=_HELP[transition])
        doing.add_argument("id", metavar="REQUEST", type=_request_id, help="as `requests list` prints it")
        _add_said(doing, transition)
        doing.add_argument("--note", help="a remark for the file")
        doing.set_defaults(transition=transition)
        _finish(doing, _act)


def _add_said(doing: argparse.ArgumentParser, transition: Transition) -> None:
    match transition:
        case Transition.VERIFY:
            doing.add_argument("--ask", help="what they are asked for")
            doing.add_argument(
                "--within-days", type=int, default=30, help="after how many days it expires; default: 30"
            )
        case Transition.START:
            doing.add_argument("--verified", help="how they showed who they are")
            doing.add_argument("--consumer", dest="consumer_id", metavar="ID", help="whose it turned out to be")
        case Transition.EXTEND:
            doing.add_argument("--reason", required=True, help="why, for the consumer")
        case Transition.FULFIL:
            doing.add_argument("--answer", help="what the consumer is told")
            doing.add_argument("--yes", action="store_true", help="delete: erase without asking whether that is meant")
        case Transition.DENY:
            doing.add_argument("--reason", required=True, choices=_REASONS, help="one of seven")
            why = doing.add_mutually_exclusive_group(required=True)
            why.add_argument("--grounds", help="why, in words")
            why.add_argument("--barred-by", metavar="LAW", help="the law that bars giving the grounds")
        case Transition.HAND_OVER:
            doing.add_argument("--to", required=True, choices=_HOLDERS, help="who goes on with it")
        case Transition.LIFT:
            doing.add_argument("--told", required=True, help="how the consumer was told beforehand")
    if transition in (Transition.FULFIL, Transition.NOTE):
        doing.add_argument(
            "--url",
            dest="urls",
            action="append",
            metavar="URL=STATE",
            type=_url,
            help=f"removal: what became of one address: {' or '.join(UrlState)}",
        )


def _finish(parser: argparse.ArgumentParser, work: Work) -> None:
    add_brand(parser)
    add_json(parser)
    add_database(parser)
    parser.set_defaults(run=lambda args: asyncio.run(_run(work, args)))


async def _run(work: Work, args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brand_id = (await bench.brand(args.brand)).brand_id
        await asyncio.to_thread(bench.services.marks.load)
        roles = frozenset({Role.PRIVACY_OFFICER.value})
        # Whoever reaches the database may do what an officer may; the audit has the name they work under.
        return await work(bench, Caller(brand_id, "terminal", TokenClass.STAFF, getpass.getuser(), roles=roles), args)


async def _create(bench: Workbench, caller: Caller, args: argparse.Namespace) -> int:
    received = None if args.received is None else _begun(args.received, _zone(bench, caller)).isoformat()
    contact = {name: getattr(args, name) for name in ("name", "email", "phone", "address")}
    detail = {name: getattr(args, name) for name in ("topics", "about", "fault", "urls", "text")}
    body: dict[str, Any] = {
        "kind": args.kind,
        "channel": args.channel,
        "consumer_id": args.consumer,
        "received_at": received,
        "jurisdiction": args.jurisdiction,
        "language": args.language,
        "held_by": args.held_by,
        "contact": _given(contact),
        "detail": _given(detail),
    }
    filed = await bench.services.requests.file(caller, parse(NewRequest, dumps(_given(body))))
    return _said(bench, caller, args, filed)


async def _list(bench: Workbench, caller: Caller, args: argparse.Namespace) -> int:
    after, entries = None, []
    while True:
        page, after = await bench.services.requests.page(caller, state=args.state, after=after)
        entries += page
        if after is None:
            break
    return _said_all(
        bench, caller, args, entries, f"{caller.brand_id} has no request that is {args.state.replace('_', ' ')}"
    )


async def _find(bench: Workbench, caller: Caller, args: argparse.Namespace) -> int:
    body = parse(FindBody, dumps(_given({"email": args.email, "phone": args.phone})))
    found = await bench.services.requests.find(caller, body)
    return _said_all(bench, caller, args, found, "nobody of that address has asked for anything")


async def _show(bench: Workbench, caller: Caller, args: argparse.Namespace) -> int:
    return _said(bench, caller, args, await bench.services.requests.show(caller, args.id))


async def _result(bench: Workbench, caller: Caller, args: argparse.Namespace) -> int:
    packed = await bench.services.requests.result(caller, args.id)
    await asyncio.to_thread(write_new, args.out, packed)
    if args.json:
        say_json({"id": args.id, "out": str(args.out), "bytes": len(packed)})
    else:
        say(f"{args.id}: everything held about the consumer is in {args.out}; give it to nobody but them")
    return 0


async def _act(bench: Workbench, caller: Caller, args: argparse.Namespace) -> int:
    if args.transition is Transition.FULFIL:
        await make_sure(await bench.services.requests.show(caller, args.id), yes=args.yes)
    model = TRANSITION_BODIES[args.transition]
    body = _given({name: getattr(args, name, None) for name in model.model_fields if name != "urls"})
    urls = dict(getattr(args, "urls", None) or [])
    if urls:
        body["urls"] = urls
    changed = await bench.services.requests.act(caller, args.id, args.transition, parse(model, dumps(body)))
    return _said(bench, caller, args, changed)


def _zone(bench: Workbench, caller: Caller) -> tzinfo:
    """Give the time zone of the brand's calendar."""
    name = bench.services.catalogues.of(caller.brand_id).catalogue.time_zone
    return UTC if name is None else ZoneInfo(name)


def _begun(received: date, zone: tzinfo) -> datetime:
    """Give the time at which something was received; a day is meant from when it begins."""
    return received if isinstance(received, datetime) else datetime.combine(received, time(), zone)


def _said(bench: Workbench, caller: Caller, args: argparse.Namespace, entry: dict[str, Any]) -> int:
    if args.json:
        say_json(entry)
    else:
        say_request(entry, _zone(bench, caller), caller.brand_id)
    return 0


def _said_all(
    bench: Workbench, caller: Caller, args: argparse.Namespace, entries: list[dict[str, Any]], if_none: str
) -> int:
    if args.json:
        say_json(entries)
    else:
        say_page(entries, if_none, _zone(bench, caller))
    return 0


def _given(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if value not in (None, {}, [])}


def _request_id(text: str) -> str:
    try:
        return _ID.validate_python(text)
    except ValidationError:
        raise argparse.ArgumentTypeError("a request's id is a UUID; `requests list` prints them") from None


def _moment(text: str) -> date:
    """Read a day, or a time with an offset."""
    try:
        moment = read_time(text) if "T" in text else date.fromisoformat(text)
    except ValueError:
        moment = None
    if not isinstance(moment, date) or (isinstance(moment, datetime) and moment.tzinfo is None):
        raise argparse.ArgumentTypeError("write 2026-11-20, or a time with an offset such as 2026-11-20T09:30:00Z")
    return moment.astimezone(UTC) if isinstance(moment, datetime) else moment


def _url(text: str) -> tuple[str, str]:
    url, _, state = text.rpartition("=")
    if not url or state not in list(UrlState):
        raise argparse.ArgumentTypeError(f"write the address, = and {' or '.join(UrlState)}")
    return url, state
