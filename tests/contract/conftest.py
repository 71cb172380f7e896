"""The storages that the contract holds for. A new database joins by a line in `STORAGES`."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from yarl import URL

import sayso
from sayso.model.instant import Micros, to_micros
from sayso.transport.clock import boot_time
from sayso.wire import TokenClass
from sayso_server.app import create_app
from sayso_server.keys import KeyFile, new_key
from sayso_server.run import serve
from sayso_server.storage.base import Storage, StoredBrand, StoredKey
from sayso_server.storage.memory import MemoryStorage
from sayso_server.storage.sqlite import SqliteStorage


class SetClock:
    """Tells the time it was set to."""

    def __init__(self) -> None:
        self.micros: Micros = 1_000

    def now(self) -> Micros:
        return self.micros


STORAGES: dict[str, Callable[[Path, SetClock], Storage]] = {
    "memory": lambda path, clock: MemoryStorage(clock=clock),
    "sqlite": lambda path, clock: SqliteStorage(path / "sayso.db", clock=clock),
}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture
def set_time(clock: SetClock) -> Callable[[Micros], None]:
    """Set what the storage takes for the time, in microseconds; it starts at 1,000."""

    def set_to(micros: Micros) -> None:
        clock.micros = micros

    return set_to


@pytest.fixture(params=STORAGES)
async def storage(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> AsyncIterator[Storage]:
    opened = STORAGES[request.param](tmp_path, clock)
    await opened.start()
    yield opened
    await opened.close()


# --- the real client against the real application ---

START = datetime(2026, 11, 23, 19, 0, 0, tzinfo=UTC)
PUBLIC_ORIGIN = "https://privacy.example"


def _texts(en: str, es: str) -> dict[str, Any]:
    return {"title": {"en": en, "es": es}, "notice": {"en": f"{en}: what for.", "es": f"{es}: para qué."}}


def _purpose(basis: str, en: str, es: str, **settings: Any) -> dict[str, Any]:
    return {"basis": basis, "data_classes": ["contact"], **_texts(en, es), **settings}


CATALOGUE: dict[str, Any] = {
    "languages": ["en", "es"],
    "default_language": "en",
    "topics": {
        "purpose:marketing": _purpose("consent", "Offers", "Ofertas"),
        "purpose:training": _purpose("consent", "Training", "Formación", version=2, expires_after="P365D"),
        "purpose:analytics": _purpose("legitimate_interest", "Analytics", "Análisis"),
        "purpose:ads": _purpose("legitimate_interest", "Ads", "Anuncios", sale_or_share=True),
        "purpose:service": _purpose("contract", "Your order", "Su pedido"),
        "channel:sms": {"basis": "consent", **_texts("Text messages", "Mensajes de texto")},
        "permission:camera": _purpose("consent", "Camera", "Cámara"),
        "permission:location": _purpose("consent", "Location", "Ubicación"),
    },
    "partners": {
        "vinsolutions": {
            "title": {"en": "VinSolutions", "es": "VinSolutions"},
            "partner_class": "integration",
            "country": "US",
            "policy_url": "https://crm.example/privacy",
            "fields": {"email": ["purpose:marketing"]},
            "flows": {
                "share": {"basis": "consent", "sale_or_share": True, **_texts("Share leads", "Compartir")},
                "receive": {"basis": "legitimate_interest", **_texts("Take in leads", "Recibir")},
                "combine": {"basis": "legitimate_interest", **_texts("Combine records", "Combinar")},
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
        "controller": {"name": "Privacy office", "address": ["1 Main Street"], "email": "post@dealer.example"}
    },
}


class SharedClock:
    """The time of the server and its clients: the wall clock stands until a test moves it, waits are real."""

    def __init__(self) -> None:
        self.moment = START
        self._ahead = 0.0

    def now(self) -> Micros:
        return to_micros(self.moment)

    def boot(self) -> float:
        return boot_time() + self._ahead

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def forward(self, span: timedelta) -> None:
        self.moment += span
        self._ahead += span.total_seconds()


class Served:
    """The application on loopback. It stops, and starts again on the same port over the same data."""

    def __init__(self, kind: str, path: Path) -> None:
        self.clock = SharedClock()
        self.keys = KeyFile(path / "sayso.keys")
        self.url = ""
        self._kind = kind
        self._data = path / "data"
        self._data.mkdir()
        self.storage = self._open()
        self._stop = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._keys: dict[tuple[str, str], tuple[StoredKey, str]] = {}
        self._clients: list[sayso.Client] = []

    def _open(self) -> Storage:
        return STORAGES[self._kind](self._data, self.clock)  # type: ignore[arg-type]

    async def start(self) -> None:
        self._stop = asyncio.Event()
        listening: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def when_listening(_: web.Application, url: str) -> None:
            listening.set_result(url)

        app = create_app(self.storage, self.keys, public_origin=PUBLIC_ORIGIN, clock=self.clock)
        port = URL(self.url).port or 0 if self.url else 0
        self._serving = asyncio.create_task(
            serve(lambda _: app, host="127.0.0.1", port=port, stop=self._stop, when_listening=when_listening)
        )
        await asyncio.wait([self._serving, listening], return_when=asyncio.FIRST_COMPLETED)
        if self._serving.done():
            self._serving.result()
        self.url = listening.result()

    async def stop(self) -> None:
        self._stop.set()
        if self._serving is not None:
            await self._serving
        self._serving = None

    async def restart(self, storage: Storage | None = None) -> None:
        """Stop, and start over the same data, or over another database."""
        await self.stop()
        if storage is not None:
            self.storage = storage
        elif self._kind != "memory":  # which is gone with its object
            self.storage = self._open()
        await self.start()

    async def back_up(self) -> Callable[[], Awaitable[None]]:
        """Keep the data as it is now; call what comes back to put it in place of what was recorded since."""
        await self.stop()
        kept = deepcopy(self.storage, {id(self.clock): self.clock}) if self._kind == "memory" else None
        copied = self._data.with_name("backup")
        shutil.copytree(self._data, copied)
        await self.restart()

        async def put_back() -> None:
            await self.stop()
            shutil.rmtree(self._data)
            shutil.copytree(copied, self._data)
            await self.restart(kept)

        return put_back

    async def move(self) -> None:
        """Stop, and start over another database with the same brands, keys and catalogues, and no consumers."""
        other = MemoryStorage(clock=self.clock)
        await other.start()
        for brand in await self.storage.brands():
            await other.add_brand(brand)
            for published in await self.storage.catalogues(brand.brand_id):
                await other.publish(
                    brand.brand_id,
                    published.body,
                    published_at=published.published_at,
                    expected_revision=published.revision - 1,
                )
        for key in await self.storage.keys():
            await other.add_key(key)
        await self.restart(other)

    async def add_brand(self, brand_id: str) -> None:
        assert await self.storage.add_brand(StoredBrand(brand_id, brand_id.title(), self.clock.now()))
        await self.storage.add_origin(brand_id, f"https://{brand_id}.example")
        await self.add_key(brand_id, "backend", [TokenClass.BACKEND, TokenClass.CONSUMER])
        await self.add_key(brand_id, "admin", [TokenClass.BACKEND])
        await self.client(brand_id, "admin").publish_catalogue(sayso.Catalogue.model_validate(CATALOGUE))

    async def add_key(self, brand_id: str, role: str, classes: list[TokenClass]) -> None:
        key, secret = new_key(brand_id, "HS256", classes, [role], now=self.clock.now())
        assert secret is not None
        await asyncio.to_thread(self.keys.add, key.key_id, secret)
        await self.storage.add_key(key)
        self._keys[brand_id, role] = key, secret

    def key_id(self, brand_id: str = "dealer", role: str = "backend") -> str:
        return self._keys[brand_id, role][0].key_id

    def credentials(self, brand_id: str = "dealer", role: str = "backend") -> tuple[str, str]:
        """Give what a brand would find in SAYSO_KEY_ID and SAYSO_SECRET."""
        key, secret = self._keys[brand_id, role]
        return key.key_id, secret

    def client(self, brand_id: str = "dealer", role: str = "backend", **settings: Any) -> sayso.Client:
        """Make a client that remembers nothing yet, as in another process; it is closed after the test."""
        key, secret = self._keys[brand_id, role]
        arguments = {"url": self.url, "key_id": key.key_id, "secret": secret, "clock": self.clock} | settings
        client = sayso.Client(**arguments)
        self._clients.append(client)
        return client

    async def close(self) -> None:
        for client in self._clients:
            await client.aclose()
        await self.stop()


@pytest.fixture(params=STORAGES)
async def served(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Served]:
    """The application with the brands `dealer` and `shop`, over each storage."""
    server = Served(request.param, tmp_path)
    await server.start()
    try:
        for brand_id in ("dealer", "shop"):
            await server.add_brand(brand_id)
        yield server
    finally:
        await server.close()


@pytest.fixture
def privacy(served: Served) -> sayso.Client:
    """A client of `dealer`, with the key that `brand create` makes."""
    return served.client()


@pytest.fixture
def ann(privacy: sayso.Client) -> sayso.Consumer:
    return privacy.consumer("cust-42")


@pytest.fixture
def catalogue() -> sayso.Catalogue:
    """The catalogue that both brands start with."""
    return sayso.Catalogue.model_validate(CATALOGUE)
