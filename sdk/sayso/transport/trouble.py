"""What a connection that failed means, in words that name the server and the remedy, and nothing of the request."""

import errno
import ssl

import aiohttp

from sayso.errors import UnavailableError

_NO_TLS = frozenset({"WRONG_VERSION_NUMBER", "RECORD_LAYER_FAILURE", "HTTP_REQUEST", "PACKET_LENGTH_TOO_LONG"})
"""What OpenSSL calls an answer that is no TLS, by its version."""


def trouble_of(error: Exception) -> tuple[UnavailableError, bool]:
    """Give the error for callers, and whether another attempt may go better.

    Of what aiohttp raised only the kind, the host and the port are told: its messages hold the whole address, and
    with it the consumer's id.

    Args:
        error: A `TimeoutError`, an `aiohttp.ClientError` or an `OSError`.
    """
    if isinstance(error, TimeoutError):
        return UnavailableError("the Sayso server did not answer in time", code="timeout"), True
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        message = "the Sayso server's certificate is not trusted; check its name and your certificate store"
        return UnavailableError(message, code="certificate"), False
    if isinstance(error, aiohttp.ClientConnectorError):
        message, again = _not_connected(error)
        return UnavailableError(message, code="no_connection"), again
    if isinstance(error, aiohttp.ClientResponseError):
        message = (
            "what answers at SAYSO_URL (or url=) does not speak HTTP; check its port, and write https:// if it speaks "
            "TLS"
        )
        return UnavailableError(message, code="no_connection"), True
    message = f"the connection to the Sayso server broke off ({type(error).__name__}); check that it is running"
    if isinstance(error, aiohttp.ClientOSError | aiohttp.ServerDisconnectedError):
        message += ", and that SAYSO_URL (or url=) begins with https:// if it speaks TLS"
    return UnavailableError(message, code="no_connection"), True


def _not_connected(error: aiohttp.ClientConnectorError) -> tuple[str, bool]:
    where, cause = f"{error.host}:{error.port}", error.os_error
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return f"the Sayso server's name {error.host} can't be looked up; check SAYSO_URL (or url=)", True
    if isinstance(cause, ssl.SSLError):
        if cause.reason in _NO_TLS:
            return (
                f"TLS failed, because {where} speaks plain HTTP; a server on this machine is http:// in SAYSO_URL "
                "(or url=), and one elsewhere needs TLS in front of it",
                False,
            )
        return f"TLS with {where} failed ({cause.reason or type(cause).__name__}); check what listens there", True
    if isinstance(cause, ConnectionRefusedError) or cause.errno == errno.ECONNREFUSED:
        said = f"connection refused: nothing listens at {where}"
    else:
        said = f"no connection to the Sayso server at {where} ({type(cause).__name__})"
    return f"{said}; check the host and port in SAYSO_URL (or url=), and that the server is running", True
