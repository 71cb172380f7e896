"""Taking the port before anything is opened, so that the server knows its own address, whatever port it got."""

import errno
import socket

from sayso.errors import ConfigurationError

_NO_SUCH_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


def bind(host: str, port: int) -> list[socket.socket]:
    """Bind every address of a host; nobody is answered before somebody listens on them.

    Args:
        host: An address or a name.
        port: The port; 0 takes a free one, the same for all addresses.

    Returns:
        At least one bound socket.

    Raises:
        ConfigurationError: The name means nothing here, or the port is taken or not ours to take.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise ConfigurationError(
            f"SAYSO_HOST is {host!r}, which is no address of this machine ({error.strerror}); set it to 127.0.0.1"
        ) from None
    bound: list[socket.socket] = []
    refused: OSError | None = None
    for family, address in dict.fromkeys((family, address[0]) for family, _, _, _, address in found):
        taken = bound[0].getsockname()[1] if bound else port
        try:
            bound.append(_bind_one(family, str(address), taken))
        except OSError as error:
            # A machine without IPv6 still names ::1 in its hosts file.
            if error.errno not in _NO_SUCH_ADDRESS:
                _close(bound)
                raise _explained(host, taken, error) from None
            refused = error
    if not bound and refused is not None:
        raise _explained(host, port, refused)
    return bound


def url_of(host: str, sockets: list[socket.socket]) -> str:
    """Give the URL under which bound sockets are reached from this machine."""
    name = f"[{host}]" if ":" in host else host
    return f"http://{name}:{sockets[0].getsockname()[1]}"


def _bind_one(family: socket.AddressFamily | int, address: str, port: int) -> socket.socket:
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            opened.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        opened.bind((address, port))
        opened.setblocking(False)
    except BaseException:
        opened.close()
        raise
    return opened


def _explained(host: str, port: int, error: OSError) -> ConfigurationError:
    if error.errno == errno.EADDRINUSE:
        remedy = "another program listens there; stop it, or set SAYSO_PORT to another port (0 takes a free one)"
    elif error.errno == errno.EACCES:
        remedy = "this port needs rights of the administrator; set SAYSO_PORT to one above 1023"
    elif error.errno in _NO_SUCH_ADDRESS:
        remedy = "this machine has no such address; set SAYSO_HOST to 127.0.0.1"
    else:
        remedy = error.strerror or "set SAYSO_HOST and SAYSO_PORT to others"
    return ConfigurationError(f"can't listen on {host} port {port}: {remedy}")


def _close(sockets: list[socket.socket]) -> None:
    for opened in sockets:
        opened.close()
