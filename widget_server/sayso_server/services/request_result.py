"""The answer to a request for a copy: a zip of everything held, for programs, for a spreadsheet and to read.

It is made in memory and leaves no file behind on the server.
"""

import csv
import io
import zipfile
from collections.abc import Iterable, Sequence
from typing import Any, Final

from sayso_server.jsonio import dumps, loads_exactly
from sayso_server.services.request_page import Names, page_of

_NO_NAMES: Final = Names({}, {})
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_CHOICES: Final = (
    "topic",
    "answer",
    "made_at",
    "recorded_at",
    "method",
    "actor",
    "version",
    "expires_at",
    "linked_from",
    "notice_version",
    "notice_language",
)
_PREFERENCES: Final = ("topic", "allowed", "reason", "answer", "made_at", "expires_at")
_DISCLOSURES: Final = ("at", "partner", "flow", "answer", "fields_sent", "fields_held_back")
_REQUESTS: Final = ("received_at", "kind", "state", "closed_at")
_WHEN: Final = (1980, 1, 1, 0, 0, 0)  # the earliest a zip knows: nobody's clock is told


def make_result(export: bytes, *, language: str, names: Names = _NO_NAMES) -> bytes:
    """Give the zip.

    Args:
        export: Everything held, as `Reading.export` gives it.
        language: What the page to read is written in: `en`, `es` or `fr`, else English.
        names: What the brand calls its topics and partners.

    Returns:
        `sayso.json` with all of it; `preferences.csv`, `choices.csv`, `disclosures.csv` and `requests.csv`;
        `index.html` to read. Names of staff are left out.
    """
    held = loads_exactly(export)
    held["changes"] = [_without_staff(change) for change in held["changes"]]
    held["linked_from"] = {name: [_without_staff(one) for one in said] for name, said in held["linked_from"].items()}
    held["disclosures"] = [_without_staff(one) for one in held["disclosures"]]
    held["requests"] = [_without_staff(one) for one in held["requests"]]
    before = [{"linked_from": name, **one} for name, said in held["linked_from"].items() for one in said]
    choices = [change for change in [*held["changes"], *before] if change["kind"] == "choice"]
    topics = [{"topic": key, **said} for key, said in held["preferences"]["topics"].items()]
    files = {
        "index.html": page_of(held, topics=topics, choices=choices, language=language, names=names).encode(),
        "sayso.json": dumps(held),
        "preferences.csv": _csv(_PREFERENCES, topics),
        "choices.csv": _csv(_CHOICES, map(_with_notice, choices)),
        "disclosures.csv": _csv(_DISCLOSURES, held["disclosures"]),
        "requests.csv": _csv(_REQUESTS, held["requests"]),
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(zipfile.ZipInfo(name, _WHEN), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


def _with_notice(choice: dict[str, Any]) -> dict[str, Any]:
    notice = choice.get("notice", {})
    return {**choice, "notice_version": notice.get("version"), "notice_language": notice.get("language")}


def _without_staff(entry: dict[str, Any]) -> dict[str, Any]:
    shown = dict(entry)
    for name in ("recorded_by", "filed_by"):
        if name in shown:
            shown[name] = {key: value for key, value in shown[name].items() if key != "staff"}
    if "events" in shown:
        shown["events"] = [
            {name: value for name, value in event.items() if name not in ("by", "note")} for event in shown["events"]
        ]
    shown.pop("verified", None)
    if "barred_by" in shown.get("denial", ()):
        # Where a law bars giving the grounds, the reason would give them away.
        shown["denial"] = {name: value for name, value in shown["denial"].items() if name != "reason"}
    return shown


def _csv(columns: Sequence[str], rows: Iterable[dict[str, Any]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # RFC 4180
    writer.writerow(columns)
    writer.writerows([[_cell(row.get(name)) for name in columns] for row in rows])
    # With the mark by which a spreadsheet knows UTF-8.
    return text.getvalue().encode("utf-8-sig")


def _cell(value: object) -> str:
    """Give a value as a spreadsheet may open it: a text that it would run as a formula starts with an apostrophe."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "; ".join(map(str, value)) if isinstance(value, list) else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
