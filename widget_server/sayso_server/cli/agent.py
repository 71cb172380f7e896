"""`sayso-server agent`: authorized agents, who file rights requests for consumers by the Data Rights Protocol."""

import argparse
import asyncio
from typing import Final

from sayso.model.instant import format_micros
from sayso_server.cli.arguments import Commands, add_brand, add_database, add_json
from sayso_server.cli.output import CommandError, note, say, say_json, say_table
from sayso_server.cli.workbench import opened
from sayso_server.services.drp_agents import Agent

_OPERATOR: Final = {"key": "command", "class": "operator"}


def add_parser(commands: Commands) -> None:
    """Add the command."""
    parser = commands.add_parser("agent", help="register those who file requests by the Data Rights Protocol")
    actions = parser.add_subparsers(required=True, metavar="ACTION")

    add = actions.add_parser("add", help="register an agent, or give it another key, and print its bearer token")
    add.add_argument("agent_id", metavar="AGENT_ID", help="its `id` in the directory, such as AN_AGENT")
    add_brand(add)
    add.add_argument("--key", required=True, metavar="BASE64", help="its `verify_key` in the directory")
    add.add_argument("--name", metavar="NAME", help="what people call it; default: its id")
    add.add_argument("--business-id", metavar="ID", help="what the directory calls the brand; default: the brand's id")
    add_json(add)
    add_database(add)
    add.set_defaults(run=lambda args: asyncio.run(_add(args)))

    listing = actions.add_parser("list", help="list a brand's agents")
    add_brand(listing)
    add_json(listing)
    add_database(listing)
    listing.set_defaults(run=lambda args: asyncio.run(_list(args)))

    remove = actions.add_parser("remove", help="accept nothing from an agent any more; its requests stay")
    remove.add_argument("agent_id", metavar="AGENT_ID", help="as `agent list --brand ID` prints it")
    add_brand(remove)
    add_database(remove)
    remove.set_defaults(run=lambda args: asyncio.run(_remove(args)))


async def _add(args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brand = await bench.brand(args.brand)
        agent = Agent(
            brand_id=brand.brand_id,
            agent_id=args.agent_id,
            name=args.name or args.agent_id,
            verify_key=args.key,
            business_id=args.business_id or brand.brand_id,
            token_id=None,
            set_up_at=0,
            added_at=bench.clock.now(),
        )
        try:
            token = await bench.services.agents.add(agent, by=_OPERATOR)
        except ValueError as error:
            raise CommandError(str(error)) from None
    if args.json:
        say_json({"agent_id": agent.agent_id, "business_id": agent.business_id, "token": token})
    else:
        say(token)
        note(
            f"{agent.name} sends this as Authorization: Bearer, and {agent.business_id} as business-id. It is shown "
            "this once; the agent can get itself another with POST /v1/agent/{agent-id}."
        )
    return 0


async def _list(args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brand = await bench.brand(args.brand)
        agents = await bench.services.agents.every(brand.brand_id)
    if args.json:
        names = ("agent_id", "name", "verify_key", "business_id")
        say_json(
            [
                {**{name: getattr(agent, name) for name in names}, "added_at": format_micros(agent.added_at)}
                for agent in agents
            ]
        )
    elif agents:
        rows = [[agent.agent_id, agent.name, agent.business_id, format_micros(agent.added_at)] for agent in agents]
        say_table(["AGENT", "NAME", "BUSINESS ID", "ADDED"], rows)
    else:
        note(
            f"{brand.brand_id} takes requests from no agent. Register one: sayso-server agent add AGENT_ID --key BASE64"
        )
    return 0


async def _remove(args: argparse.Namespace) -> int:
    async with opened(args.database) as bench:
        brand = await bench.brand(args.brand)
        now = bench.clock.now()
        if not await bench.services.agents.remove(brand.brand_id, args.agent_id, by=_OPERATOR, now=now):
            see = f"see: sayso-server agent list --brand {brand.brand_id}"
            raise CommandError(f"{brand.brand_id} has no agent {args.agent_id!r}; {see}")
    say(f"{args.agent_id} is removed")
    return 0
