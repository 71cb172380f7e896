"""What keeps entries waiting, for people."""

from sayso.errors import Error

_REMEDIES = {
    401: "give the client a key that is in force (SAYSO_KEY_ID, SAYSO_SECRET); `sayso-server key list --brand ID` "
    "lists them, and `sayso-server key create --brand ID --class backend --role backend` makes one",
    403: "give the client a key with the role backend: "
    "`sayso-server key create --brand ID --class backend --role backend` makes one",
    404: "SAYSO_URL (or url=) is the server's address alone, without what follows the port",
    409: "see `sayso outbox list` for the entries that it refuses",
    413: "see `sayso outbox list` for an entry that is too large",
    429: "it asks to slow down, and will be asked again",
}


def hindrance(error: Error) -> str:
    """Say in a sentence what keeps the entries waiting, and what mends it."""
    remedy = _REMEDIES.get(error.status, "look at the server's log")
    request = f", request {error.request_id}" if error.request_id else ""
    return f"What was recorded waits, for the server answers {error.status} {error.code}{request}: {remedy}."
