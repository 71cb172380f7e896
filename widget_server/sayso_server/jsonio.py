"""JSON in and out: strict where it comes from outside, fast where it is our own.

orjson comes with the `server` extra and is used where it is there: it encodes a
24-topic snapshot about ten times faster.
"""

import json
import math
import re
from typing import Any

from sayso.wire import MAX_DEPTH, Code

try:
    import orjson
except ImportError:  # the base install, as the test kit uses it

    def dumps(value: object) -> bytes:
        """Encode as compact UTF-8."""
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    def loads(data: bytes) -> Any:
        """Decode what Sayso itself wrote."""
        return json.loads(data)

else:

    def dumps(value: object) -> bytes:
        """Encode as compact UTF-8."""
        try:
            return orjson.dumps(value)
        except TypeError:
            # A whole number beyond 64 bits, which a device report may hold anywhere.
            return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    def loads(data: bytes) -> Any:
        """Decode what Sayso itself wrote; a whole number beyond 64 bits may come back rounded."""
        try:
            return orjson.loads(data)
        except orjson.JSONDecodeError:
            # orjson takes no number beyond 1.8e308, and what was recorded must stay readable whatever it says.
            return json.loads(data)


_ANY_DIGIT = bytes.maketrans(b"123456789", b"0" * 9)
_NEARLY_64_BITS = b"0" * 19


def loads_exactly(data: bytes) -> Any:
    """Decode what was sent and kept as it was, whole numbers beyond 64 bits included; orjson would round them."""
    # A refusal may claim any version and a device any value, yet hardly any does, and this costs little to tell.
    return json.loads(data) if _NEARLY_64_BITS in data.translate(_ANY_DIGIT) else loads(data)


class BadJsonError(ValueError):
    """The bytes are not the JSON that Sayso reads; `code` says why."""

    def __init__(self, code: Code, message: str) -> None:
        """Keep the code for the answer."""
        super().__init__(message)
        self.code = code


def parse_strictly(body: bytes) -> Any:
    """Decode JSON from outside: UTF-8, no duplicate members, no NaN or Infinity (nor 1e999), at most 16 levels deep.

    Two readers of one document must never understand different things (RFC 8259 §4 leaves duplicates open), so doubt
    is refused.

    Raises:
        BadJsonError: With the code of what is wrong.
    """
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        raise BadJsonError(Code.INVALID_UTF8, "the body is not UTF-8; encode it as UTF-8") from None
    if _might_be_too_deep(body) and _depth(body) > MAX_DEPTH:
        raise BadJsonError(Code.TOO_DEEP, f"the body is nested more than {MAX_DEPTH} levels deep")
    try:
        value = _DECODER.decode(text)
    except BadJsonError:
        raise
    except (ValueError, RecursionError) as error:
        where = f" at line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        raise BadJsonError(Code.MALFORMED_JSON, f"the body is not JSON{where}") from None
    if _ESCAPED_SURROGATE.search(body):
        _refuse_half_pairs(value)
    return value


def _unique_members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise BadJsonError(Code.DUPLICATE_MEMBER, f"the member {twice[:64]!r} is there twice; send it once")
    return members


def _no_constant(name: str) -> Any:
    raise BadJsonError(Code.NOT_A_NUMBER, f"{name} is not JSON; send a number or leave the member out")


def _finite(text: str) -> float:
    number = float(text)
    if math.isinf(number):
        # JSON allows it (RFC 8259 §6), but as infinity it could not be written down again.
        raise BadJsonError(Code.NOT_A_NUMBER, "a number is too large; send one below 1.8e308")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_members, parse_constant=_no_constant, parse_float=_finite)


_ESCAPED_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _refuse_half_pairs(value: object) -> None:
    # JSON can escape half a surrogate pair, which is no character and has no UTF-8 (RFC 8259 §8.2).
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadJsonError(
            Code.MALFORMED_JSON, "the body escapes half a surrogate pair; send whole characters"
        ) from None


def _might_be_too_deep(body: bytes) -> bool:
    return body.count(b"{") + body.count(b"[") > MAX_DEPTH


# Possessive, and an open end counts as closed, so that no text makes it look twice at the same place.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.?)*+(?:"|\Z)', re.DOTALL)
_ALL_BUT_BRACKETS = bytes(set(range(256)) - set(b"{}[]"))


def _depth(body: bytes) -> int:
    """Give the deepest nesting, or the first that is too deep; brackets inside strings don't count."""
    deepest = depth = 0
    for byte in _STRING.sub(b"", body).translate(None, _ALL_BUT_BRACKETS):
        if byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
            if deepest > MAX_DEPTH:
                break
        else:
            depth -= 1
    return deepest
