"""The server's address: https, or plain http to this machine."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from sayso.errors import ConfigurationError

_API = "v1"


def check_address(url: str, *, name: str = "url") -> str:
    """Give the address back without a slash at its end.

    Args:
        url: Such as `https://sayso.dealer.example` or `http://127.0.0.1:8787`; a path before `/v1` is fine.
        name: What the message calls it. It never repeats the address, which may carry a password.

    Raises:
        ConfigurationError: It is no such address, or would send tokens in the clear.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _wrong(name, "is not a web address") from None
    if parts.scheme not in ("http", "https") or not host or port == 0:
        raise _wrong(name, "is not a web address")
    if parts.username is not None or parts.password is not None:
        raise _wrong(name, "has a user name or password in it; the key goes into SAYSO_KEY_ID and SAYSO_SECRET")
    if parts.query or parts.fragment:
        raise _wrong(name, "has a query or fragment; give the address only")
    if parts.path.rstrip("/").rpartition("/")[2] == _API:
        raise _wrong(name, f"ends in /{_API}, which the client adds itself; leave that out")
    if parts.scheme == "http" and not _is_loopback(host):
        raise _wrong(name, "is plain http to another machine, which would send tokens in the clear; use https")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _wrong(name: str, what: str) -> ConfigurationError:
    return ConfigurationError(
        f"{name} {what}. It is the address of the Sayso server, such as https://sayso.dealer.example, or "
        "http://127.0.0.1:8787 on this machine.",
        code="bad_address",
    )
