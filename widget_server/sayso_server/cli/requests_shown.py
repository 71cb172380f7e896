"""How `sayso-server requests` shows requests to people."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any

from sayso_server.cli.output import note, say, say_table


def say_page(entries: Iterable[Mapping[str, Any]], if_none: str, zone: tzinfo) -> None:
    """Print a table of requests, with the days of the brand's calendar, or on stderr that there are none."""
    rows = [
        (
            entry["id"],
            entry["kind"],
            entry["state"],
            entry["consumer_id"] or "unknown",
            _day(entry["due_at"], zone),
            _left(entry["days_left"]),
            entry["held_by"],
        )
        for entry in entries
    ]
    if not rows:
        note(if_none)
        return
    say_table(("REQUEST", "KIND", "STATE", "CONSUMER", "DUE", "LEFT", "HELD BY"), rows)


def say_request(entry: Mapping[str, Any], zone: tzinfo, brand_id: str) -> None:
    """Print one request with all that was done, with the days of the brand's calendar."""
    deadlines = entry["deadlines"]
    lines = [
        ("request", entry["id"]),
        ("kind", entry["kind"]),
        ("state", entry["state"]),
        ("consumer", entry["consumer_id"] or "unknown"),
        ("received", f"{_day(entry['received_at'], zone)} by {entry['channel']}"),
        ("due", f"{_day(entry['due_at'], zone)}  {_left(entry['days_left'])}".strip()),
        ("laws", f"{', '.join(deadlines['laws'])}; {deadlines['set_by']} sets the date"),
        ("held by", entry["held_by"]),
        ("verified", entry.get("verified", {}).get("how", "not yet")),
        *((name, str(value)) for name, value in entry["contact"].items()),
        *((name, _words(value)) for name, value in entry["detail"].items()),
        *((name, _words(value)) for name, value in entry["effects"].items() if name != "version"),
        ("answer", entry.get("answer", "")),
        ("the zip", _result(entry, zone, brand_id)),
        ("denial", entry.get("denial", {}).get("words", "")),
        ("recourse", "" if "denial" in entry else entry["recourse"]["words"]),
        ("you can", ", ".join(entry["legal"]) or "do nothing more"),
    ]
    width = max(len(name) for name, _ in lines)
    for name, value in lines:
        if value:
            # Somebody's own line breaks begin no line that looks like ours.
            say(f"{name:<{width}}  {value.replace(chr(10), chr(10) + ' ' * (width + 2))}")
    for event in entry["events"]:
        said = [str(event[name]) for name in ("ask", "verified", "reason", "held_by", "told", "note") if name in event]
        by = event["by"].get("staff", event["by"]["class"])
        say(f"{event['at'][:16]}  {event['transition']} by {by}{': ' if said else ''}{'; '.join(said)}")


def _result(entry: Mapping[str, Any], zone: tzinfo, brand_id: str) -> str:
    """Say how what is held is fetched, where that is the answer and is there still."""
    until = entry.get("result_until")
    if until is None or entry["consumer_id"] is None or datetime.fromisoformat(until) <= datetime.now(UTC):
        return ""
    return (
        f"sayso-server requests result {entry['id']} --brand {brand_id} --out your-data.zip, "
        f"until {_day(until, zone)}; consumers fetch their own at /v1/me/requests/{entry['id']}/result"
    )


def _day(moment: str | None, zone: tzinfo) -> str:
    return "" if moment is None else datetime.fromisoformat(moment).astimezone(zone).date().isoformat()


def _left(days: int | None) -> str:
    if days is None:
        return ""
    if days < 0:
        return f"{-days} days late" if days != -1 else "1 day late"
    return "1 day" if days == 1 else f"{days} days"


def _words(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {state}" for name, state in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
