"""Rights requests in the words of the Data Rights Protocol 1.0 (Consumer Reports): both ways, as plain maps.

What has no counterpart: opting back in to a sale, which takes the consumer's own answer to a notice, and correcting,
restricting or objecting, for which the protocol has no words.
"""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from pydantic import ValidationError

from sayso.model.deadline import RequestKind
from sayso.model.instant import from_micros, parse_instant
from sayso.model.request import DenialReason, NewRequest, RequestChannel, RequestState

VERSIONS: Final = frozenset({"1.0", "0.9.3", "0.9.4"})
"""Of the protocol; what they differ in does not concern these messages."""

EXERCISES: Final[Mapping[str, RequestKind]] = MappingProxyType(
    {
        "access": RequestKind.ACCESS,
        "access:categories": RequestKind.ACCESS,
        "access:specific": RequestKind.ACCESS,
        "deletion": RequestKind.DELETE,
        "sale:opt-out": RequestKind.SALE_OPT_OUT,
        "sale:opt_out": RequestKind.SALE_OPT_OUT,  # so spelt in section 3.01
    }
)
"""Which kind each right is (section 3.01)."""

REGIMES: Final[Mapping[str | None, str | None]] = MappingProxyType({"ccpa": "US-CA", "voluntary": None, None: None})
"""Where a request under each regime comes from; None leaves it to the address."""

STATUSES: Final[Mapping[RequestState, tuple[str, str | None]]] = MappingProxyType(
    {
        RequestState.RECEIVED: ("open", None),
        RequestState.ACKNOWLEDGED: ("in_progress", None),
        RequestState.AWAITING_VERIFICATION: ("in_progress", "need_user_verification"),
        RequestState.IN_PROGRESS: ("in_progress", None),
        RequestState.EXTENDED: ("in_progress", None),
        RequestState.FULFILLED: ("fulfilled", None),
        RequestState.DENIED: ("denied", None),  # with the reason of the denial
        RequestState.REVOKED: ("revoked", None),
        RequestState.EXPIRED: ("expired", None),
    }
)
"""Status and reason of each state (section 3.02)."""

_LONGEST = 500
_SHORT = 200
_ATTESTED = ("email", "phone_number", "address")
_CLAIM_OF = {"name": "name", "email": "email", "phone": "phone_number", "address": "address"}
_CALLBACK = re.compile(r"https://[^\s/?#@]+(?:[/?#]\S*)?")
_COUNTRY = re.compile(r"[A-Z]{2}")
_PART = re.compile(r"[A-Z0-9]{1,3}")


class DrpError(ValueError):
    """A message is signed well and asks for what can't be done; the text says what, and quotes nothing personal."""


def to_request(claims: Mapping[str, Any], request_id: str) -> NewRequest:
    """Make a request of an agent's message.

    What the agent attests (`email_verified` and so on) is passed on in words: how far it is relied on is the brand's
    to decide (section 3.04).

    Args:
        claims: Of a message that passed every check.
        request_id: A UUID under which it is filed.

    Raises:
        DrpError: A claim is missing or unknown, or there is nothing by which the consumer could be found.
    """
    version = claims.get("drp.version")
    if version not in VERSIONS:
        raise DrpError(f"drp.version: send one of {', '.join(sorted(VERSIONS))}")
    exercise = claims.get("exercise")
    kind = EXERCISES.get(exercise) if isinstance(exercise, str) else None
    if kind is None:
        raise DrpError(f"exercise: this rights action is not supported; supported are {', '.join(EXERCISES)}")
    regime = claims.get("regime")
    if not isinstance(regime, str | None) or regime not in REGIMES:
        raise DrpError("regime: send ccpa or voluntary, or leave it out")
    address = claims.get("address")
    contact = {
        "name": claims.get("name"),
        "email": claims.get("email"),
        "phone": claims.get("phone_number"),
        "address": _address(address),
    }
    filed = {
        "id": request_id,
        "kind": kind,
        "channel": RequestChannel.DRP,
        "jurisdiction": REGIMES[regime] or _place(address),
        "contact": {name: value for name, value in contact.items() if value is not None},
        "detail": {"text": _in_words(claims, str(exercise))},
    }
    try:
        return NewRequest.model_validate(filed)
    except ValidationError as error:
        names = {_claim(detail["loc"]) for detail in error.errors(include_input=False, include_url=False)}
        raise DrpError(f"{', '.join(sorted(names))}: the value does not fit") from None


def agent_request_id(claims: Mapping[str, Any]) -> str | None:
    """Give the agent's own id of the request, if it has one.

    Raises:
        DrpError: It is no text of 1 to 200 characters.
    """
    value = claims.get("agent-request-id")
    if value is not None and not (isinstance(value, str) and 0 < len(value) <= _SHORT):
        raise DrpError(f"agent-request-id: send a text of at most {_SHORT} characters")
    return value


def status_callback(claims: Mapping[str, Any]) -> str | None:
    """Give the address to which the agent wants news, if it wants any.

    Raises:
        DrpError: It is no https address.
    """
    value = claims.get("status_callback")
    if value is not None and not (isinstance(value, str) and len(value) <= _LONGEST and _CALLBACK.fullmatch(value)):
        raise DrpError("status_callback: send an https address")
    return value


def to_status(
    request: Mapping[str, Any], *, agent_request_id: str | None, verification_url: str | None
) -> dict[str, Any]:
    """Give the Exercise Status of a request (section 3.03). Times end in `+00:00`, which any ISO 8601 reader takes.

    There is no `results_url`: what is held goes to the consumer, not to whoever asks in their name.

    Args:
        request: As `GET /v1/requests/{id}` gives it.
        agent_request_id: The agent's own id, if it sent one.
        verification_url: A page on which the consumer can show who they are.
    """
    status, reason = STATUSES[RequestState(request["state"])]
    denial, extension = request.get("denial"), request.get("extension")
    expires = None
    if status == "denied" and denial is not None:
        reason = DenialReason(denial.get("reason", DenialReason.OTHER)).value  # a law may bar giving it
    answer = {
        "request_id": request["id"],
        "received_at": _time(request["received_at"]),
        "expected_by": _time((extension or {}).get("until") or request["deadlines"]["respond_by"]),
        "status": status,
        "reason": reason,
    }
    if agent_request_id is not None:
        answer["agent_request_id"] = agent_request_id
    if details := _details(request):
        answer["processing_details"] = details
    if reason == "need_user_verification":
        answer["user_verification_url"] = verification_url
        expires = request.get("verify_until")
    if expires is not None:
        answer["expires_at"] = _time(expires)
    return answer


def _details(request: Mapping[str, Any]) -> str | None:
    match request["state"]:
        case RequestState.DENIED if request.get("denial"):
            return str(request["denial"]["words"])
        case RequestState.EXTENDED if request.get("extension"):
            return str(request["extension"]["reason"])
        case RequestState.FULFILLED:
            return request.get("answer") or "The answer goes to the consumer."
        case RequestState.AWAITING_VERIFICATION:
            asked = [event["ask"] for event in request.get("events", ()) if event.get("ask")]
            return asked[-1] if asked else "The consumer is asked to show who they are."
    return None


def _in_words(claims: Mapping[str, Any], exercise: str) -> str:
    attested = [name for name in _ATTESTED if claims.get(f"{name}_verified") is True and claims.get(name)]
    said = [f"Data Rights Protocol: {exercise}.", f"Verified by the agent: {', '.join(attested) or 'nothing'}."]
    relationships = claims.get("relationships")
    if isinstance(relationships, list):
        named = ", ".join(one[:_SHORT] for one in relationships[:10] if isinstance(one, str))
        said.append(f"Relationships: {named}.")
    if isinstance(power := claims.get("power_of_attorney"), str):
        said.append(f"Power of attorney: {power[:_LONGEST]}")
    return " ".join(said)


def _address(value: object) -> object:
    """Give a postal address in lines; what is neither text nor an OpenID address is left for the model to refuse."""
    if not isinstance(value, Mapping):
        return value
    if value.get("formatted"):
        return value["formatted"]
    city = " ".join(str(value[name]) for name in ("postal_code", "locality") if value.get(name))
    lines = [value.get("street_address"), city, value.get("region"), value.get("country")]
    return "\n".join(str(line) for line in lines if line) or None


def _place(address: object) -> str | None:
    if not isinstance(address, Mapping):
        return None
    country, part = str(address.get("country", "")).upper(), str(address.get("region", "")).upper()
    if not _COUNTRY.fullmatch(country):
        return None
    return f"{country}-{part}" if _PART.fullmatch(part) else country


def _claim(place: tuple[int | str, ...]) -> str:
    return _CLAIM_OF.get(str(place[-1]), "the message")


def _time(written: str) -> str:
    return from_micros(parse_instant(written)).isoformat(timespec="seconds")
