"""Names that both sides of the wire share: paths, headers, claims and error codes. Nothing here does anything."""

from enum import StrEnum

PROBLEM_TYPE = "application/problem+json"
JSON_TYPE = "application/json"
STREAM_TYPE = "text/event-stream"
ZIP_TYPE = "application/zip"
REQUEST_ID = "X-Request-Id"

MAX_CHOICES = 500
MAX_CHECKS = 500
MAX_CONSUMERS = 500
MAX_DISCLOSURES = 500
MAX_LINKS = 500
MAX_MOMENTS = 10
MAX_BODY = 2 * 1024 * 1024
MAX_DEPTH = 16
PAGE_SIZE = 100
MAX_TOKEN_BYTES = 4096


class TokenType(StrEnum):
    """The `typ` header of each class of token."""

    BACKEND = "sayso-backend+jwt"
    CONSUMER = "sayso-consumer+jwt"
    STAFF = "sayso-staff+jwt"


class TokenClass(StrEnum):
    """What a key may sign."""

    BACKEND = "backend"
    CONSUMER = "consumer"
    STAFF = "staff"


class Role(StrEnum):
    """What a backend or staff token may do."""

    BACKEND = "backend"
    AGENT = "agent"
    PRIVACY_OFFICER = "privacy_officer"
    AUDITOR = "auditor"
    ADMIN = "admin"


AUDIENCE = "sayso"


class Code(StrEnum):
    """Every `code` in a problem answer, with the status it comes with."""

    # 400: the body is not the JSON that Sayso reads
    MALFORMED_JSON = "malformed_json"
    INVALID_UTF8 = "invalid_utf8"
    DUPLICATE_MEMBER = "duplicate_member"
    NOT_A_NUMBER = "not_a_number"
    TOO_DEEP = "too_deep"
    BAD_REQUEST = "bad_request"
    # 401, 403 (and `linked` as a 422 of a member)
    TOKEN_MISSING = "token_missing"
    TOKEN_INVALID = "token_invalid"
    TOKEN_EXPIRED = "token_expired"
    TOKEN_USED = "token_used"
    LINKED = "linked"
    SCOPE = "scope"
    NOT_YOURS = "not_yours"
    TOKEN_CLASS = "token_class"
    ORIGIN = "origin"
    # 404, 405, 408, 409, 410, 413, 415, 429
    NOT_FOUND = "not_found"
    NO_REQUEST = "no_request"
    NO_RESULT = "no_result"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    TIMED_OUT = "timed_out"
    ALREADY_LINKED = "already_linked"
    VERSION_NOT_REACHED = "version_not_reached"
    NOTICE_STALE = "notice_stale"
    CATALOGUE_CHANGED = "catalogue_changed"
    TRANSITION_ILLEGAL = "transition_illegal"
    VERIFICATION_NEEDED = "verification_needed"
    ERASED = "erased"
    REFUSED_BY_MINOR = "refused_by_minor"
    NOT_A_MINOR = "not_a_minor"
    TOO_EARLY = "too_early"
    LINK_USED = "link_used"
    LINK_EXPIRED = "link_expired"
    BODY_TOO_LARGE = "body_too_large"
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type"
    RATE_LIMITED = "rate_limited"
    # 422: a member is wrong
    UNKNOWN_MEMBER = "unknown_member"
    MISSING_MEMBER = "missing_member"
    WRONG_TYPE = "wrong_type"
    INVALID_VALUE = "invalid_value"
    INVALID_ID = "invalid_id"
    PERSONAL_ID = "personal_id"
    NAIVE_TIME = "naive_time"
    FROM_THE_FUTURE = "from_the_future"
    NOTICE_REQUIRED = "notice_required"
    NOTICE_UNKNOWN = "notice_unknown"
    EVIDENCE_REQUIRED = "evidence_required"
    UNKNOWN_TOPIC = "unknown_topic"
    NOT_REFUSABLE = "not_refusable"
    NOT_GRANTABLE = "not_grantable"
    MINOR = "minor"
    BASED_ON_AHEAD = "based_on_ahead"
    ID_REUSED = "id_reused"
    DUPLICATE_ID = "duplicate_id"
    BATCH_EMPTY = "batch_empty"
    BATCH_TOO_LARGE = "batch_too_large"
    ACTOR_NOT_YOURS = "actor_not_yours"
    UNKNOWN_VOCABULARY = "unknown_vocabulary"
    TOO_MANY = "too_many"
    CATALOGUE_INVALID = "catalogue_invalid"
    BASIS_CHANGED = "basis_changed"
    VERSION_LOWERED = "version_lowered"
    MAJORITY_LOWERED = "majority_lowered"
    NEWLY_SHARED = "newly_shared"
    # 500, 503
    INTERNAL = "internal"
    UNAVAILABLE = "unavailable"


class StreamEvent(StrEnum):
    """The `event` of each message in `GET /v1/changes`; readers pass over those that they don't know."""

    OPEN = "open"
    CHANGE = "change"
    CATALOGUE = "catalogue"
    POSITION = "position"
    RESET = "reset"
    END = "end"


class StreamEnd(StrEnum):
    """The `reason` with which the server ends a stream."""

    TOKEN_EXPIRED = "token_expired"
    SHUTTING_DOWN = "shutting_down"
    REVOKED = "revoked"
