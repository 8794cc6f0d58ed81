"""Restore drills of a deployed plan, on Sundays of a simulated clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tests.infra.bad_year import AWAY, HOME, make
from tests.infra.synthesized import Synthesized
from tests.support.cloud import Cloud, deployed

SATURDAY = datetime(2027, 1, 9, 22, tzinfo=UTC)


def sunday(cloud: Cloud) -> list[dict[str, Any]]:
    """Let the night to Sunday and its morning pass; return the details of the drills that passed or failed."""
    seen = len(cloud.events)
    cloud.run(timedelta(hours=9))
    ended = {"Restore Drill Passed", "Restore Drill Failed"}
    return [each["detail"] for each in cloud.events[seen:] if each["detail-type"] in ended]


def jump(cloud: Cloud) -> None:
    """Go to the next Saturday, without the days between."""
    length = timedelta(days=7) - timedelta(hours=9)
    cloud.now += length
    cloud.emulator.clock.advance(length.total_seconds())


def instances(cloud: Cloud) -> set[str]:
    return {
        name
        for region in (HOME, AWAY)
        for name, one in cloud.emulator.region(region).names.items()
        if one.kind == "Instance"
    }


def test_oldest_proof_is_renewed_each_sunday_copies_in_turn(with_drill_without_probe: Synthesized) -> None:
    with deployed(with_drill_without_probe, SATURDAY) as cloud:
        for name in ("web-1", "web-2"):
            make(cloud, name)
        drills = []
        for _ in range(4):
            drills += sunday(cloud)
            jump(cloud)
        assert [(each["instanceName"], each["region"]) for each in drills] == [
            ("web-1", HOME),
            ("web-2", HOME),
            ("web-1", AWAY),
            ("web-2", AWAY),
        ]
        assert instances(cloud) == {"web-1", "web-2"}


def test_clone_that_never_gets_healthy_is_told_to_a_person_and_proves_nothing(
    with_drill_without_probe: Synthesized,
) -> None:
    with deployed(with_drill_without_probe, SATURDAY) as cloud:
        make(cloud, "web-1")
        cloud.emulator.faults.add("status-fails")
        [failed] = sunday(cloud)
        assert (failed["reason"], failed["restoreFailed"]) == ("NotHealthy", True)
        assert [each.subject for each in cloud.said if each.subject.startswith("Restore failed")] == [
            "Restore failed: web-1 (plan daily)"
        ]
        tags = [one.tags for one in cloud.emulator.region(HOME).names.values() if one.kind == "InstanceSnapshot"]
        assert not any("proven-at" in each for each in tags)
        assert instances(cloud) == {"web-1"}
