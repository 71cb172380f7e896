"""Origins as browsers write them (RFC 6454 §6.2): one spelling each, so equal text is the same origin."""

from ipaddress import ip_address
from urllib.parse import urlsplit

_EXAMPLE = "such as https://privacy.dealer.example"
_DEFAULT_PORT = {"http": 80, "https": 443}


def serialised_origin(url: str) -> str:
    """Give an http(s) URL without a path as its origin: lower case, no default port, no slash at the end.

    Raises:
        ValueError: It is no URL, says more than an origin, or is plain http to another machine.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(f"this is no URL; write an origin {_EXAMPLE}") from None
    host = parts.hostname or ""
    if parts.scheme not in _DEFAULT_PORT or not host or not url.isascii():
        raise ValueError(f"this is no http(s) URL; write an origin {_EXAMPLE}")
    if parts.path not in ("", "/") or any(char.isspace() or char in "@?#\\*" for char in url):
        raise ValueError(f"an origin is scheme, host and port and nothing more, {_EXAMPLE}")
    if parts.scheme == "http" and not is_loopback(host):
        raise ValueError("plain http is for this machine alone; write an https:// origin")
    name = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{name}" + (f":{port}" if port not in (None, _DEFAULT_PORT[parts.scheme]) else "")


def is_loopback(host: str) -> bool:
    """Tell whether the address or name reaches only this machine itself."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
