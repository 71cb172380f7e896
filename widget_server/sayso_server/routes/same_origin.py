"""Whether a browser sends something from one of the server's own pages."""

from http import HTTPStatus
from typing import Final

from aiohttp import hdrs, web

from sayso.wire import Code
from sayso_server.services.refusals import RefusedError

SITE: Final = "Sec-Fetch-Site"
_SAME: Final = "same-origin"


def is_own_page(request: web.Request, public_origin: str) -> bool:
    """Tell whether a request comes from a page of this server, as far as its sender can be asked.

    A browser says from where in `Sec-Fetch-Site`, an older one in `Origin` alone; a page can forge neither. Who sends
    neither is no browser, and nobody's browser can be made to send for somebody else then.
    """
    sites = request.headers.getall(SITE, [])
    if sites:
        return sites == [_SAME]
    origins = request.headers.getall(hdrs.ORIGIN, [])
    return not origins or origins == [public_origin]


def insist_on_own_page(request: web.Request) -> None:
    """Refuse what no page of this server sends: tokens of staff are given to nothing else.

    Raises:
        RefusedError: 403 `origin`.
    """
    if request.headers.getall(SITE, []) != [_SAME]:
        message = "this is for the server's own pages; open the link in a browser"
        raise RefusedError(HTTPStatus.FORBIDDEN, Code.ORIGIN, message)
