"""The privacy desk in a real browser."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import Page, expect
from tests.browser.conftest import axe, context, overflow

if TYPE_CHECKING:
    from playwright.async_api import Browser
    from tests.browser.conftest import Demo

TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
KEPT = """async () => JSON.stringify([
  {...localStorage}, {...sessionStorage}, document.cookie, await indexedDB.databases(), await caches.keys(),
  history.state, location.href, document.documentElement.outerHTML, window.name])"""


async def sign_in(page: Page, demo: Demo) -> None:
    await page.goto(demo.officer_url)
    await page.get_by_role("button", name="Sign in").click()
    await expect(page.get_by_role("heading", name="Queue")).to_be_visible()
    await expect(page.locator(".card")).to_have_count(3)


async def open_request(page: Page, title: str) -> None:
    await page.get_by_role("button", name=title).click()
    await expect(page.get_by_role("heading", level=1, name=title)).to_be_visible()


async def test_the_link_is_gone_from_the_address_and_the_token_is_kept_nowhere(browser: Browser, demo: Demo) -> None:
    async with context(browser) as (made, seen):
        page = await made.new_page()
        tokens: list[str] = []

        async def note(answer: Any) -> None:
            if answer.request.method == "POST" and "/invite/" in answer.url:
                tokens.append((await answer.json())["token"])

        made.on("response", note)
        await sign_in(page, demo)
        await open_request(page, "Delete — Ann")

        assert page.url == f"{demo.url}/officer"
        assert len(tokens) == 1
        assert TOKEN.fullmatch(tokens[0])
        assert not TOKEN.search(await page.evaluate(KEPT))
        assert await made.cookies() == []
        assert [url for url in seen.urls if TOKEN.search(url) or not url.startswith((demo.url, "data:", "blob:"))] == []
        assert (seen.violations, seen.errors) == ([], [])


async def test_a_reload_signs_out_and_the_link_for_next_time_signs_in_again(browser: Browser, demo: Demo) -> None:
    async with context(browser) as (made, _):
        page = await made.new_page()
        await sign_in(page, demo)
        await page.get_by_role("button", name="Link for next time").click()
        link = await page.get_by_label("Your next sign-in link").input_value()
        await page.reload()

        await expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
        await page.get_by_label("Your sign-in link").fill(link)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        await page.goto(demo.officer_url)
        await expect(page.get_by_role("alert")).to_contain_text("was used before")


async def test_the_queue_goes_by_due_date_and_says_in_words_how_pressing_each_is(browser: Browser, demo: Demo) -> None:
    async with context(browser) as (made, _):
        page = await made.new_page()
        await sign_in(page, demo)

        # Received 27, 16 and 2 days ago, with 30 days each, to the end of the last one; a month may be shorter.
        first, second, third = await page.locator(".card .badge").all_inner_texts()
        assert (first, third) == ("3 days left", "28 days left")
        assert second in {"12 days left", "13 days left", "14 days left"}
        await page.get_by_label("Due").select_option("soon")
        await expect(page.locator(".card")).to_have_count(1)
        await page.get_by_label("Due").select_option("")
        await page.get_by_label("Name, id or reference").fill("ben")
        await expect(page.locator(".card h2")).to_have_text("Correct something — Ben")


async def test_a_request_shows_its_evidence_and_only_what_may_be_done_now(browser: Browser, demo: Demo) -> None:
    async with context(browser) as (made, _):
        page = await made.new_page()
        await sign_in(page, demo)
        await open_request(page, "Delete — Ann")

        await expect(page.get_by_text("channel:sms: withdrawn")).to_be_visible()
        buttons = page.locator(".buttons button")
        acts = ["Confirm receipt", "Ask who is asking", "Start work", "Deny", "They take it back", "Hand over"]
        assert await buttons.all_inner_texts() == [*acts, "Add a note"]
        await page.get_by_role("button", name="Confirm receipt").click()
        await page.get_by_role("button", name="Confirm receipt").nth(1).click()
        await expect(page.get_by_role("status")).to_have_text("Receipt is confirmed.")
        assert await buttons.all_inner_texts() == [*acts[1:], "Add a note"]


async def test_an_erasure_needs_proof_and_a_tick_and_leaves_nothing(browser: Browser, demo: Demo) -> None:
    async with context(browser) as (made, seen):
        page = await made.new_page()
        await sign_in(page, demo)
        await open_request(page, "Delete — Ann")
        await page.get_by_role("button", name="Start work").click()
        await page.get_by_label("How it was made sure who is asking").fill("Called back on the number on file.")
        await page.locator("form.panel").get_by_role("button", name="Start work").click()
        await expect(page.get_by_role("status")).to_have_text("Work has started.")
        await page.get_by_role("button", name="Fulfil").click()
        erase = page.get_by_role("button", name="Erase and fulfil")
        await erase.click()
        await expect(erase).to_be_visible()  # the browser asks for the tick first
        await page.get_by_label("Erase everything held about demo-ann").check()
        await erase.click()

        await expect(page.get_by_role("status")).to_have_text("It is fulfilled.")
        await expect(page.get_by_role("heading", level=1)).to_have_text("Delete — erased")
        assert "ann@mail.example" not in await page.content()
        assert seen.errors == []


async def test_an_opt_out_stands_first_and_is_in_force_once_the_consumer_is_named(browser: Browser, demo: Demo) -> None:
    async with context(browser) as (made, seen):
        page = await made.new_page()
        await page.goto(f"{demo.url}/rights?language=en&brand=demo&kind=withdraw-all")
        await expect(page.get_by_text("It takes effect as soon as it is known which data are yours")).to_be_visible()
        await page.get_by_label("E-mail address").fill("ann@mail.example")
        await page.get_by_role("button", name="Send the request").click()
        await page.goto(demo.officer_url)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator(".card")).to_have_count(4)
        first = page.locator(".card").first
        await expect(first.locator(".badge")).to_have_text("Not in force yet: name the consumer now")
        await first.get_by_role("button").click()
        await page.get_by_role("button", name="Start work").click()
        await expect(page.get_by_label("How it was made sure who is asking")).to_have_count(0)
        await page.get_by_label("Whose request it is").fill("demo-ann")
        await page.locator("form.panel").get_by_role("button", name="Start work").click()

        await expect(page.get_by_role("status").first).to_have_text("Work has started.")
        stopped = page.locator("dt", has_text="Stopped at once").locator("+ dd")
        await expect(stopped).to_have_text("everything")
        await expect(page.get_by_text("Not in force yet")).to_have_count(0)
        assert seen.errors == []


async def test_two_clicks_on_sign_in_sign_in_once_and_show_no_error(browser: Browser, demo: Demo) -> None:
    async with context(browser) as (made, _):
        page = await made.new_page()
        await page.goto(demo.officer_url)
        await page.get_by_role("button", name="Sign in").dblclick()
        await expect(page.locator(".card")).to_have_count(3)
        await page.wait_for_load_state("networkidle")

        await expect(page.get_by_role("heading", name="Queue")).to_be_visible()
        await expect(page.get_by_role("alert")).to_have_count(0)


async def test_words_of_a_stranger_stay_words_wherever_the_desk_shows_them(browser: Browser, demo: Demo) -> None:
    evil = "\"><img src=x onerror=document.title='bad'><script>document.title='bad'</script>"
    address = "https://forum.example/<svg/onload=document.title='bad'>"
    async with context(browser) as (made, seen):
        page = await made.new_page()
        await page.goto(f"{demo.url}/rights?language=en&brand=demo&kind=minor-content-removal")
        await page.get_by_label("Addresses of what is to go").fill(address)
        await page.get_by_label("Name").fill(evil)
        await page.get_by_label("E-mail address").fill("<b>@mail.example")
        await page.get_by_label("Anything else").fill(evil)
        await page.get_by_role("button", name="Send the request").click()
        await expect(page.locator(".reference")).to_be_visible()
        await page.goto(demo.officer_url)
        await page.get_by_role("button", name="Sign in").click()
        await open_request(page, f"Remove a minor’s posts — {evil}")

        await expect(page.locator("blockquote")).to_have_text(evil)
        await expect(page.locator("main")).to_contain_text(address)
        assert await page.locator("main img, main script, main svg, main b").count() == 0
        assert "bad" not in (await page.title()).split("—")[0]
        assert (seen.violations, seen.errors) == ([], [])


async def test_a_denial_gives_grounds_and_shows_the_recourse_that_goes_along(browser: Browser, demo: Demo) -> None:
    async with context(browser) as (made, _):
        page = await made.new_page()
        await sign_in(page, demo)
        await open_request(page, "See what is held — Ann")
        await page.get_by_role("button", name="Deny").click()
        await expect(page.locator("form.panel .aside")).to_contain_text("Bundesbeauftragte")
        assert await page.get_by_label("Reason").locator("option").count() == 1 + 7
        await page.get_by_label("Reason").select_option("no_match")
        await page.get_by_label("Grounds, or the law").fill("Nothing is kept under this name.")
        await page.locator("form.panel").get_by_role("button", name="Deny").click()

        await expect(page.get_by_role("status")).to_have_text("It is denied.")
        told = page.locator("section", has=page.get_by_role("heading", name="What they were told")).locator(
            "blockquote"
        )
        await expect(told).to_contain_text("Nothing is kept under this name.")
        await expect(told).to_contain_text("Bundesbeauftragte")


async def test_what_is_no_longer_legal_is_refused_and_the_page_shows_what_is(browser: Browser, demo: Demo) -> None:
    async with context(browser) as (made, _):
        page = await made.new_page()
        await sign_in(page, demo)
        await open_request(page, "See what is held — Ann")
        await page.get_by_role("button", name="Confirm receipt").click()

        async def meanwhile(route: Any) -> None:
            headers = {"authorization": route.request.headers["authorization"], "sec-fetch-site": "same-origin"}
            first = await made.request.post(route.request.url, headers=headers, data={"note": "Somebody was quicker."})
            assert first.status == 200
            await route.continue_()

        await page.route("**/acknowledge", meanwhile)
        await page.locator("form.panel").get_by_role("button", name="Confirm receipt").click()

        await expect(page.get_by_role("alert")).to_contain_text("has no acknowledge; now you can verify, start")
        await expect(page.get_by_text("Somebody was quicker.")).to_be_visible()
        assert "Confirm receipt" not in await page.locator(".buttons button").all_inner_texts()


async def test_what_came_by_post_is_entered_with_its_date_and_found_by_its_address(
    browser: Browser, demo: Demo
) -> None:
    async with context(browser) as (made, _):
        page = await made.new_page()
        await sign_in(page, demo)
        await page.get_by_role("button", name="Enter", exact=True).click()
        await page.get_by_label("What they ask").select_option("copy")
        await page.get_by_label("E-mail").fill("Ben@Mail.example")
        await page.get_by_role("button", name="Enter it").click()
        await expect(page.get_by_role("heading", level=1)).to_have_text("Get a copy — nobody known yet")
        await page.get_by_role("button", name="Find", exact=True).click()
        await page.get_by_label("E-mail address or phone number").fill("ben@mail.example")
        await page.keyboard.press("Enter")

        await expect(page.locator(".card h2")).to_have_text("Get a copy — nobody known yet")
        assert "ben@mail.example" not in page.url


async def test_a_sign_in_that_ends_hides_the_case_and_a_link_brings_back_what_was_typed(
    browser: Browser, demo: Demo
) -> None:
    async with context(browser) as (made, _):
        page = await made.new_page()
        await sign_in(page, demo)
        await page.get_by_role("button", name="Link for next time").click()
        link = await page.get_by_label("Your next sign-in link").input_value()
        await page.keyboard.press("Escape")
        await open_request(page, "Delete — Ann")
        await page.get_by_role("button", name="Deny").click()
        await page.get_by_label("Grounds, or the law").fill("A long and careful explanation.")
        await page.get_by_label("Reason").select_option("other")

        over = {"status": 401, "json": {"code": "token_expired", "detail": "the token has expired", "errors": []}}
        await page.route("**/deny", lambda route: route.fulfill(**over))
        await page.locator("form.panel").get_by_role("button", name="Deny").click()
        await expect(page.get_by_role("alert")).to_contain_text("You are signed out.")
        assert "ann@mail.example" not in await page.content()

        await page.get_by_label("Your sign-in link").fill(link)
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_label("Grounds, or the law")).to_have_value("A long and careful explanation.")


async def test_an_auditor_looks_and_an_agent_only_enters(browser: Browser, demo: Demo, invite: Any) -> None:
    async with context(browser) as (made, _):
        page = await made.new_page()
        await page.goto(await invite("auditor"))
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator(".card")).to_have_count(3)
        assert await page.locator("nav button").all_inner_texts() == ["Queue", "Audit"]
        await open_request(page, "Delete — Ann")
        await expect(page.get_by_text("you can look at it")).to_be_visible()

        await page.goto(await invite("agent"))
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.get_by_role("heading", name="Enter a request")).to_be_visible()
        assert await page.locator("nav button").all_inner_texts() == ["Enter"]
        await page.get_by_label("Phone").fill("+1 202 555 0199")
        await page.get_by_role("button", name="Enter it").click()
        await expect(page.get_by_role("status")).to_contain_text("It is entered, and due")


async def test_everything_is_reached_by_the_keyboard_alone(browser: Browser, demo: Demo) -> None:
    async with context(browser) as (made, _):
        page = await made.new_page()
        await page.goto(demo.officer_url)

        async def tab_to(words: str) -> None:
            for _ in range(60):
                await page.keyboard.press("Tab")
                if words in await page.evaluate("document.activeElement.innerText || ''"):
                    outline = await page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
                    assert outline == "3px"
                    return
            raise AssertionError(f"the keyboard doesn't reach {words}")

        await tab_to("Sign in")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", name="Queue")).to_be_focused()
        await expect(page.locator(".card")).to_have_count(3)
        await tab_to("Delete — Ann")
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("heading", level=1, name="Delete — Ann")).to_be_focused()
        await tab_to("Deny")
        await page.keyboard.press("Enter")
        await expect(page.get_by_label("Reason")).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Deny")).to_be_focused()
        await page.go_back()
        await expect(page.get_by_role("heading", name="Queue")).to_be_focused()


LOOKS = {
    "light": {},
    "dark": {"color_scheme": "dark"},
    "forced colours": {"forced_colors": "active"},
    "320 wide": {"viewport": {"width": 320, "height": 640}},
}


@pytest.mark.parametrize("look", LOOKS)
async def test_axe_finds_nothing_and_nothing_is_cut_off(browser: Browser, demo: Demo, look: str) -> None:
    async with context(browser, **LOOKS[look]) as (made, seen):
        page = await made.new_page()
        found: dict[str, list[str]] = {}

        async def check(view: str) -> None:
            found[view] = [*await axe(page), *await overflow(page)]

        await page.goto(demo.officer_url)
        await check("invitation")
        await page.get_by_role("button", name="Sign in").click()
        await expect(page.locator(".card")).to_have_count(3)
        await check("queue")
        await open_request(page, "Delete — Ann")
        await page.get_by_role("button", name="Deny").click()
        await expect(page.get_by_text("channel:sms: withdrawn")).to_be_visible()
        await check("request")
        for view in ("Enter", "Find", "Audit"):
            await page.get_by_role("button", name=view, exact=True).click()
            await check(view)
        await page.get_by_role("button", name="Link for next time").click()
        await expect(page.get_by_role("dialog", name="Link for next time")).to_be_visible()
        await check("link")

        assert {step: problems for step, problems in found.items() if problems} == {}
        assert len(found) == 7
        assert seen.violations == []
