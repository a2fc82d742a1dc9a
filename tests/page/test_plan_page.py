"""The page of a plan, looked at in a real browser."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from pipelines.plan.page import page_of, write_page
from pipelines.project import Project
from pipelines.sync.plan.saved import Plan

if TYPE_CHECKING:
    from playwright.sync_api import Page

MakePlan = Callable[[int], Plan]


def show(page: Page, plan: Plan) -> None:
    page.route("http*://**", lambda route: pytest.fail(f"the page asked for {route.request.url}"))
    page.goto(page_of(plan).as_uri())
    page.wait_for_selector("html[data-ready=yes]")


def test_it_says_what_is_going_to_happen(page: Page, make_plan: MakePlan) -> None:
    show(page, make_plan(100))
    assert "What batch 2026-11-05 is going to change" in page.inner_text("h1")
    assert page.inner_text("#shown") == "108 of 108 rows"
    table = page.inner_text("#counts")
    assert "create" in table
    assert "100" in table
    assert "its Account waits" in page.inner_text("#about")
    assert "99,000 of 100,000 are left today" in page.inner_text("#about")
    first = page.inner_text(".row >> nth=0")
    assert "First0 Last0" in first
    assert "p0@x.org" in first


def test_filters_narrow_what_is_shown(page: Page, make_plan: MakePlan) -> None:
    show(page, make_plan(100))
    page.select_option("#action", "hold")
    assert page.inner_text("#shown") == "1 of 108 rows"
    page.click("#clear")
    page.select_option("#field", "Title")
    assert page.inner_text("#shown") == "6 of 108 rows"
    page.click("#clear")
    page.select_option("#decision", "conflict_source")
    assert page.inner_text("#shown") == "5 of 108 rows"
    page.click("#clear")
    page.fill("#text", "p42@X.org first42")
    page.wait_for_selector("#shown:text-is('1 of 108 rows')")
    page.click("#clear")
    page.click("#counts button.hold")
    assert page.inner_text("#shown") == "1 of 108 rows"


def test_no_value_is_anything_but_text(page: Page, make_plan: MakePlan, evil: list[str]) -> None:
    show(page, make_plan(1))
    title = page.title()
    page.select_option("#action", "update")
    for value in evil[:4]:  # rows are drawn with the next frame
        page.wait_for_function(
            "text => document.querySelector('#list').innerText.includes(text)", arg=value
        )
    for place in range(len(evil)):
        page.click(f".row >> nth={place} >> .line")
        assert page.is_visible("dialog")
        page.click("dialog form button")
    assert page.title() == title
    assert page.locator("#list img, #list script, #list b, dialog img").count() == 0
    links = page.eval_on_selector_all(".row a", "all => all.map(a => a.href)")
    record = "https://acme.my.salesforce.com/lightning/r/Contact/003000000000001AAA/view"
    assert set(links) == {record}


def test_rows_that_stay_are_not_drawn_anew(page: Page, make_plan: MakePlan) -> None:
    """A click whose row was drawn anew between its press and its release would be lost."""
    show(page, make_plan(100))
    page.evaluate("[...document.querySelectorAll('.row')].at(-1).marked = true")
    first = page.inner_text(".row >> nth=0")
    page.evaluate("scrollTo(0, 1500)")
    page.wait_for_function("text => document.querySelector('.row').innerText !== text", arg=first)
    assert (
        page.evaluate("[...document.querySelectorAll('.row')].filter(row => row.marked).length")
        == 1
    )
    shown = page.eval_on_selector_all(".row", "all => all.map(row => parseFloat(row.style.top))")
    assert shown == sorted(shown)
    page.evaluate("scrollTo(0, 0)")
    page.wait_for_function("text => document.querySelector('.row').innerText === text", arg=first)
    shown = page.eval_on_selector_all(".row", "all => all.map(row => parseFloat(row.style.top))")
    assert shown == sorted(set(shown))


def test_a_hundred_thousand_rows_are_drawn_where_one_looks(
    page: Page, project: Project, make_plan: MakePlan
) -> None:
    plan = make_plan(100_000)
    write_page(project, plan, limit=100_000)
    show(page, plan)
    assert page.inner_text("#shown") == "100,008 of 100,008 rows"
    assert page.locator(".row").count() < 60
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    page.wait_for_selector("text=Holly Hold")
    page.fill("#text", "p99999@x.org")
    page.wait_for_selector("#shown:text-is('1 of 100,008 rows')")

    write_page(project, plan)
    assert page_of(plan).stat().st_size < 2_000_000
    show(page, plan)
    notice = page.inner_text("#more")
    assert "Contact, create: the first 1,000 of 100,000 are on this page." in notice


def test_a_reason_leads_to_the_records_it_names(page: Page, make_plan: MakePlan) -> None:
    show(page, make_plan(1))
    assert "WHAT ELSE IS TO BE KNOWN" in page.inner_text("#about")
    page.fill("#text", "more than one")
    page.wait_for_selector("#shown:text-is('1 of 9 rows')")
    assert page.locator(".note.wait").count() == 0
    [link] = page.eval_on_selector_all(".note a", "all => all.map(a => a.href)")
    assert link.endswith("/lightning/r/Contact/003000000000009AAA/view")


def test_a_text_that_is_cut_shows_what_is_lost(page: Page, make_plan: MakePlan) -> None:
    show(page, make_plan(1))
    page.select_option("#decision", "truncated")
    assert page.inner_text("#shown") == "1 of 9 rows"
    row = page.inner_text(".row")
    assert "cut from 300 to 255 characters (too_long: truncate), without: Europe" in row


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_prints_every_row_and_knows_the_dark(
    page: Page, make_plan: MakePlan, scheme: str
) -> None:
    page.emulate_media(color_scheme=scheme)
    show(page, make_plan(300))
    colors = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (colors == "rgb(255, 255, 255)") == (scheme == "light")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator(".row").count() == 308
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator(".row").count() < 60
