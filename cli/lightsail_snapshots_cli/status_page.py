"""`status` as a page: one file without scripts, for a browser, a phone and a printer."""

import os
import tempfile
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lightsail_snapshots.plan import Plan
from lightsail_snapshots.recovery_points import InstanceStatus
from lightsail_snapshots.text import clean
from lightsail_snapshots_cli.errors import CommandError
from lightsail_snapshots_cli.prices import DOLLARS_PER_GB
from lightsail_snapshots_cli.status_report import MARKS, OVERDUE, NextRun, Protection, Report, Row
from lightsail_snapshots_cli.status_text import format_next_run, what_to_do
from lightsail_snapshots_cli.terminal import format_age


class PlanRow(NamedTuple):
    """One instance of one plan."""

    row: Row
    protection: Protection

    @property
    def is_too_old(self) -> bool:
        """Whether its own snapshots are, and not only its copies."""
        return any(each.overdue_since for each in self.protection.statuses if each.copy_region is None)

    @property
    def percent(self) -> int | None:
        """How much of `max_age` has passed, at most 100; None if the plan has none."""
        own, max_age = self.protection.statuses[0], self.protection.plan.max_age
        return min(100, round(100 * (own.age / max_age))) if max_age else None


class PlanSection(NamedTuple):
    """One plan and its instances, the overdue ones first."""

    plan: Plan
    rows: Sequence[PlanRow]

    @property
    def next_run(self) -> NextRun | None:
        """The same for all instances of the plan; None if it has none."""
        return next((each.row.next_run for each in self.rows if len(each.row.protections) == 1), None)


def render(report: Report) -> str:
    """Return the HTML. Every text of others is escaped, and has no invisible characters."""
    environment = Environment(
        loader=PackageLoader("lightsail_snapshots_cli"),
        autoescape=True,
        finalize=_clean,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "age": _format_age,
        "ago": partial(_format_ago, now=report.now),
        "utc": _format_utc,
        "next_run": partial(format_next_run, now=report.now),
        "copy": partial(_format_copy, now=report.now),
        "what_to_do": partial(what_to_do, now=report.now),
    }
    return environment.get_template("status.html").render(
        report=report,
        plans=plan_sections(report.rows),
        unprotected=[row for row in report.rows if not row.protections],
        marks=MARKS,
        overdue=report.count(OVERDUE),
        verdict=_verdict(report),
        dollars_per_gb=DOLLARS_PER_GB,
    )


def plan_sections(rows: Sequence[Row]) -> list[PlanSection]:
    """Return a section for each plan that selects an instance; one that two plans select is in both."""
    found: dict[str, list[PlanRow]] = {}
    for row in rows:
        for protection in row.protections:
            found.setdefault(protection.plan.name, []).append(PlanRow(row, protection))
    return [
        PlanSection(here[0].protection.plan, sorted(here, key=lambda each: not each.protection.overdue_since))
        for _, here in sorted(found.items())
    ]


def write_page(path: Path, text: str) -> None:
    """Write a file at once, so that nobody reads half of it; end the command if that cannot be done."""
    try:
        with tempfile.NamedTemporaryFile(
            "w", encoding="utf-8", dir=path.parent, prefix=f".{path.name}.", delete=False
        ) as file:
            temporary = Path(file.name)
            file.write(text)
        try:
            temporary.chmod(0o666 & ~_umask())  # a temporary file is its owner's alone
            temporary.replace(path)
        except OSError:
            temporary.unlink()
            raise
    except OSError as error:
        raise CommandError(f"The page could not be written to {path}: {error.strerror}.") from error


def _verdict(report: Report) -> str:
    count, overdue = len(report.rows), report.count(OVERDUE)
    if overdue:
        return f"{overdue} of {count} instance{'' if count == 1 else 's'} {'is' if overdue == 1 else 'are'} overdue"
    return "Nothing is overdue" + (" among what could be looked at" if report.problems else "")


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _clean(value: object) -> object:
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _format_utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _format_age(age: timedelta) -> Markup:
    """Write an age whose number and unit stay on one line."""
    return Markup("&nbsp;").join(format_age(max(age, timedelta(0))).split())


def _format_ago(moment: datetime, now: datetime) -> str:
    return Markup("{} ago").format(_format_age(now - moment))


def _format_copy(status: InstanceStatus, now: datetime) -> str:
    at = status.recovery_point_at
    return Markup("{} {}").format(status.copy_region, _format_age(now - at) if at else "none")
