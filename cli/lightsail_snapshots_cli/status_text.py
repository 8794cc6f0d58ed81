"""`status` as a table for a terminal."""

from collections.abc import Callable
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from lightsail_snapshots.text import clean
from lightsail_snapshots_cli.status_report import MARKS, CloneLeft, NextRun, Report, Row
from lightsail_snapshots_cli.terminal import format_age


def show(console: Console, report: Report) -> None:
    """Print a table of the instances, what is not covered, and a line that counts."""
    if report.rows:
        console.print(_instances(report))
    if report.uncovered:
        console.print(_uncovered(report))
    if report.clones_left:
        console.print(_clones_left(report))
    count = len(report.rows)
    console.print(f"{count} instance{'' if count == 1 else 's'}: {summarize(report)}.")


def summarize(report: Report) -> str:
    """Return how many instances have each mark, and what is not covered."""
    marks = [f"{count} {mark}" for mark in MARKS if (count := report.count(mark))]
    uncovered = [f"{len(report.uncovered)} other resources NOT COVERED"] if len(report.uncovered) > 1 else []
    uncovered = uncovered or ["1 other resource NOT COVERED"] * len(report.uncovered)
    count = len(report.clones_left)
    left = [f"{count} CLONE{'' if count == 1 else 'S'} OF DRILLS LEFT"] if count else []
    return ", ".join([*marks, *uncovered, *left]) or "nothing is overdue"


def format_next_run(run: NextRun | None, now: datetime) -> str:
    """Write how long it is until the next run: `in 15 h`, or `within 24 h` if it is not known exactly."""
    if run is None:
        return "-"
    return f"{'in' if run.is_exact else 'within'} {format_age(run.latest - now)}"


def _instances(report: Report) -> Table:
    columns: dict[str, Callable[[Row], str]] = {
        "INSTANCE": lambda row: clean(row.instance.name),
        "REGION": lambda row: row.region,
        "NEWEST": lambda row: format_age(row.age) if row.age is not None else "none",
        "MAX AGE": lambda row: format_age(row.max_age) if row.max_age else "-",
        "COPIES": lambda row: _copies(row, report.now),
        "PROVEN": lambda row: _proof(row, report.now),
        "NEXT RUN": lambda row: format_next_run(row.next_run, report.now),
        "PLAN": lambda row: ", ".join(row.plans) or ("-" if row.mark else "none, as plans.toml says"),
    }
    if not any(row.has_drill for row in report.rows):
        del columns["PROVEN"]
    table = _table(*columns, "")
    for row in report.rows:
        mark = Text(row.mark, "bold red" if row.overdue_since else "yellow")
        table.add_row(*(write(row) for write in columns.values()), mark)
    return table


def _copies(row: Row, now: datetime) -> str:
    ages = (f"{region} {format_age(now - at) if at else 'none'}" for region, at in row.copies.items())
    return ", ".join(ages) or "-"


def _proof(row: Row, now: datetime) -> str:
    """Write when a restore was last seen to work, and how long it took."""
    if row.proof is None:
        return "never" if row.has_drill else "-"
    seconds = "" if row.proof.seconds is None else f" in {row.proof.seconds} s"
    return f"{format_age(now - row.proof.at)} ago{seconds}"


def what_to_do(clone: CloneLeft, now: datetime) -> str:
    """Say what is wrong with a clone that was left, and what to do."""
    return (
        f"should be gone since {format_age(now - clone.until)}, and costs money: delete it in Lightsail, or let"
        " the next drill do it"
    )


def _clones_left(report: Report) -> Table:
    table = _table("CLONE OF A DRILL", "REGION", "")
    for each in report.clones_left:
        table.add_row(clean(each.name), each.region, Text(what_to_do(each, report.now), "bold red"))
    return table


def _uncovered(report: Report) -> Table:
    table = _table("NOT COVERED", "REGION", "")
    for each in report.uncovered:
        table.add_row(clean(each.name), each.region, each.kind)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in columns:
        table.add_column(name, overflow="fold")
    return table
