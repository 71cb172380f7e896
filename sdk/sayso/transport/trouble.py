"""What a connection that failed means, in words that repeat no address."""

import aiohttp

from sayso.errors import UnavailableError


def trouble_of(error: Exception) -> tuple[UnavailableError, bool]:
    """Give the error for callers, and whether another attempt may go better.

    Only the class of what aiohttp raised is told: its messages hold the address, and with it the consumer's id.

    Args:
        error: A `TimeoutError`, an `aiohttp.ClientError` or an `OSError`.
    """
    if isinstance(error, TimeoutError):
        return UnavailableError("the Sayso server did not answer in time", code="timeout"), True
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        message = "the Sayso server's certificate is not trusted; check its name and your certificate store"
        return UnavailableError(message, code="certificate"), False
    message = f"no connection to the Sayso server ({type(error).__name__}); check SAYSO_URL and that it is running"
    return UnavailableError(message, code="no_connection"), True
