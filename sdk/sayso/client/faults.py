"""Errors that the client finds by itself, in the words that the server would use."""

from collections.abc import Callable
from datetime import datetime

from sayso.errors import InvalidError, Problem, UnavailableError
from sayso.model.ids import IdError, check_consumer_id, check_id
from sayso.model.instant import Micros, parse_instant, to_micros
from sayso.wire import Code


def invalid(pointer: str, code: Code | str, message: str) -> InvalidError:
    """Make the error for one wrong argument; `pointer` names the member it would become."""
    return InvalidError(f"{pointer}: {message}", code=str(code), problems=(Problem(pointer, str(code), message),))


def checked_consumer_id(value: str) -> str:
    """Give the id back if it may name a consumer.

    Raises:
        InvalidError: It may not; the message says what to do and never repeats the id.
    """
    return _checked("/consumer_id", value, check_consumer_id)


def checked_device_id(value: str) -> str:
    """Give the id back if it may name a device.

    Raises:
        InvalidError: It may not.
    """
    return _checked("/device_id", value, check_id)


def _checked(pointer: str, value: object, check: Callable[[str], str]) -> str:
    if not isinstance(value, str):
        raise invalid(pointer, Code.WRONG_TYPE, "an id is a text")
    try:
        return check(value)
    except IdError as error:
        raise invalid(pointer, error.code, str(error)) from None


def checked_micros(pointer: str, moment: datetime) -> Micros:
    """Give an aware datetime in microseconds.

    Raises:
        InvalidError: It is naive.
    """
    try:
        return to_micros(moment)
    except ValueError as error:
        raise invalid(pointer, Code.NAIVE_TIME, str(error)) from None


class _Reading:
    __slots__ = ()

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None and issubclass(kind, (KeyError, TypeError, ValueError, AttributeError, IndexError)):
            raise UnavailableError(
                "what answered is not a Sayso server, or a broken one; check SAYSO_URL and the proxies on the way",
                code="not_sayso",
            ) from None


_READING = _Reading()


def reading() -> _Reading:
    """Turn an answer that lacks what every Sayso server sends into an outage: it tells nothing to rely on.

    Used as `with reading():`. No generator, since every call to the server passes here.
    """
    return _READING


def time_or_none(text: str | None) -> Micros | None:
    """Read a time of the wire that may be missing."""
    return None if text is None else parse_instant(text)
