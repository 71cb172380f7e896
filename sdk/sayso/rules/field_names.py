"""Names of fields as a disclosure keeps them: few, short, and without data that stood where a name belongs."""

import re
from collections.abc import Iterable
from typing import Final

from sayso.model.disclosure import LONGEST_FIELD, MOST_FIELDS

_HIDDEN: Final = "*"
_LONGEST_STEP: Final = 60
# A table whose keys are e-mail addresses, phone numbers or ids has data for names.
_NAME: Final = re.compile(r"[^\W\d][\w:-]*")
_NUMBER: Final = re.compile(r"[0-9]{4}")
_ADDRESS: Final = re.compile(r"[^.]@")


def names_to_disclose(names: Iterable[str]) -> tuple[str, ...]:
    """Give names of fields as they may be kept and shown, each once.

    A step that doesn't look like a name (`+1 415 555 0100`, anything with four digits in a row) becomes `*`, and so
    does a whole name with an e-mail address in it, whose dots look like steps. A name of more than 200 characters ends
    in `*` earlier. Of more than 200 names, so do the deepest; if that is not enough, `*` stands for those left over.

    Args:
        names: Dotted names, such as `customer.contact.email`.
    """
    paths = dict.fromkeys(map(_path, names))
    deepest = max(map(len, paths), default=0)
    while deepest > 1 and len(paths) > MOST_FIELDS:
        deepest -= 1
        paths = dict.fromkeys(path if len(path) <= deepest else (*path[:deepest], _HIDDEN) for path in paths)
    kept = [".".join(path) for path in paths]
    return tuple(kept) if len(kept) <= MOST_FIELDS else tuple(dict.fromkeys((*kept[: MOST_FIELDS - 1], _HIDDEN)))


def _path(name: str) -> tuple[str, ...]:
    if _ADDRESS.search(name):
        return (_HIDDEN,)
    steps = tuple(map(_step, name.split(".")))
    length = 0
    for place, step in enumerate(steps):
        length += len(step) + 1
        if length > LONGEST_FIELD - 1:
            return (*steps[:place], _HIDDEN)
    return steps


def _step(step: str) -> str:
    plain = len(step) <= _LONGEST_STEP and _NAME.fullmatch(step) and not _NUMBER.search(step)
    return step if plain else _HIDDEN
