"""The page `/rights` in a real browser, with and without scripts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect
from tests.browser.conftest import axe, context, overflow

if TYPE_CHECKING:
    from playwright.async_api import Browser
    from tests.browser.conftest import Demo

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}")


async def test_a_request_is_filed_by_the_keyboard_without_scripts_and_reaches_the_queue(
    browser: Browser, demo: Demo
) -> None:
    async with context(browser, java_script_enabled=False, locale="en-US") as (made, seen):
        page = await made.new_page()
        await page.goto(f"{demo.url}/rights")
        await page.get_by_label("Delete my data").focus()
        await page.keyboard.press("Space")
        await page.get_by_label("Where do you live?").select_option(label="California")
        await page.get_by_role("button", name="Go on").focus()
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Delete my data")
        await expect(page.get_by_text("You get an answer by")).to_be_visible()
        await expect(page.get_by_role("link", name="California Privacy Protection Agency")).to_be_visible()
        await page.get_by_label("E-mail address").fill("ben@mail.example")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Your request has arrived")
        reference = await page.locator(".reference").inner_text()

        assert UUID.fullmatch(reference)
        assert page.url == f"{demo.url}/rights"
        assert [url for url in seen.urls if "ben" in url or not url.startswith((demo.url, "data:"))] == []
        assert await made.cookies() == []
    async with context(browser) as (made, _):
        desk = await made.new_page()
        await desk.goto(demo.officer_url)
        await desk.get_by_role("button", name="Sign in").click()
        await desk.get_by_label("Name, id or reference").fill(reference)
        await expect(desk.locator(".card")).to_contain_text("by the page /rights")


async def test_what_is_missing_is_announced_and_leads_to_its_field(browser: Browser, demo: Demo) -> None:
    async with context(browser, java_script_enabled=False, locale="es-ES") as (made, _):
        page = await made.new_page()
        await page.goto(f"{demo.url}/rights?brand=demo&kind=correct")
        await page.get_by_label("Nombre").fill("Ann")
        await page.get_by_role("button", name="Enviar la solicitud").click()

        await expect(page.get_by_role("alert")).to_contain_text("Falta «¿Qué está mal?».")
        await page.get_by_role("alert").get_by_role("link").first.click()
        assert page.url.endswith("#about")
        await expect(page.get_by_label("Nombre")).to_have_value("Ann")


async def test_the_language_can_be_changed_without_losing_what_was_chosen(browser: Browser, demo: Demo) -> None:
    async with context(browser, java_script_enabled=False, locale="en-US") as (made, _):
        page = await made.new_page()
        await page.goto(f"{demo.url}/rights?brand=demo&kind=access&place=CA-QC")
        await page.get_by_role("button", name="Change this").click()
        await page.get_by_role("button", name="Français").click()

        await expect(page.get_by_role("heading", level=1)).to_have_text("Exercer vos droits sur vos données")
        await expect(page.get_by_label("Voir ce qui est conservé")).to_be_checked()
        await expect(page.get_by_label("Où habitez-vous")).to_have_value("CA-QC")


LOOKS: dict[str, dict[str, Any]] = {
    "light": {"locale": "en-US"},
    "dark": {"color_scheme": "dark", "locale": "fr-FR"},
    "forced colours": {"forced_colors": "active", "locale": "es-ES"},
    "320 wide": {"viewport": {"width": 320, "height": 640}, "locale": "fr-FR"},
}


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_and_nothing_is_cut_off(browser: Browser, demo: Demo, look: str) -> None:
    async with context(browser, **LOOKS[look]) as (made, seen):
        page = await made.new_page()
        found: dict[str, list[str]] = {}

        async def check(step: str) -> None:
            found[step] = [*await axe(page), *await overflow(page)]

        await page.goto(f"{demo.url}/rights")
        await check("first")
        await page.locator("form").nth(1).get_by_role("button").click()
        await check("first, with something missing")
        await page.goto(f"{demo.url}/rights?brand=demo&kind=correct&place=EEA")
        await check("second")
        await page.locator("form[method=post] button").click()
        await check("second, with something missing")
        await page.fill("#about", "phone")
        await page.select_option("#fault", "inaccurate")
        await page.fill("#email", "ann@mail.example")
        await page.locator("form[method=post] button").click()
        await expect(page.locator(".reference")).to_be_visible()
        await check("done")

        assert {step: problems for step, problems in found.items() if problems} == {}
        assert len(found) == 5
        assert (seen.violations, seen.errors) == ([], [])


async def test_text_twice_as_large_cuts_nothing_off(browser: Browser, demo: Demo) -> None:
    async with context(browser, locale="fr-FR", viewport={"width": 800, "height": 600}) as (made, _):
        page = await made.new_page()
        for path in ("/rights", "/rights?brand=demo&kind=correct&place=CA"):
            await page.goto(demo.url + path)
            session = await made.new_cdp_session(page)
            await session.send("Runtime.evaluate", {"expression": "document.documentElement.style.fontSize = '200%'"})
            assert await overflow(page) == []
