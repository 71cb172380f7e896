"""A whole server on loopback with two brands, keys made on the spot and a clock that tests set."""

import asyncio
import base64
import io
import json
import secrets
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import jwt
import pytest
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from yarl import URL

from sayso.exports.drp_message import sign_message
from sayso.wire import Role, TokenClass
from sayso_server.app import SERVICES, create_app
from sayso_server.keys import KeyFile, new_key
from sayso_server.run import serve
from sayso_server.services.drp_agents import Agent
from sayso_server.storage.base import Storage, StoredBrand, StoredKey
from sayso_server.storage.memory import MemoryStorage
from sayso_server.storage.sqlite import SqliteStorage

START = datetime(2026, 11, 23, 19, 0, 0, tzinfo=UTC)
PUBLIC_ORIGIN = "https://privacy.example"

CATALOGUE: dict[str, Any] = {
    "languages": ["en", "es"],
    "default_language": "en",
    "topics": {
        "purpose:marketing": {
            "basis": "consent",
            "title": {"en": "Offers", "es": "Ofertas"},
            "notice": {"en": "We write to you about offers.", "es": "Le escribimos sobre ofertas."},
            "data_classes": ["contact"],
        },
        "purpose:training": {
            "basis": "consent",
            "version": 2,
            "expires_after": "P365D",
            "title": {"en": "Training", "es": "Formación"},
            "notice": {"en": "We train on transcripts.", "es": "Formamos con transcripciones."},
            "data_classes": ["contact"],
        },
        "purpose:analytics": {
            "basis": "legitimate_interest",
            "title": {"en": "Analytics", "es": "Análisis"},
            "notice": {"en": "We count visits.", "es": "Contamos visitas."},
            "data_classes": ["contact"],
        },
        "purpose:ads": {
            "basis": "legitimate_interest",
            "sale_or_share": True,
            "title": {"en": "Ads", "es": "Anuncios"},
            "notice": {"en": "We share data with ad networks.", "es": "Compartimos datos con redes."},
            "data_classes": ["contact"],
        },
        "purpose:service": {
            "basis": "contract",
            "title": {"en": "Your order", "es": "Su pedido"},
            "notice": {"en": "We carry out your order.", "es": "Tramitamos su pedido."},
            "data_classes": ["contact"],
        },
        "purpose:recall": {
            "basis": "legal_obligation",
            "title": {"en": "Safety recalls", "es": "Retiradas"},
            "notice": {"en": "We tell you about recalls.", "es": "Avisamos de retiradas."},
            "data_classes": ["contact"],
        },
        "channel:sms": {
            "basis": "consent",
            "title": {"en": "Text messages", "es": "Mensajes de texto"},
            "notice": {"en": "We send texts.", "es": "Enviamos mensajes."},
        },
        "permission:location": {
            "basis": "consent",
            "title": {"en": "Location", "es": "Ubicación"},
            "notice": {"en": "We look up dealers near you.", "es": "Buscamos concesionarios cercanos."},
            "data_classes": ["contact"],
        },
        "purpose:nearby": {
            "basis": "legitimate_interest",
            "requires": ["permission:location"],
            "title": {"en": "Dealers nearby", "es": "Concesionarios cercanos"},
            "notice": {"en": "We suggest dealers nearby.", "es": "Sugerimos concesionarios."},
            "data_classes": ["contact"],
        },
    },
    "partners": {
        "vinsolutions": {
            "title": {"en": "VinSolutions", "es": "VinSolutions"},
            "partner_class": "integration",
            "country": "US",
            "policy_url": "https://crm.example/privacy",
            "fields": {"email": ["purpose:marketing"]},
            "flows": {
                "share": {
                    "basis": "consent",
                    "sale_or_share": True,
                    "title": {"en": "Share leads", "es": "Compartir"},
                    "notice": {"en": "We send your lead.", "es": "Enviamos su solicitud."},
                },
                "combine": {
                    "basis": "legitimate_interest",
                    "title": {"en": "Combine records", "es": "Combinar"},
                    "notice": {"en": "We join records.", "es": "Unimos registros."},
                },
            },
        }
    },
    "retention": {
        "contact": {
            "period": "P730D",
            "start": "last_contact",
            "title": {"en": "Contact data", "es": "Datos de contacto"},
            "ground": {"en": "To answer later questions.", "es": "Para responder preguntas."},
        }
    },
    "contacts": {
        "controller": {
            "name": "Dealer privacy office",
            "address": ["1 Main Street", "Springfield"],
            "email": "privacy@dealer.example",
        }
    },
}


class SetClock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.moment = START

    def now(self) -> int:
        return (self.moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)

    def forward(self, span: timedelta) -> None:
        self.moment += span

    def text(self, ago: timedelta = timedelta(0)) -> str:
        """Give the time, or a time before it, as a sender would write it."""
        return (self.moment - ago).isoformat()


@dataclass(frozen=True)
class Answered:
    """What came back."""

    status: int
    headers: Any
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        return str(self.json["code"])

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Each (pointer, code)."""
        assert self.headers["Content-Type"] == "application/problem+json", self.body
        return [(error["pointer"], error["code"]) for error in self.json["errors"]]


class World:
    """The running server."""

    def __init__(
        self,
        app: web.Application,
        storage: Storage,
        clock: SetClock,
        base: str,
        keys: KeyFile,
        *,
        stop: asyncio.Event,
        serving: asyncio.Task[None],
    ) -> None:
        self.app = app
        self.stop = stop
        self.serving = serving
        self.storage = storage
        self.clock = clock
        self.base = base
        self.keys = keys
        self.brands: dict[str, Brand] = {}
        self.session = aiohttp.ClientSession(auto_decompress=False, connector=aiohttp.TCPConnector(limit=0))

    @property
    def port(self) -> int:
        return URL(self.base).port or 0

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = None,
        json: Any = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answered:
        """Send one request; the path goes out byte for byte as given."""
        fields = dict(headers or {})
        if token is not None:
            fields["Authorization"] = f"Bearer {token}"
        if json is not None:
            body = dumped(json)
        if body is not None:
            fields.setdefault("Content-Type", "application/json")
        url = URL(self.base + path, encoded=True)
        # From 1 MiB on aiohttp's client wants a file.
        data = io.BytesIO(body) if body is not None else None
        async with self.session.request(method, url, data=data, headers=fields, allow_redirects=False) as answer:
            # A stream of events has no end; its first event shows that it was opened.
            endless = method != "HEAD" and answer.content_type == "text/event-stream"
            body = await (answer.content.readuntil(b"\n\n") if endless else answer.read())
            return Answered(answer.status, answer.headers.copy(), body)

    async def send_in_pieces(self, path: str, *pieces: bytes) -> bytes:
        """Post a form as a slow line does, and give the whole answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        headers = {
            "Host": "privacy.example",
            "Content-Type": "application/x-www-form-urlencoded",
            "Content-Length": str(sum(map(len, pieces))),
            "Sec-Fetch-Site": "same-origin",
            "Connection": "close",
        }
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items()), "", ""]
        writer.write("\r\n".join(lines).encode())
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(0.05)
        answer = await reader.read()
        writer.close()
        await writer.wait_closed()
        return answer

    async def everything(self) -> dict[str, Any]:
        """Give all that is stored about consumers and catalogues, of every brand."""
        found: dict[str, Any] = {}
        for brand in await self.storage.brands():
            name = brand.brand_id
            for consumer in await self.storage.consumer_ids(name, after="", limit=10_000):
                row = await self.storage.consumer(name, consumer)
                found[f"{name} {consumer}"] = row, await self.storage.history(name, consumer, before=None, limit=10_000)
            for consumer in await self.storage.disclosed_ids(name, after="", limit=10_000):
                found[f"{name} {consumer} disclosed"] = await self.storage.disclosures(
                    name, [consumer], before=None, limit=10_000
                )
            found[f"{name} requests"] = await self.storage.documents(name, "request", limit=10_000)
            found[f"{name} audit"] = await self.storage.audit(name, before=None, limit=10_000)
            found[name] = await self.storage.catalogues(name)
        return found

    @asynccontextmanager
    async def nothing_stored(self) -> AsyncIterator[None]:
        """Assert that what happens inside leaves no trace in the storage."""
        before = await self.everything()
        yield
        assert await self.everything() == before

    async def add_brand(self, brand_id: str, *, publish: bool = True) -> "Brand":
        brand = Brand(self, brand_id)
        assert await self.storage.add_brand(StoredBrand(brand_id, brand_id.title(), self.clock.now()))
        await brand.add_key("all", list(TokenClass), list(Role))
        await self.storage.add_origin(brand_id, brand.origin)
        self.brands[brand_id] = brand
        if publish:
            answer = await brand.publish(CATALOGUE)
            assert answer.status == 201, answer.body
        return brand


@dataclass
class Brand:
    """One brand's side: its keys, its tokens, and the calls its backend makes."""

    world: World
    id: str
    keys: dict[str, tuple[StoredKey, str]] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"https://{self.id}.example"

    async def add_key(
        self, name: str, classes: list[TokenClass], roles: list[Role], algorithm: str = "HS256"
    ) -> tuple[StoredKey, str]:
        key, secret = new_key(self.id, algorithm, classes, roles, now=self.world.clock.now())
        assert secret is not None
        if algorithm == "HS256":
            self.world.keys.add(key.key_id, secret)
        await self.world.storage.add_key(key)
        self.keys[name] = key, secret
        return key, secret

    def sign(self, typ: str, claims: dict[str, Any], *, life: int, key: str = "all", **changes: Any) -> str:
        """Sign a token that is right in all but the changes; None leaves a claim out."""
        stored, secret = self.keys[key]
        issued = int(self.world.clock.moment.timestamp())
        whole = {"iss": self.id, "aud": "sayso", "iat": issued, "exp": issued + life, "jti": secrets.token_hex(8)}
        members = {name: value for name, value in (whole | claims | changes).items() if value is not None}
        return jwt.encode(members, secret, algorithm=stored.algorithm, headers={"kid": stored.key_id, "typ": typ})

    def backend(self, *scope: str, **changes: Any) -> str:
        return self.sign("sayso-backend+jwt", {"scope": " ".join(scope or ("backend",))}, life=300, **changes)

    def consumer(self, sub: str = "cust-42", **changes: Any) -> str:
        return self.sign("sayso-consumer+jwt", {"sub": sub, "origins": [self.origin]}, life=900, **changes)

    def staff(self, *scope: str, sub: str = "ann", **changes: Any) -> str:
        claims = {"sub": sub, "scope": " ".join(scope or ("agent",))}
        return self.sign("sayso-staff+jwt", claims, life=900, **changes)

    async def call(self, method: str, path: str, **request: Any) -> Answered:
        """Call as the backend."""
        request.setdefault("token", self.backend())
        return await self.world.call(method, path, **request)

    async def page(self, method: str, path: str, *, sub: str = "cust-42", **request: Any) -> Answered:
        """Call as a consumer's browser on the brand's own page."""
        request["headers"] = {"Origin": self.origin} | request.get("headers", {})
        request.setdefault("token", self.consumer(sub))
        return await self.world.call(method, path, **request)

    async def desk(self, method: str, path: str, *, scope: str = "agent", **request: Any) -> Answered:
        """Call as staff on the server's own pages."""
        request["headers"] = {"Origin": PUBLIC_ORIGIN} | request.get("headers", {})
        request.setdefault("token", self.staff(scope))
        return await self.world.call(method, path, **request)

    async def publish(self, catalogue: dict[str, Any], query: str = "") -> Answered:
        return await self.call("PUT", "/v1/catalogue" + query, token=self.backend("admin"), json=catalogue)

    async def post(self, *choices: dict[str, Any], **batch: Any) -> Answered:
        return await self.call("POST", "/v1/choices", json={"choices": list(choices)} | batch)

    async def recorded(self, *choices: dict[str, Any], **batch: Any) -> list[dict[str, Any]]:
        """Record choices that have to be accepted, and give the answer's entries."""
        answer = await self.post(*choices, **batch)
        assert answer.status == 201, answer.body
        entries: list[dict[str, Any]] = answer.json["recorded"]
        return entries

    async def say(self, topic: str, answer: str, **members: Any) -> dict[str, Any]:
        """Record one choice that has to be accepted."""
        (entry,) = await self.recorded(choice(topic, answer, **members))
        return entry

    async def preferences(self, consumer: str = "cust-42", query: str = "") -> dict[str, Any]:
        answer = await self.call("GET", f"/v1/consumers/{consumer}/preferences{query}")
        assert answer.status == 200, answer.body
        members: dict[str, Any] = answer.json
        return members

    async def reason(self, topic: str, consumer: str = "cust-42", query: str = "") -> str:
        """Give why a topic is allowed or not."""
        return str((await self.preferences(consumer, query))["topics"][topic]["reason"])

    async def history(self, consumer: str = "cust-42") -> list[dict[str, Any]]:
        answer = await self.call("GET", f"/v1/consumers/{consumer}/choices")
        assert answer.status == 200, answer.body
        choices: list[dict[str, Any]] = answer.json["choices"]
        return choices

    async def decide(self, topic: str, consumer: str = "cust-42", **members: Any) -> dict[str, Any]:
        check = {"consumer_id": consumer, "topic": topic} | members
        answer = await self.call("POST", "/v1/decisions", json={"checks": [check]})
        assert answer.status == 200, answer.body
        (decision,) = answer.json["decisions"]
        return dict(decision)

    async def report(self, states: dict[str, Any], *, device: str = "pixel-8", **members: Any) -> Answered:
        body = {"vocabulary": "android", "observed_at": self.world.clock.text(), "states": states} | members
        return await self.call("PUT", f"/v1/consumers/cust-42/devices/{device}", json=body)


class Agency:
    """An authorized agent of the Data Rights Protocol: its key, its token, and the messages it signs."""

    def __init__(self, world: World, brand_id: str, agent_id: str) -> None:
        self.world, self.brand_id, self.agent_id = world, brand_id, agent_id
        self.key = Ed25519PrivateKey.generate()
        self.business_id = brand_id.upper()
        self.token = ""

    async def register(self) -> None:
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        agent = Agent(
            brand_id=self.brand_id,
            agent_id=self.agent_id,
            name=self.agent_id.title(),
            verify_key=base64.b64encode(public).decode(),
            business_id=self.business_id,
            token_id=None,
            set_up_at=0,
            added_at=self.world.clock.now(),
        )
        self.token = await self.world.app[SERVICES].agents.add(agent, by={"key": "tests", "class": "operator"})

    async def another(self, agent_id: str) -> "Agency":
        """Register another agent of the same brand."""
        other = Agency(self.world, self.brand_id, agent_id)
        await other.register()
        return other

    def claims(self, **changes: Any) -> dict[str, Any]:
        claims = {
            "agent-id": self.agent_id,
            "business-id": self.business_id,
            "issued-at": self.world.clock.text(timedelta(seconds=5)),
            "expires-at": self.world.clock.text(-timedelta(minutes=10)),
            "drp.version": "1.0",
            "exercise": "deletion",
            "regime": "ccpa",
            "name": "Ann",
            "email": "ann@mail.example",
            "email_verified": True,
            **changes,
        }
        return {name: value for name, value in claims.items() if value is not None}

    async def send(self, method: str, path: str, message: bytes | None = None, **request: Any) -> Answered:
        request.setdefault("token", self.token)
        request.setdefault("headers", {"Content-Type": "text/plain"})
        return await self.world.call(method, path, body=message, **request)

    async def exercise(self, key: Ed25519PrivateKey | None = None, **changes: Any) -> Answered:
        return await self.send(
            "POST", "/v1/data-rights-request", sign_message(self.claims(**changes), (key or self.key).sign)
        )

    async def revoke(self, request_id: str, **claims: Any) -> Answered:
        return await self.send("DELETE", f"/v1/data-rights-request/{request_id}", sign_message(claims, self.key.sign))

    async def status(self, request_id: str) -> Answered:
        return await self.send("GET", f"/v1/data-rights-request/{request_id}")

    async def set_up(self, *, path: str | None = None, **changes: Any) -> Answered:
        """Ask for another token."""
        names = ("agent-id", "business-id", "issued-at", "expires-at", "drp.version")
        claims = {name: value for name, value in self.claims(**changes).items() if name in names}
        message = sign_message(claims, self.key.sign)
        return await self.send("POST", f"/v1/agent/{path or self.agent_id}", message, token=None)

    async def greet(self) -> Answered:
        return await self.send("GET", f"/v1/agent/{self.agent_id}")


def choice(topic: str, answer: str, consumer: str = "cust-42", **members: Any) -> dict[str, Any]:
    """Make a choice with a new id; a grant comes with its notice. None leaves a member out."""
    whole: dict[str, Any] = {
        "id": str(uuid.uuid4()),
        "consumer_id": consumer,
        "topic": topic,
        "answer": answer,
        "method": "chat",
    }
    if answer == "granted":
        whole["notice"] = {"language": "en"}
    return {name: value for name, value in (whole | members).items() if value is not None}


def dumped(value: Any) -> bytes:
    return json.dumps(value).encode()


@pytest.fixture
def storage_kind() -> str:
    """Which storage the server runs on; parametrise it with ["memory", "sqlite"] where that matters."""
    return "memory"


@pytest.fixture
async def world(storage_kind: str, tmp_path: Path) -> AsyncIterator[World]:
    """A server on loopback without any brand, run as `sayso-server serve` runs it."""
    clock = SetClock()
    storage: Storage = (
        MemoryStorage(clock=clock) if storage_kind == "memory" else SqliteStorage(tmp_path / "sayso.db", clock=clock)
    )
    keys = KeyFile(tmp_path / "sayso.keys")
    stop = asyncio.Event()
    listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    async def when_listening(_: web.Application, url: str) -> None:
        listening.set_result(url)

    app = create_app(storage, keys, public_origin=PUBLIC_ORIGIN, clock=clock)
    serving = asyncio.create_task(
        serve(lambda _: app, host="127.0.0.1", port=0, stop=stop, when_listening=when_listening)
    )
    try:
        await asyncio.wait([serving, listening], return_when=asyncio.FIRST_COMPLETED)
        if serving.done():
            serving.result()
        one = World(app, storage, clock, await listening, keys, stop=stop, serving=serving)
        try:
            yield one
        finally:
            await one.session.close()
    finally:
        stop.set()
        await serving


@pytest.fixture
async def dealer(world: World) -> Brand:
    """The brand that most tests speak for."""
    return await world.add_brand("dealer")


@pytest.fixture
async def shop(world: World) -> Brand:
    """Another brand on the same server."""
    return await world.add_brand("shop")


@pytest.fixture
def make_choice() -> Any:
    """Give the maker of choices: `make_choice(topic, answer, consumer="cust-42", **members)`."""
    return choice


@pytest.fixture
def catalogue() -> dict[str, Any]:
    """Give the published catalogue, to change and publish again."""
    return deepcopy(CATALOGUE)


@pytest.fixture
async def agency(dealer: Brand) -> Agency:
    """An agent that is registered with the dealer."""
    agency = Agency(dealer.world, dealer.id, "AN_AGENT")
    await agency.register()
    return agency
