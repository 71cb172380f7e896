"""The audit, page by page."""

from aiohttp import web

from sayso_server.routes.access import AUDIT
from sayso_server.routes.asked import Asked
from sayso_server.routes.table import RateClass, Row

_DIGITS_OF_A_MOMENT = 18


async def get_audit(asked: Asked) -> web.Response:
    """Give what was done with cases and records, newest first, 100 lines a page."""
    before = asked.query_int("before", digits=_DIGITS_OF_A_MOMENT)
    page, rest = await asked.services.auditing.page(asked.caller.brand_id, before=before)
    headers = None
    if rest is not None:
        headers = {"Link": f'<{asked.request.rel_url.raw_path}?before={rest}>; rel="next"'}
    return asked.answer({"audit": page}, headers=headers)


def audit_rows() -> tuple[Row, ...]:
    """Give the room's rows."""
    query = {"before": "where to go on; take it from the Link header"}
    return (
        Row("GET", "/v1/audit", get_audit, "Who did what, newest first", AUDIT,
            rate_class=RateClass.ADMIN, query=query, answer="Audit"),
    )  # fmt: skip
