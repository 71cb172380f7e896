"""One consumer: preferences, devices, signals, age, links, export."""

from aiohttp import web

from sayso.model.age import AgeReport
from sayso.model.signal import SignalReport
from sayso_server.routes.answers import json_answer
from sayso_server.routes.asked import Asked
from sayso_server.routes.conditional import answer_unless_known
from sayso_server.services.device_report import DeviceReportBody


async def get_preferences(asked: Asked) -> web.Response:
    """Give the snapshot: every topic decided, with reasons."""
    brand_id, consumer_id = asked.caller.brand_id, asked.consumer_id
    reading = asked.services.reading
    moment = asked.query_instant("as_of") if asked.request.query_string else None
    at_least = asked.query_int("at_least") if asked.request.query_string else None
    if at_least is not None:
        await reading.wait_for(asked.caller, consumer_id, at_least)
    if moment is None:
        snapshot = await reading.snapshot(brand_id, consumer_id)
    else:
        snapshot = await reading.snapshot_at(asked.caller, consumer_id, moment)
    return answer_unless_known(asked, snapshot.body, snapshot.etag)


async def put_device(asked: Asked) -> web.Response:
    """Record what a device says about its permissions."""
    report = await asked.parse(DeviceReportBody)
    return asked.answer(await asked.services.reporting.device(asked.caller, asked.consumer_id, asked.device_id, report))


async def post_signal(asked: Asked) -> web.Response:
    """Record the first sight of a signal."""
    report = await asked.parse(SignalReport)
    return asked.answer(await asked.services.reporting.signal(asked.caller, asked.consumer_id, report))


async def put_age(asked: Asked) -> web.Response:
    """Record evidence of age."""
    report = await asked.parse(AgeReport)
    return asked.answer(await asked.services.reporting.age(asked.caller, asked.consumer_id, report))


async def get_export(asked: Asked) -> web.Response:
    """Give everything held about a consumer."""
    export = await asked.services.reading.export(asked.caller.brand_id, asked.consumer_id)
    return json_answer(export, request_id=asked.request_id)
