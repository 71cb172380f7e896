"""`sayso-server catalogue`: publish what a brand asks its consumers, see beforehand what that changes, show it."""

import argparse
import asyncio
from pathlib import Path

from sayso.catalogue import Level, lint, read_catalogue, require_publishable
from sayso.model.catalogue import Catalogue
from sayso_server.cli.arguments import Commands, add_brand, add_database, add_json
from sayso_server.cli.catalogue_preview import preview, replay
from sayso_server.cli.output import CommandError, note, say, say_json, say_table
from sayso_server.cli.workbench import opened
from sayso_server.services.rehearsal import DAYS, MOST_DAYS


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("catalogue", help="publish, preview, replay and show catalogues")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    publish = actions.add_parser("publish", help="publish a file; a running server takes it up at once")
    publish.add_argument("file", metavar="FILE", type=Path, help="the catalogue, in TOML")
    publish.add_argument("--allow-lower-majority", action="store_true", help="let people decide alone earlier")
    publish.add_argument(
        "--allow-newly-shared", action="store_true", help="let out what the last 30 days' hand-overs kept back"
    )
    publish.set_defaults(run=lambda args: asyncio.run(_publish(args, read_catalogue(args.file))))

    previewing = actions.add_parser("preview", help="say what publishing would change, and whom it asks again")
    previewing.add_argument("file", metavar="FILE", type=Path, help="the catalogue, in TOML")
    previewing.set_defaults(run=lambda args: asyncio.run(preview(args, read_catalogue(args.file))))

    replaying = actions.add_parser("replay", help="decide the last days' hand-overs again, by a new catalogue")
    replaying.add_argument("file", metavar="NEW", type=Path, help="the catalogue, in TOML")
    replaying.add_argument("--days", type=_days, default=DAYS.days, help=f"how many days back; {DAYS.days} without it")
    replaying.set_defaults(run=lambda args: asyncio.run(replay(args, read_catalogue(args.file))))

    show = actions.add_parser("show", help="show what is published, or a file as it would be shown")
    show.add_argument(
        "file", metavar="FILE", type=Path, nargs="?", help="a catalogue in TOML, checked and not published"
    )
    show.set_defaults(run=_show)

    for action in (publish, previewing, replaying, show):
        add_brand(action, required=action is not show)
        add_json(action)
        add_database(action)


def _days(text: str) -> int:
    days = int(text)
    if not 1 <= days <= MOST_DAYS:
        raise argparse.ArgumentTypeError(f"1 to {MOST_DAYS}")
    return days


def warnings_of(catalogue: Catalogue) -> list[str]:
    """List what is doubtful in a catalogue that may be published nevertheless."""
    return [str(found) for found in lint(catalogue) if found.level is Level.WARNING]


async def _publish(args: argparse.Namespace, catalogue: Catalogue) -> int:
    async with opened(args.database) as bench:
        brand_id = (await bench.brand(args.brand)).brand_id
        result = await bench.services.publishing.publish(
            brand_id,
            catalogue,
            allow_lower_majority=args.allow_lower_majority,
            allow_newly_shared=args.allow_newly_shared,
        )
    for warning in warnings_of(catalogue):
        note(warning)
    if args.json:
        say_json(
            {
                "brand": brand_id,
                "revision": result.revision,
                "published_at": result.published_at,
                "changed": result.changed,
            }
        )
    elif result.changed:
        say(f"revision {result.revision} of {brand_id} is published")
    else:
        say(f"nothing changed; {brand_id} stays at revision {result.revision}")
    return 0


def _show(args: argparse.Namespace) -> int:
    if args.file is not None:
        return _show_file(args)
    if args.brand is None:
        raise CommandError("name a FILE, or --brand ID for what is published")
    return asyncio.run(_show_published(args))


def _show_file(args: argparse.Namespace) -> int:
    """Show a file that could be published; no database is needed for that."""
    catalogue = read_catalogue(args.file)
    for warning in require_publishable(catalogue):
        note(str(warning))
    if args.json:
        say_json({"revision": None, "brand": args.brand, **catalogue.to_wire()})
    else:
        _say_topics(str(args.file), catalogue)
    return 0


async def _show_published(args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brand_id = (await bench.brand(args.brand)).brand_id
        published = bench.services.catalogues.of(brand_id)
    catalogue = published.catalogue
    if args.json:
        say_json({"revision": published.revision, "brand": brand_id, **catalogue.to_wire()})
    elif not published.revision:
        note(f"{brand_id} has no catalogue yet. Publish one: sayso-server catalogue publish FILE --brand {brand_id}")
    else:
        _say_topics(f"revision {published.revision} of {brand_id}", catalogue)
    return 0


def _say_topics(what: str, catalogue: Catalogue) -> None:
    say(f"{what}, in {', '.join(catalogue.languages)}")
    say_table(
        ["TOPIC", "BASIS", "VERSION", "TITLE"],
        [
            [
                topic.key,
                "retired" if topic.retired else topic.basis.value,
                str(topic.version),
                topic.title.get(catalogue.default_language, ""),
            ]
            for topic in catalogue.topics.values()
        ],
    )
