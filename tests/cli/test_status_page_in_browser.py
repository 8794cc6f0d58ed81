"""The status page in a real browser: layout, contrast and print, as people see them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lightsail_snapshots_cli.status_page import render
from tests.support.browser import Browser, find_browser, running
from tests.support.status_page import HOSTILE, hostile_report, long_report, usual_report

REPORTS = {"usual": usual_report, "hostile": hostile_report}

TOO_WIDE = """
[...document.querySelectorAll("body *")]
  .filter(each => each.getBoundingClientRect().right > innerWidth + 0.5 || each.scrollWidth > each.clientWidth + 1
    && each.clientWidth && getComputedStyle(each).display != "inline")
  .map(each => each.outerHTML.slice(0, 200))
"""

CONTRASTS = """
(() => {
  const numbers = color => color.match(/[\\d.]+/g).map(Number);
  const luminance = color => {
    const [red, green, blue] = numbers(color).map(each => each / 255)
      .map(each => each <= 0.04045 ? each / 12.92 : ((each + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const background = each => {
    const color = getComputedStyle(each).backgroundColor;
    return (numbers(color)[3] ?? 1) || !each.parentElement ? color : background(each.parentElement);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const text = walker.currentNode.textContent.trim(), around = walker.currentNode.parentElement;
    if (!text || !around.getClientRects().length) continue;
    const both = [luminance(getComputedStyle(around).color), luminance(background(around))];
    found.push([text, (Math.max(...both) + 0.05) / (Math.min(...both) + 0.05)]);
  }
  return found;
})()
"""

CUT_ROWS = """
(() => {
  const main = document.querySelector("main");
  main.style = "width: 650px; height: 900px; columns: 650px; column-fill: auto";
  const rows = [...document.querySelectorAll("tbody tr, h2")];
  const columns = new Set(rows.map(each => Math.round(each.getClientRects()[0].left)));
  return [columns.size, rows.filter(each => each.getClientRects().length > 1).length];
})()
"""
"""Columns of this height are laid out by the rules of pages, and show which rows are cut."""


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    command = find_browser()
    if command is None:
        pytest.skip("No browser starts here: `make build/chromium/ready` unpacks one for Linux on x86, or install one")
    with running(command, tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.fixture
def pages(tmp_path: Path) -> dict[str, Path]:
    found = {name: tmp_path / f"{name}.html" for name in (*REPORTS, "long")}
    for name, path in found.items():
        path.write_text(render({**REPORTS, "long": long_report}[name]()), encoding="utf-8")
    return found


def contrasts(browser: Browser) -> dict[str, float]:
    found: list[tuple[str, float]] = browser.run(CONTRASTS)
    return {text: min(ratio for other, ratio in found if other == text) for text, _ in found}


@pytest.mark.parametrize("width", [360, 1000])
@pytest.mark.parametrize("report", REPORTS)
def test_page_is_not_wider_than_the_screen(browser: Browser, pages: dict[str, Path], report: str, width: int) -> None:
    browser.open(pages[report], width=width)
    assert browser.run("innerWidth") == width
    assert browser.run("document.documentElement.scrollWidth") <= width
    assert browser.run(TOO_WIDE) == []


def test_phone_shows_a_label_beside_each_value(browser: Browser, pages: dict[str, Path]) -> None:
    label = "getComputedStyle(document.querySelector('td[data-label=Copies]'), '::before').content"
    browser.open(pages["usual"], width=360)
    assert browser.run(label) == '"Copies"'
    browser.open(pages["usual"], width=1000)
    assert browser.run(label) == "none"


@pytest.mark.parametrize(("scheme", "media"), [("light", "screen"), ("dark", "screen"), ("dark", "print")])
@pytest.mark.parametrize("width", [360, 1000])
def test_every_text_has_enough_contrast(
    browser: Browser, pages: dict[str, Path], width: int, scheme: str, media: str
) -> None:
    browser.open(pages["usual"], width=width, scheme=scheme, media=media)
    found = contrasts(browser)
    assert {"2 of 6 instances are overdue", "OVERDUE", "blog", "shop-db"} <= found.keys()
    assert {text: ratio for text, ratio in found.items() if ratio < 4.5} == {}


def test_page_is_dark_only_when_that_is_preferred(browser: Browser, pages: dict[str, Path]) -> None:
    def background(**settings: Any) -> str:
        browser.open(pages["usual"], width=1000, **settings)
        return str(browser.run("getComputedStyle(document.documentElement).backgroundColor"))

    white = "rgb(255, 255, 255)"
    assert (background(), background(scheme="dark", media="print")) == (white, white)
    assert background(scheme="dark") != white


def test_texts_of_others_stay_text(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["hostile"], width=1000)
    assert browser.run("document.title") != "stolen"
    assert browser.run("document.querySelectorAll('img, script').length") == 0
    assert browser.run("performance.getEntriesByType('resource').length") == 0
    names = browser.run("[...document.querySelectorAll('td b')].map(each => each.textContent)")
    assert {text.replace("\u202e", "") for text in HOSTILE} == set(names)
    assert browser.run("[...document.querySelectorAll('td b')].every(each => each.offsetWidth > 10)")


def test_print_cuts_no_row(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["long"], width=700, media="print")
    columns, cut = browser.run(CUT_ROWS)
    assert columns > 3
    assert cut == 0


def test_print_repeats_the_heads_of_tables_and_keeps_the_bars(browser: Browser, pages: dict[str, Path]) -> None:
    browser.open(pages["long"], width=700, media="print")
    style = "getComputedStyle(document.querySelector('{}')).{}".format
    assert browser.run(style("thead", "display")) == "table-header-group"
    assert browser.run(style(".bar", "printColorAdjust")) == "exact"
    assert browser.print().count(b"/Type /Page\n") > 3
