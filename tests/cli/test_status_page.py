"""`status --html`: what is on the page, and that no text of others can change it."""

import os
import re
import stat
from collections.abc import Iterator
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.status_page import render, write_page
from lightsail_snapshots_cli.status_report import CloneLeft, Proof
from tests.support.command_line import CommandLine
from tests.support.events import requested, time_now
from tests.support.fake_aws import client
from tests.support.status_page import HOSTILE, NOW, hostile_report, make_report, make_row, usual_report

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
TEXT_COLORS = ("text", "muted", "good", "bad", "warn")


class Page(HTMLParser):
    """Collects what a page has."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self._open = ""
        self._data: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {key for key, _ in attrs}
        self._open = tag

    def handle_data(self, data: str) -> None:
        if self._open != "style":
            self._data.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self._data).split())


def page_of(commands: CommandLine, path: Path, *arguments: str) -> str:
    commands.run("status", "--html", str(path), *arguments)
    return Page(path.read_text(encoding="utf-8")).text


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "status.html"


def test_page_shows_each_plan_what_is_wrong_and_what_it_costs() -> None:
    text = Page(render(usual_report())).text
    for expected in (
        "2 of 6 instances are overdue",
        "2026-11-26 09:30 UTC",
        "Plan daily A snapshot may be 26 h old. Next run: in 15 h. Copies to eu-west-1.",
        "blog eu-central-1 OVERDUE 3 d of 26 h 2026-11-23 09:30 UTC eu-west-1 3 d never AWS denied the call:",
        "shop us-east-1 9 h of 26 h 2026-11-26 00:30 UTC eu-west-1 9 h 5 d ago in 212 s",
        "wiki eu-central-1 OVERDUE 4 h of 26 h 2026-11-26 05:30 UTC eu-west-1 none",
        "old OUTSIDE YOUR REGIONS ap-south-1 none",
        "web-1 NO PLAN ap-south-1 none",
        "shop-db NOT COVERED us-east-1 managed database, mysql",
        "data NOT COVERED us-east-1 disk of 32 GB, attached to nothing",
        "62 snapshots, at most $62.00 a month",
        "Skipped, since the account has not enabled them: ap-southeast-3, eu-south-2.",
    ):
        assert expected in text


def test_page_shows_proofs_only_of_plans_with_drills() -> None:
    weekly = make_row("wiki", HOUR, copy_age=HOUR, plan="weekly", proof=Proof(NOW - DAY, 212))
    assert "Restored" not in Page(render(make_report([weekly]))).text
    assert "Restored" in Page(render(usual_report())).text


def test_page_says_which_clones_drills_have_left_and_what_to_do() -> None:
    left = CloneLeft(name="drill-web-1", region="eu-west-1", drill_of="web-1", until=NOW - 3 * HOUR)
    text = Page(render(make_report([], clones_left=[left]))).text
    assert "1 clone of a drill left" in text
    assert "drill-web-1 eu-west-1 should be gone since 3 h, and costs money: delete it in Lightsail" in text
    assert "Left by restore drills" not in Page(render(usual_report())).text


@pytest.mark.parametrize(
    ("count", "overdue", "problems", "verdict"),
    [
        (2, 0, [], "Nothing is overdue"),
        (2, 0, ["No."], "Nothing is overdue among what could be looked at"),
        (1, 1, [], "1 of 1 instance is overdue"),
        (3, 1, ["No."], "1 of 3 instances is overdue"),
        (3, 2, [], "2 of 3 instances are overdue"),
    ],
)
def test_page_begins_with_the_verdict(count: int, overdue: int, problems: list[str], verdict: str) -> None:
    rows = [make_row(f"web-{number}", HOUR, copy_age=None if number < overdue else HOUR) for number in range(count)]
    html = render(make_report(rows, problems=problems))
    assert f"<title>Lightsail snapshots: {verdict}</title>" in html
    assert f"Lightsail snapshots {verdict} 2026-11-26" in Page(html).text


def test_page_shows_overdue_instances_first_and_how_much_of_max_age_has_passed() -> None:
    html = render(make_report([make_row("a", 13 * HOUR, copy_age=HOUR), make_row("b", None, copy_age=HOUR)]))
    assert re.findall(r'class="bar( over)?".*aria-label="(\d+) %.*width: (\d+)%', html) == [
        (" over", "100", "100"),
        ("", "50", "50"),
    ]
    assert re.findall(r"<td><b>(\w)</b>", html) == ["b", "a"]


def test_page_needs_nothing_from_elsewhere() -> None:
    page = Page(render(usual_report()))
    assert not page.tags & {"script", "link", "img", "iframe", "object", "base", "form", "a"}
    assert not {name for name in page.attributes if name.startswith("on") or name in {"src", "href", "srcset"}}
    assert not re.search(r"url\(|@import|https?:", render(usual_report()))


def test_page_escapes_text_of_others_and_removes_what_nobody_can_see() -> None:
    html = render(hostile_report())
    page = Page(html)
    assert page.tags == Page(render(usual_report())).tags | {"ul", "li"}
    assert "\u202e" not in html
    assert all(text.replace("\u202e", "") in page.text for text in HOSTILE)


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colors, as WCAG 2 defines it."""

    def luminance(color: str) -> float:
        values = (int(color[at : at + 2], 16) / 255 for at in (1, 3, 5))
        red, green, blue = (each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in values)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def color_schemes() -> Iterator[dict[str, str]]:
    for block in re.findall(r":root \{(.*?)\}", render(usual_report()), re.DOTALL):
        yield dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block))


def test_page_has_enough_contrast_in_each_color_scheme() -> None:
    schemes = list(color_schemes())
    assert len(schemes) == 3  # light, dark, print
    for colors in schemes:
        for background in ("page", "panel"):
            assert {name for name in TEXT_COLORS if contrast(colors[name], colors[background]) < 4.5} == set()
        assert min(contrast(colors[name], colors["track"]) for name in ("fill", "over")) >= 3


def test_status_writes_the_page_and_prints_the_table(commands: CommandLine, path: Path) -> None:
    shown = commands.run("status", "--html", str(path))
    assert (shown.exit_code, shown.stderr) == (0, f"Wrote {path}.\n")
    assert "web-1" in shown.stdout
    assert "Nothing is overdue" in path.read_text()


def test_page_shows_a_failure_until_a_newer_snapshot_is_usable(commands: CommandLine, path: Path) -> None:
    shop = commands.instance("shop", backup="daily")
    commands.snapshot(shop, DAY, "shop-1")
    commands.aws.emulator.faults.add("access-denied", operation="CreateInstanceSnapshot")
    commands.aws.request(requested({"instanceName": "shop"}, time=time_now()), first_at=clock.now())
    text = page_of(commands, path)
    assert "eu-west-1 none The role of the create function may not do this. AccessDeniedException: " in text
    assert "the logs were not read" not in text
    commands.aws.emulator.clock.advance(3600)
    commands.snapshot(shop, -MINUTE, "shop-2")
    assert "AccessDenied" not in page_of(commands, path)


def test_page_shows_that_the_logs_could_not_be_read(
    commands: CommandLine, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = client("logs").exceptions.ClientError(
        {"Error": {"Code": "AccessDenied", "Message": "no"}}, "FilterLogEvents"
    )

    def deny(*_: object) -> None:
        raise error

    monkeypatch.setattr("lightsail_snapshots_cli.logs._events", deny)
    shown = commands.run("status", "--html", str(path))
    assert shown.exit_code == 7
    text = Page(path.read_text()).text
    assert "Access denied while reading the logs: your credentials lack FilterLogEvents." in text
    assert "the logs were not read" in text


def test_page_of_a_plans_file_has_no_failures(commands: CommandLine, path: Path, tmp_path: Path) -> None:
    plans = tmp_path / "plans.toml"
    plans.write_text('[plans.all]\nschedule = "rate(1 day)"\nselect = { all = true }\n')
    text = page_of(commands, path, "--plans", str(plans))
    assert "It has no max_age, so nothing is overdue." in text
    assert "the logs were not read" in text


def test_page_replaces_an_older_one_at_once(path: Path) -> None:
    path.write_text("old")
    write_page(path, "new")
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]
    umask = os.umask(0)
    os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~umask


@pytest.mark.parametrize("name", ["missing/status.html", "x" * 300])
def test_status_ends_with_1_when_the_page_cannot_be_written(commands: CommandLine, tmp_path: Path, name: str) -> None:
    shown = commands.run("status", "--html", str(tmp_path / name))
    assert shown.exit_code == 1
    assert shown.stderr.startswith(f"Error: The page could not be written to {tmp_path / name}: ")
    assert list(tmp_path.iterdir()) == []
