"""Accounts whose status page a test looks at.

python -m tests.support.status_page     # draws the picture in README.md again
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from lightsail_snapshots.drill_options import Drill
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.recovery_points import InstanceStatus
from lightsail_snapshots.selection import Select
from lightsail_snapshots_cli.status_page import render
from lightsail_snapshots_cli.status_report import (
    NO_PLAN,
    OVERDUE,
    CloneLeft,
    Failure,
    Holdings,
    NextRun,
    Proof,
    Protection,
    Report,
    Row,
)
from lightsail_snapshots_cli.uncovered import Uncovered
from tests.support.browser import find_browser, running

PICTURE = Path(__file__).parents[2] / "docs" / "images" / "status.png"

NOW = datetime(2026, 11, 26, 9, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MAX_AGE = timedelta(hours=26)

SCRIPT = "<script>document.title='stolen'</script>"
HOSTILE = ('"><img src=x onerror=alert(1)>', "web\u202e1-live", SCRIPT, "{{ 7 * 7 }}", "a" * 255)
"""Texts that try to become markup, to turn the reading direction, and to push everything aside."""


def make_row(  # noqa: PLR0913  each test sets what it is about
    name: str,
    age: timedelta | None,
    *,
    plan: str = "daily",
    region: str = "eu-central-1",
    copy_age: timedelta | None = None,
    proof: Proof | None = None,
    failure: str = "",
) -> Row:
    """Make the row of an instance in a plan that copies to eu-west-1; the plan daily has drills."""
    made = Instance(name=name, arn=f"arn:{name}", tags={}, created_at=NOW - 30 * DAY)
    behind = 30 * DAY if age is None else age
    overdue_since = NOW - (behind - MAX_AGE) if behind > MAX_AGE else None
    own = InstanceStatus(
        instance=made,
        region=region,
        copy_region=None,
        recovery_point_at=NOW - age if age else None,
        age=behind,
        overdue_since=overdue_since,
    )
    copy = InstanceStatus(
        instance=made,
        region=region,
        copy_region="eu-west-1",
        recovery_point_at=NOW - copy_age if copy_age else None,
        age=copy_age or 30 * DAY,
        overdue_since=None if copy_age else NOW - DAY,
    )
    drill = Drill(schedule="cron(0 5 ? * SUN *)", max_age=35 * DAY) if plan == "daily" else None
    found = Plan(name=plan, select=Select(all_instances=True), max_age=MAX_AGE, copy_to=("eu-west-1",), drill=drill)
    return Row(
        instance=made,
        region=region,
        protections=[Protection(plan=found, statuses=[own, copy])],
        recovery_point_at=NOW - age if age else None,
        age=age,
        proof=proof,
        next_run=NextRun(NOW + 15 * HOUR, is_exact=True),
        mark=OVERDUE if overdue_since or copy_age is None else "",
        failure=Failure(NOW - HOUR, failure) if failure else None,
    )


def make_unprotected(name: str, mark: str = NO_PLAN) -> Row:
    """Make the row of an instance that no plan selects."""
    made = Instance(name=name, arn=f"arn:{name}", tags={}, created_at=NOW - 30 * DAY)
    none = {"recovery_point_at": None, "age": None, "proof": None, "next_run": None}
    return Row(instance=made, region="ap-south-1", protections=[], mark=mark, **none)


def make_report(
    rows: Sequence[Row],
    uncovered: Sequence[Uncovered] = (),
    problems: Sequence[str] = (),
    clones_left: Sequence[CloneLeft] = (),
) -> Report:
    """Make a report with these rows."""
    return Report(
        now=NOW,
        rows=rows,
        uncovered=uncovered,
        holdings=Holdings(count=62, size_in_gb=1240),
        problems=problems,
        clones_left=clones_left,
        skipped=("ap-southeast-3", "eu-south-2"),
        has_failures=True,
    )


def usual_report() -> Report:
    """Make a report of a small account in which something is wrong."""
    proof = Proof(NOW - 5 * DAY, 212)
    text = "AWS denied the call: AccessDeniedException: not authorized to perform lightsail:CreateInstanceSnapshot"
    rows = [
        make_row("blog", 3 * DAY, copy_age=3 * DAY, failure=text),
        make_row("mail", 25 * HOUR, copy_age=25 * HOUR),
        make_row("shop", 9 * HOUR, copy_age=9 * HOUR, region="us-east-1", proof=proof),
        make_row("wiki", 4 * HOUR, copy_age=None, plan="weekly"),
        make_unprotected("old", "OUTSIDE YOUR REGIONS"),
        make_unprotected("web-1"),
    ]
    return make_report(
        rows,
        [
            make_uncovered("shop-db", "managed database, mysql"),
            make_uncovered("data", "disk of 32 GB, attached to nothing"),
        ],
    )


def hostile_report() -> Report:
    """Make a report in which every text of others is hostile."""
    rows = [make_row(text, 9 * HOUR, plan=text, copy_age=9 * HOUR, failure=text) for text in HOSTILE]
    rows += [make_unprotected(text) for text in HOSTILE]
    uncovered = [make_uncovered(text, text) for text in HOSTILE]
    left = [CloneLeft(name=text, region="eu-west-1", drill_of=text, until=NOW - HOUR) for text in HOSTILE]
    return make_report(rows, uncovered, problems=HOSTILE, clones_left=left)


def long_report() -> Report:
    """Make a report of several printed pages, with rows of different heights."""
    text = "The snapshot is in the state error, and Lightsail does not say why. " * 4
    return make_report(
        [make_row(f"web-{n}", 3 * HOUR, copy_age=4 * HOUR, failure=text * (n % 3)) for n in range(60)],
        [make_uncovered(f"db-{n}", "managed database, mysql") for n in range(60)],
    )


def make_uncovered(name: str, kind: str) -> Uncovered:
    """Make a resource that nothing covers."""
    return Uncovered(name=name, region="us-east-1", kind=kind, resource_type="Disk")


def draw_picture() -> None:
    """Draw the picture of README.md: the page down to the end of the first plan."""
    command = find_browser()
    if command is None:
        raise SystemExit("No browser starts here: run `make build/chromium/ready`")
    with TemporaryDirectory() as folder, running(command, Path(folder)) as browser:
        page = Path(folder) / "status.html"
        page.write_text(render(usual_report()), encoding="utf-8")
        browser.open(page, width=860)
        height = browser.run("document.querySelector('section').getBoundingClientRect().bottom")
        PICTURE.write_bytes(browser.screenshot(height + 16))


if __name__ == "__main__":
    draw_picture()
