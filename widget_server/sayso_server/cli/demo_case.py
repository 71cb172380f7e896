"""What a demonstration shows at the privacy desk: a consumer, what they chose, and requests that wait."""

from datetime import timedelta
from typing import Any, Final

from sayso.model.choice import ChoiceBatch
from sayso.model.ids import new_choice_id
from sayso.model.instant import Micros, format_micros, span_micros
from sayso.model.request import NewRequest
from sayso.wire import Role, TokenClass
from sayso_server.cli.workbench import Workbench
from sayso_server.jsonio import dumps
from sayso_server.services.caller import Caller

OFFICER: Final = "officer"
"""What the demonstration's privacy officer is called."""
_ANN: Final = "demo-ann"
_CHOSEN: Final = (
    ("purpose:marketing", "granted"),
    ("channel:email", "granted"),
    ("channel:sms", "granted"),
    ("channel:sms", "withdrawn"),
)


async def put_demo_case(bench: Workbench, brand_id: str) -> None:
    """Put three requests in: one nearly due, one with time left, one from nobody who is known yet."""
    now = bench.clock.now()
    await _choose(bench, brand_id)
    officer = Caller(
        brand_id,
        "command",
        TokenClass.STAFF,
        OFFICER,
        roles=frozenset({Role.PRIVACY_OFFICER.value}),
    )
    for members in _cases(now):
        await bench.services.requests.file(officer, NewRequest.model_validate_json(dumps(members)))


def _cases(now: Micros) -> list[dict[str, Any]]:
    def ago(days: int) -> str:
        return format_micros(now - span_micros(timedelta(days=days)))

    ann = {"name": "Ann", "email": "ann@mail.example", "phone": "+1 202 555 0111"}
    return [
        {
            "kind": "delete",
            "channel": "email",
            "consumer_id": _ANN,
            "jurisdiction": "CA-ON",
            "received_at": ago(27),
            "contact": ann,
            "detail": {"text": "Please delete what you hold about me. I have sold the car."},
        },
        {
            "kind": "access",
            "channel": "post",
            "consumer_id": _ANN,
            "jurisdiction": "DE",
            "received_at": ago(16),
            "contact": ann,
            "detail": {"text": "Which data do you keep, and who has received it?"},
        },
        {
            "kind": "correct",
            "channel": "phone",
            "received_at": ago(2),
            "jurisdiction": "CA-QC",
            "contact": {"name": "Ben", "phone": "+1 202 555 0142"},
            "detail": {"about": "phone", "fault": "inaccurate", "text": "The number on file is my old one."},
        },
    ]


async def _choose(bench: Workbench, brand_id: str) -> None:
    """Let Ann allow some things and take one of them back, as far as the catalogue has them."""
    catalogue = bench.services.catalogues.of(brand_id).catalogue
    backend = Caller(brand_id, "command", TokenClass.BACKEND, roles=frozenset({Role.BACKEND.value}))
    for topic, answer in _CHOSEN:
        found = catalogue.topic(topic)
        if found is None or not found.refusable:
            continue
        choice: dict[str, Any] = {"id": new_choice_id(), "consumer_id": _ANN, "topic": topic, "answer": answer}
        choice["method"] = "chat"
        if answer == "granted":
            choice["notice"] = {"language": catalogue.default_language}
        await bench.services.recording.record(backend, ChoiceBatch.model_validate_json(dumps({"choices": [choice]})))
