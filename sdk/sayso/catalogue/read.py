"""Catalogues from files and from Python."""

import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import ValidationError

from sayso.catalogue.toml_terms import in_toml_terms
from sayso.errors import CatalogueError, CatalogueProblem
from sayso.model.catalogue import Catalogue

LARGEST_FILE: Final = 1_048_576
"""Bytes; a catalogue of 500 topics in three languages takes a third of it."""


def read_catalogue(source: str | os.PathLike[str] | bytes) -> Catalogue:
    """Read a catalogue from TOML.

    This checks shape and types. Whether the catalogue may be published is for `sayso.catalogue.lint` to say.

    Args:
        source: A path; or the TOML itself, as bytes or as a string of more than one line. At most 1 MiB.

    Returns:
        The catalogue, with the topics of its partners' flows.

    Raises:
        CatalogueError: It can't be read; `found` names table and key of everything that is wrong.
    """
    content = _content(source)
    if len(content) > LARGEST_FILE:
        raise CatalogueError("The catalogue is larger than 1 MiB; shorten its texts or split the brand.")
    try:
        tables = tomllib.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise CatalogueError(f"The catalogue is not UTF-8 text (byte {error.start}).") from None
    except tomllib.TOMLDecodeError as error:
        raise CatalogueError(f"The catalogue is not TOML: {error}.") from None
    except RecursionError:
        raise CatalogueError("The catalogue is nested too deeply.") from None
    return catalogue_from_python(tables)


def catalogue_from_python(tables: Mapping[str, Any]) -> Catalogue:
    """Make a catalogue from the tables of a file: nested dicts with strings, numbers, booleans and lists.

    Args:
        tables: `{"languages": ["en"], "topics": {"purpose:marketing": {"basis": "consent", …}}, …}`.

    Returns:
        The catalogue, with the topics of its partners' flows.

    Raises:
        CatalogueError: Something is missing, unknown or of the wrong type; `found` names table and key.
    """
    if "history" in tables:
        problem = CatalogueProblem("history", "", "is kept by the server, which counts it anew; take it out")
        raise CatalogueError("The catalogue can't be read:", found=(problem,))
    try:
        catalogue = Catalogue.model_validate(dict(tables))
    except ValidationError as error:
        found = in_toml_terms(error)
        raise CatalogueError("The catalogue can't be read:", found=found) from None
    if catalogue.time_zone is not None:
        _check_zone(catalogue.time_zone)
    return catalogue


def _check_zone(name: str) -> None:
    """Refuse a time zone that this machine knows nothing of. It looks for a file, which a model never does."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        message = f"{name!r} is no time zone; write one like America/Los_Angeles or Europe/Paris"
        problem = CatalogueProblem("", "time_zone", message)
        raise CatalogueError("The catalogue can't be read:", found=(problem,)) from None


def _content(source: str | os.PathLike[str] | bytes) -> bytes:
    if isinstance(source, bytes):
        return source
    if isinstance(source, str) and "\n" in source:
        return source.encode()
    try:
        with Path(source).open("rb") as file:
            return file.read(LARGEST_FILE + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise CatalogueError(f"The catalogue {os.fspath(source)!r} can't be opened: {reason}.") from error
