"""The pages that a link opens (`/u`, `/p`, `/g`) in a real browser, without scripts."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect
from tests.browser.conftest import axe, context, overflow

import sayso

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from playwright.async_api import Browser
    from tests.browser.conftest import Demo


@asynccontextmanager
async def backend(demo: Demo) -> AsyncIterator[sayso.Client]:
    """Open a client of the demonstration's brand, with a key that the operator's command made."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "sayso_server", "key", "create", "--brand", "demo", "--json"),
        *("--class", "backend", "--role", "backend"),
        stdout=asyncio.subprocess.PIPE,
        env={**os.environ, "SAYSO_DATABASE": demo.database},
    )
    said, _ = await process.communicate()
    key = json.loads(said)
    async with sayso.Client(demo.url, key_id=key["key_id"], secret=key["secret"], outbox=False, live=False) as privacy:
        yield privacy


async def test_one_button_unsubscribes_and_opening_the_link_does_not(browser: Browser, demo: Demo) -> None:
    async with backend(demo) as privacy, context(browser, java_script_enabled=False, locale="fr-FR") as (made, seen):
        ann = privacy.consumer("cust-42")
        await ann.grant("channel:email", shown="en", method="api")
        page = await made.new_page()
        await page.goto(await ann.unsubscribe_link("channel:email"))
        assert await ann.allows("channel:email")
        await page.get_by_role("button", name="Se désabonner").focus()
        await page.keyboard.press("Enter")

        await expect(page.get_by_role("status")).to_be_visible()
        assert not await ann.allows("channel:email")
        assert await made.cookies() == []
        assert [url for url in seen.urls if not url.startswith((demo.url, "data:"))] == []


async def test_a_preferences_link_refuses_one_topic_by_its_own_button(browser: Browser, demo: Demo) -> None:
    async with backend(demo) as privacy, context(browser, java_script_enabled=False, locale="en-US") as (made, _):
        ann = privacy.consumer("cust-42")
        await ann.grant("purpose:marketing", shown="en", method="api")
        await ann.grant("channel:email", shown="en", method="api")
        page = await made.new_page()
        await page.goto(await ann.preferences_link())
        await page.get_by_role("button", name="Turn off: Offers and news").click()

        await expect(page.get_by_role("status")).to_contain_text("Offers and news")
        assert not await ann.allows("purpose:marketing")
        assert await ann.allows("channel:email")


async def test_a_guardian_ticks_what_they_allow_and_nothing_is_ticked_before(browser: Browser, demo: Demo) -> None:
    async with backend(demo) as privacy, context(browser, java_script_enabled=False, locale="en-US") as (made, _):
        ben = privacy.consumer("cust-43")
        await ben.report_age(source="brand", lower=14, upper=15)
        page = await made.new_page()
        await page.goto((await ben.ask_guardian("purpose:marketing", email="parent@mail.example")).url)
        await expect(page.get_by_role("checkbox")).not_to_be_checked()
        await page.get_by_role("checkbox").check()
        await page.get_by_role("button", name="I am the parent or legal guardian").click()

        await expect(page.get_by_role("status")).to_be_visible()
        assert await ben.allows("purpose:marketing")


@pytest.mark.parametrize("look", [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"forced_colors": "active"}])
async def test_nothing_keeps_anybody_out_of_the_pages_and_they_fit_a_small_phone(
    browser: Browser, demo: Demo, look: dict[str, str]
) -> None:
    small = {"width": 320, "height": 480}
    async with backend(demo) as privacy, context(browser, viewport=small, **look) as (made, seen):
        ann, ben = privacy.consumer("cust-42"), privacy.consumer("cust-43")
        await ann.grant("channel:email", shown="en", method="api")
        await ben.report_age(source="brand", lower=14, upper=15)
        asked = await ben.ask_guardian("purpose:marketing", email="parent@mail.example")
        page = await made.new_page()
        for url in (await ann.unsubscribe_link("channel:email"), await ann.preferences_link(), asked.url):
            await page.goto(url)
            assert (await axe(page), await overflow(page)) == ([], []), url.split("/")[3]
        assert seen.violations == []
