"""Age signals of operating systems and shops, read into bands. Whatever else a payload holds is never kept.

Apple's Declared Age Range, Google's Play Age Signals, and the four brackets of California's AB 1043 (in force from
2027-01-01, when whoever receives a bracket knows it). Who declared a range, the person or a guardian, is kept as the
method; the source stays the operating system's.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

OLDEST: Final = 130
_ADULT: Final = 18


class AgeBand(NamedTuple):
    """What a signal says: at least `lower` and at most `upper` completed years; None for no such bound."""

    lower: int | None
    upper: int | None
    method: str


# AB 1043, Civil Code §1798.500: under 13, 13 to 15, 16 to 17, 18 and over.
_BRACKETS: Final[Mapping[str, tuple[int | None, int | None]]] = {
    "<13": (0, 12),
    "0-12": (0, 12),
    "under13": (0, 12),
    "13-15": (13, 15),
    "16-17": (16, 17),
    "18+": (18, None),
    ">=18": (18, None),
    "18orover": (18, None),
    "18andover": (18, None),
}
_KNOWN: Final[Mapping[str, tuple[str, ...]]] = {
    "apple": ("lowerBound", "upperBound", "ageRangeDeclaration", "activeParentalControls"),
    "google": ("userStatus", "ageLower", "ageUpper", "mostRecentApprovalDate", "installId"),
    "ab1043": ("bracket",),
}
_SUPERVISED: Final = ("SUPERVISED", "SUPERVISED_APPROVAL_PENDING", "SUPERVISED_APPROVAL_DENIED")


def read_age_signal(platform: str, payload: Mapping[str, Any] | str | None) -> AgeBand:
    """Read a signal into a band.

    Args:
        platform: `apple`, `google` or `ab1043`.
        payload: `apple`: `{"lowerBound": 16, "upperBound": 17, "ageRangeDeclaration": "guardianDeclared"}`; or
            `"declinedSharing"`, None or `{}` of somebody who shares nothing. `google`: `{"userStatus": "SUPERVISED",
            "ageLower": 13, "ageUpper": 15}`. `ab1043`: the bracket, such as `"13-15"`.

    Returns:
        The band; without bounds where the person shares nothing or nobody knows.

    Raises:
        ValueError: It is no such payload, or has a key that is none of the platform's: an age written under another
            name would pass for none. The message says what was expected, and repeats nothing of it.
    """
    if isinstance(payload, Mapping):
        _check_keys(platform, payload)
    match platform:
        case "apple":
            return _apple(payload)
        case "google":
            return _google(payload)
        case "ab1043":
            return _bracket(payload)
    raise ValueError("the platform is apple, google or ab1043")


def _check_keys(platform: str, payload: Mapping[str, Any]) -> None:
    known = _KNOWN.get(platform)
    if known is not None and any(key not in known for key in payload):
        raise ValueError(f"a payload of {platform} has a key that nobody knows; known are {', '.join(known)}")


def _apple(payload: Mapping[str, Any] | str | None) -> AgeBand:
    if payload is None or payload == "declinedSharing":
        return AgeBand(None, None, "apple declinedSharing")
    if not isinstance(payload, Mapping):
        raise ValueError('Apple\'s answer is declinedSharing, or has "lowerBound" and "upperBound"')
    declared = payload.get("ageRangeDeclaration")
    lower, upper = _bounds(payload, "lowerBound", "upperBound")
    if lower is None and upper is None:
        if any(said is not None for said in payload.values()):
            raise ValueError('what was shared has "lowerBound" or "upperBound"; who declines gives declinedSharing')
        return AgeBand(None, None, "apple declinedSharing")
    return AgeBand(lower, upper, f"apple {_word(declared)}")


def _google(payload: Mapping[str, Any] | str | None) -> AgeBand:
    if not isinstance(payload, Mapping):
        raise ValueError('Google\'s answer has "userStatus", "ageLower" and "ageUpper"')
    status = payload.get("userStatus")
    lower, upper = _bounds(payload, "ageLower", "ageUpper")
    method = f"google {_word(status)}"
    if status == "VERIFIED" and lower is None and upper is None:
        return AgeBand(_ADULT, None, method)  # the shop verifies adults only
    if status in _SUPERVISED and upper is None:
        # A supervised account is a child's, whatever its lower bound becomes with the years.
        return AgeBand(lower if lower is not None and lower < _ADULT else None, _ADULT - 1, method)
    return AgeBand(lower, upper, method)


def _bracket(payload: Mapping[str, Any] | str | None) -> AgeBand:
    written = payload.get("bracket") if isinstance(payload, Mapping) else payload
    text = "" if not isinstance(written, str) else written.lower().replace("–", "-")
    known = _BRACKETS.get("".join(text.replace("_", "").split()))
    if known is None:
        raise ValueError("a bracket is <13, 13-15, 16-17 or 18+")
    return AgeBand(*known, "ab1043")


def _bounds(payload: Mapping[str, Any], low: str, high: str) -> tuple[int | None, int | None]:
    lower, upper = (_years(payload.get(name), name) for name in (low, high))
    if lower is not None and upper is not None and lower > upper:
        raise ValueError(f"{low} is at most {high}: a band reads from young to old")
    return lower, upper


def _years(value: object, name: str) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= OLDEST:
        raise ValueError(f"{name} is a whole number of years from 0 to {OLDEST}")
    return value


def _word(value: object) -> str:
    # Their words are short and plain; anything else could be somebody's name.
    known = isinstance(value, str) and value.isascii() and value.replace("_", "").isalpha() and len(value) <= 40  # noqa: PLR2004 - a length
    return str(value) if known else "unknown"
