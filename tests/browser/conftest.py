"""A real browser in front of a demonstration server."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.async_api import Browser, BrowserContext, Page, async_playwright
from tests.browser.chromium import REMEDY, find_chromium

ALONE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1"
"""Nothing that a page asks of anybody else finds its way."""
AXE = Path(AXE_FILE_PATH)
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@dataclass
class Demo:
    """A running demonstration."""

    url: str
    officer_url: str
    database: str


@dataclass
class Seen:
    """What a browser context did that nobody sees on its pages."""

    violations: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    urls: list[str] = field(default_factory=list)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(120))  # a browser and a server start for each


@pytest.fixture
async def demo() -> AsyncIterator[Demo]:
    """A demonstration server of its own, which ends with the test."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sayso_server", "demo", "--json", "--port", "0", "--until-stdin-closes"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        env=env,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        told = json.loads(await process.stdout.readline())
        database = Path(told["catalogue"]).with_name("sayso.db")
        yield Demo(told["url"], told["officer_url"], f"sqlite:///{database}")
    finally:
        process.stdin.close()
        await process.wait()


@pytest.fixture
def invite(demo: Demo) -> Callable[[str], Awaitable[str]]:
    """Give what invites somebody of a role to the demonstration's desk: the command that an operator uses."""

    async def invited(role: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sayso_server", "staff", "invite", role, "--brand", "demo", "--role", role),
            stdout=asyncio.subprocess.PIPE,
            env={**os.environ, "SAYSO_DATABASE": demo.database, "SAYSO_PUBLIC_URL": demo.url},
        )
        said, _ = await process.communicate()
        return said.decode().strip()

    return invited


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium: the one that is named, the machine's own, or Playwright's."""
    found = await asyncio.to_thread(find_chromium)
    if found is None:
        pytest.fail(REMEDY, pytrace=False)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=found, args=[ALONE])
        yield browser
        await browser.close()


@asynccontextmanager
async def context(browser: Browser, **options: Any) -> AsyncIterator[tuple[BrowserContext, Seen]]:
    """Open a context that notes policy violations, script errors and every address that is fetched."""
    seen = Seen()
    made = await browser.new_context(**options)
    if options.get("java_script_enabled", True):
        await made.expose_function("noteViolation", lambda said: seen.violations.extend([said]))
        await made.add_init_script(
            "addEventListener('securitypolicyviolation', e => noteViolation(`${e.violatedDirective} ${e.blockedURI}`))"
        )
    made.on("weberror", lambda error: seen.errors.append(str(error.error)))
    made.on("request", lambda request: seen.urls.append(request.url))
    yield made, seen
    await made.close()


async def axe(page: Page) -> list[str]:
    """Give what axe finds wrong with a page, as `rule: where`."""
    session = await page.context.new_cdp_session(page)
    source = await asyncio.to_thread(AXE.read_text)
    # A script tag would be refused, as it should be.
    await session.send("Runtime.evaluate", {"expression": source})
    options = json.dumps({"runOnly": {"type": "tag", "values": STANDARDS}})
    found = await session.send(
        "Runtime.evaluate",
        {"expression": f"axe.run({options}).then(JSON.stringify, String)", "awaitPromise": True, "returnByValue": True},
    )
    result = json.loads(found["result"]["value"])
    return [f"{one['id']}: {node['target']}" for one in result["violations"] for node in one["nodes"]]


async def overflow(page: Page) -> list[str]:
    """Give what is wider than the window, so that a reader would have to scroll sideways."""
    return list(
        await page.evaluate(
            "() => document.documentElement.scrollWidth <= innerWidth ? [] : "
            "[...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1)"
            ".map(e => `${e.tagName}.${e.className}`)"
        )
    )
