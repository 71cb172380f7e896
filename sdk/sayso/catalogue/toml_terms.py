"""Says in the words of a TOML file what pydantic says about our classes."""

import difflib
import types
from enum import Enum
from typing import Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from sayso.catalogue.finding import dotted
from sayso.errors import CatalogueProblem
from sayso.model.catalogue import Catalogue

# Written as tables of their own in a file, though they hold plain values.
_PLAIN_TABLES: Final = frozenset({"fields", "restricted"})

_MOST_SHOWN: Final = 60
_WANTED: Final = {
    "bool_type": "must be true or false",
    "int_type": "must be a whole number",
    "string_type": "must be a text in quotes",
    "too_short": "must not be empty",
    "string_too_short": "must not be empty",
    "tuple_type": "must be a list in square brackets",
    "dict_type": "must be a table",
    "model_type": "must be a table",
    "date_type": "must be a date such as 2026-01-31",
    "date_parsing": "must be a date such as 2026-01-31",
    "date_from_datetime_parsing": "must be a date such as 2026-01-31",
    "date_from_datetime_inexact": "must be a date such as 2026-01-31",
}


def in_toml_terms(error: ValidationError) -> tuple[CatalogueProblem, ...]:
    """Name table, key and remedy of everything that a validation found.

    Args:
        error: From validating a `Catalogue`.

    Returns:
        One problem for each, in the order found.
    """
    found = error.errors(include_url=False)
    faulty = {details["loc"][:-1] for details in found}
    # A list whose only entry is wrong is also reported as empty, which would send the reader astray.
    return tuple(
        _problem(details) for details in found if details["type"] != "too_short" or details["loc"] not in faulty
    )


def _problem(details: ErrorDetails) -> CatalogueProblem:
    path = tuple(step for step in details["loc"] if step != "[key]")
    if len(path) == 3 and path[0] in ("topics", "partners") and path[2] == "key":  # noqa: PLR2004 - the table's own name
        path = path[:2]
    if len(path) == 1 and isinstance(details["input"], dict):
        table, key = dotted(*map(str, path)), ""
    else:
        table, key = _table_and_key(path)
    return CatalogueProblem(table, key, _message(details, path))


def _table_and_key(path: tuple[int | str, ...]) -> tuple[str, str]:
    """Split a path where a person would: at the last name that is a table of the file."""
    split = 0
    for end in range(1, len(path) + 1):
        if _is_table(path[:end]) or path[end - 1] in _PLAIN_TABLES:
            split = end
    key = ""
    for step in path[split:]:
        if isinstance(step, int):
            key += f"[{step}]"
        else:
            key += ("." if key else "") + dotted(step)
    return dotted(*map(str, path[:split])), key


def _is_table(path: tuple[int | str, ...]) -> bool:
    """Tell whether a path leads to a table, or to a family of them such as `topics`."""
    annotation = _annotation_at(path)
    return _is_model(annotation) or (get_origin(annotation) is dict and _is_model(get_args(annotation)[1]))


def _model_at(path: tuple[int | str, ...]) -> type[BaseModel] | None:
    """Find which model describes the table at a path, if it is one."""
    annotation = _annotation_at(path)
    return annotation if _is_model(annotation) else None


def _is_model(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _annotation_at(path: tuple[int | str, ...]) -> Any:
    annotation: Any = Catalogue
    for step in path:
        if _is_model(annotation):
            field = annotation.model_fields.get(str(step))
            if field is None:
                return None
            annotation = _without_none(field.annotation)
        elif get_origin(annotation) is dict:
            annotation = _without_none(get_args(annotation)[1])
        else:
            return None
    return annotation


def _without_none(annotation: Any) -> Any:
    if get_origin(annotation) in (Union, types.UnionType):
        return next(arg for arg in get_args(annotation) if arg is not type(None))
    return annotation


def _message(details: ErrorDetails, path: tuple[int | str, ...]) -> str:
    kind = details["type"]
    if kind == "value_error":
        return str(details["ctx"]["error"])
    if kind == "missing":
        return "is missing" + _choices(path)
    if kind == "extra_forbidden":
        return _unknown_key(path)
    if kind == "tuple_type" and "fields" in path and isinstance(details["input"], dict):
        return "must be a list of topics; a path with dots stands in quotes"
    got = _shown(details["input"])
    if kind == "enum":
        return f"must be one of {_listed(details['ctx']['expected'])}, not {got}"
    wanted = _WANTED.get(kind)
    if wanted is None:
        wanted = details["msg"].replace("Input should", "must").replace("String should", "must")
    return wanted if kind.endswith("too_short") else f"{wanted}, not {got}"


def _unknown_key(path: tuple[int | str, ...]) -> str:
    model = _model_at(path[:-1])
    known = [name for name in (model.model_fields if model else {}) if name != "key"]
    near = difflib.get_close_matches(str(path[-1])[:_MOST_SHOWN], known, n=1)
    if near:
        return f"is not known here; did you mean `{near[0]}`?"
    return f"is not known here; take it out, or use one of {', '.join(known)}"


def _choices(path: tuple[int | str, ...]) -> str:
    model = _model_at(path[:-1])
    field = model.model_fields.get(str(path[-1])) if model else None
    annotation = field.annotation if field else None
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return f"; write one of {', '.join(str(member.value) for member in annotation)}"
    return "; write it"


def _listed(expected: str) -> str:
    return expected.replace("'", "").replace(" or ", ", ")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= _MOST_SHOWN else text[:_MOST_SHOWN] + "…"
