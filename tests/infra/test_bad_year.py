"""Nothing is silent in a bad year, and nothing is said in vain in a good week."""

from datetime import timedelta

import pytest

from tests.infra.bad_year import (
    NEVER,
    OPERATIONS,
    START,
    good_nights,
    old_instance,
    table,
    template,
    with_table,
)
from tests.support.cloud import Said, deployed


@pytest.fixture(scope="module")
def bad_year() -> str:
    return table()


def test_every_cause_of_a_bad_year_is_said(bad_year: str) -> None:
    assert [line for line in bad_year.splitlines() if f" {NEVER} " in line] == []


def test_table_in_the_documents_is_what_the_simulation_shows(bad_year: str) -> None:
    text = OPERATIONS.read_text(encoding="utf-8")
    assert with_table(text, bad_year) == text, "run python -m tests.infra.bad_year"


def subjects(said: list[Said]) -> list[tuple[timedelta, str, str]]:
    """Return when each message and alarm came, its kind and subject; an alarm's without the prefix that all have."""
    return [
        (each.at - START, each.kind, each.subject.removeprefix("lightsail-snapshots-"))
        for each in said
        if each.kind in {"message", "alarm"}
    ]


FIRST_AUDIT = timedelta(hours=5, minutes=50)
UNTIL_THE_FIRST_AUDIT = (timedelta(minutes=5), "alarm", "audit-missing")
"""True, for up to six hours after the first deployment."""


def test_nothing_is_said_in_a_good_week_but_that_no_audit_has_run_yet() -> None:
    with deployed(template(), START) as cloud:
        good_nights(cloud, 7)
        assert subjects(cloud.said) == [UNTIL_THE_FIRST_AUDIT]
        assert {alarm.state for alarm in cloud.alarms.values()} <= {"OK", "INSUFFICIENT_DATA"}
        heartbeats = [each for each in cloud.said if each.kind == "heartbeat"]
        assert len(heartbeats) == 7 * (4 + 1), "every six hours, and each daily report"


def test_first_day_beside_an_old_instance_says_only_that_it_has_no_snapshot() -> None:
    with deployed(template(), START) as cloud:
        old_instance(cloud)
        cloud.run(timedelta(hours=17))  # until its first snapshot
        overdue = [
            (FIRST_AUDIT, "message", "Overdue: web-1 (plan daily)"),
            (FIRST_AUDIT, "alarm", "overdue-daily"),
        ]
        assert subjects(cloud.said) == [UNTIL_THE_FIRST_AUDIT, *overdue]
