"""`drill`: one restore drill now, followed until its clone is gone."""

import json
import shlex
from datetime import timedelta
from typing import Any
from unittest.mock import patch

import pytest
from click.testing import Result

from lightsail_snapshots.naming import format_utc
from tests.support.command_line import PROVEN_PLANS, CommandLine, current_time
from tests.support.drills import clones, instances, snapshot_tags
from tests.support.fake_aws import client

HOUR = timedelta(hours=1)
SLOT = ["--slot", "2026-11-25T09:30:00Z"]


@pytest.fixture
def drills(commands: CommandLine) -> CommandLine:
    """The command line on a plan with drills, which selects `shop`; it has a snapshot, and a copy of that."""
    commands.plans = PROVEN_PLANS
    shop = commands.instance("shop", backup="daily")
    commands.snapshot(shop, 9 * HOUR, "shop-2")
    commands.aws.emulator.settings.status_check_seconds = 60
    return commands


def resume(commands: CommandLine, stderr: str) -> Result:
    """Run the command that an interrupted one has printed."""
    commands.while_waiting = None
    return commands.run(*shlex.split(stderr.strip().rpartition(": lightsail-snapshots ")[2]))


def sent(commands: CommandLine) -> list[Any]:
    return commands.messages("DrillQueue")


def test_drill_ends_with_0_when_the_clone_works_and_is_gone(drills: CommandLine) -> None:
    shown = drills.run("drill", "shop")
    assert (shown.exit_code, shown.stdout) == (0, "shop-2 in us-east-1: passed, restored in 60 s, for 0.0067 USD\n")
    assert shown.stderr.splitlines()[0].startswith("Waiting for drill-shop-")
    assert clones() == []
    assert snapshot_tags("shop-2")["proven-seconds"] == "60"


def test_drill_says_what_happens_meanwhile(drills: CommandLine) -> None:
    [first, *more] = drills.run("drill", "shop").stderr.splitlines()
    name = first.split()[2]
    assert more == [f"{name} is not running yet."]


def test_drill_sends_a_request_of_our_own_source_to_the_queue(drills: CommandLine) -> None:
    drills.while_waiting = lambda: None
    drills.run("drill", "shop", "--timeout", "1s", "--keep-for", "90m", *SLOT)
    [event] = sent(drills)
    assert (event["source"], event["detail-type"]) == ("lightsail-snapshots", "Restore Drill Requested")
    assert event["detail"] == {
        "plan": "daily",
        "instanceName": "shop",
        "instanceSnapshotName": "shop-2",
        "region": "us-east-1",
        "drill": {**PROVEN_PLANS[0]["drill"], "timeLimit": "PT45M"},
        "scheduledTime": "2026-11-25T09:30:00Z",
        "keepFor": "PT90M",
    }
    assert drills.requests() == [], "nothing is put on the bus"


def test_drill_takes_the_copy_when_it_is_its_turn(drills: CommandLine) -> None:
    assert drills.run("drill", "shop").stdout.startswith("shop-2 in us-east-1: passed")
    drills.copy(drills.find("shop"), 9 * HOUR, "shop-2")
    shown = drills.run("drill", "shop", "--json")
    answer = json.loads(shown.stdout)
    assert (shown.exit_code, answer["state"], answer["region"]) == (0, "passed", "eu-west-1")
    assert (answer["seconds"], answer["secondsToHealthy"], answer["costUsd"]) == (60, 60, 0.0067)
    assert clones("eu-west-1") == []


def test_drill_ends_with_1_and_the_reason_when_the_clone_does_not_work(drills: CommandLine) -> None:
    drills.aws.emulator.faults.add("status-fails")
    shown = drills.run("drill", "shop", "--timeout", "4h")
    assert shown.exit_code == 1
    assert shown.stdout == (
        "shop-2 in us-east-1: failed, NotHealthy. After 2700 seconds: it runs but its status check does not pass.\n"
    )
    assert "it runs but its status check does not pass.\n" in shown.stderr
    assert clones() == []
    assert "proven-at" not in snapshot_tags("shop-2")


def test_drill_ends_with_1_when_nothing_can_be_tried(drills: CommandLine) -> None:
    drills.aws.emulator.faults.add("access-denied", operation="CreateInstancesFromSnapshot")
    shown = drills.run("drill", "shop", "--json")
    answer = json.loads(shown.stdout)
    assert (shown.exit_code, answer["state"], answer["reason"]) == (1, "failed", "AccessDenied")
    assert answer["message"].startswith("The role of the drill function may not do this.")


def test_drill_ends_with_1_when_somebody_deletes_the_clone(drills: CommandLine) -> None:
    drills.aws.emulator.settings.status_check_seconds = 600
    run = drills._run_drills

    def delete() -> None:
        run()
        for name in clones():
            client("lightsail").delete_instance(instanceName=name)

    with patch.object(drills, "_run_drills", delete):
        shown = drills.run("drill", "shop")
    assert (shown.exit_code, "failed, InstanceGone." in shown.stdout) == (1, True)


def test_drill_ends_with_4_at_the_timeout_and_can_be_continued(drills: CommandLine) -> None:
    drills.while_waiting = lambda: None
    shown = drills.run("drill", "shop", "--timeout", "30s")
    assert (shown.exit_code, shown.stdout) == (4, "shop-2 in us-east-1: pending\n")
    again = resume(drills, shown.stderr)
    assert (again.exit_code, "passed" in again.stdout) == (0, True)


def test_drill_ends_with_its_verdict_when_only_the_deletion_is_not_done(drills: CommandLine) -> None:
    drills.aws.emulator.faults.add("access-denied", operation="DeleteInstance", times=1000)
    shown = drills.run("drill", "shop", "--timeout", "60s")
    assert (shown.exit_code, "passed" in shown.stdout) == (0, True)
    assert shown.stderr.count(" has its verdict, and is being deleted.\n") == 1
    assert "Its clone is not gone yet. To go on: lightsail-snapshots drill shop" in shown.stderr


def test_drill_ends_with_130_when_interrupted_and_can_be_continued(drills: CommandLine) -> None:
    def interrupt() -> None:
        raise KeyboardInterrupt

    drills.while_waiting = interrupt
    shown = drills.run("drill", "shop", "--keep-for", "1h")
    assert (shown.exit_code, shown.stdout) == (130, "")
    assert "Interrupted; the drill goes on, and its clone is deleted anyway. To follow it: " in shown.stderr
    assert "is kept until" in resume(drills, shown.stderr).stdout
    assert len(clones()) == 1


def test_drill_of_a_slot_is_not_done_twice(drills: CommandLine) -> None:
    assert drills.run("drill", "shop", *SLOT).exit_code == 0
    shown = drills.run("drill", "shop", *SLOT)
    assert (shown.exit_code, "passed" in shown.stdout) == (0, True)
    assert sent(drills) == []


def test_repeated_drill_follows_the_one_whose_clone_is_there(drills: CommandLine) -> None:
    assert drills.run("drill", "shop", "--keep-for", "1h").exit_code == 0
    [name] = clones()
    shown = drills.run("drill", "shop")
    assert "A drill of this instance is there already: it is followed, and no new one begins." in shown.stderr
    assert shown.stdout.startswith("shop-2 in us-east-1: passed")
    assert sent(drills) == []
    assert clones() == [name]


def test_drill_begins_anew_when_the_clone_of_an_earlier_one_was_left(drills: CommandLine) -> None:
    drills.run("drill", "shop", "--keep-for", "1h", *SLOT)
    [name] = clones()
    with patch("lightsail_snapshots_cli.clock.now", lambda: current_time() + 5 * HOUR):
        drills.aws.emulator.clock.advance(5 * 3600)
        drills._drills.clear()
        assert drills.run("drill", "shop").exit_code == 0
    assert name not in instances()


def test_kept_clone_is_named_with_its_address_and_its_end(drills: CommandLine) -> None:
    shown = drills.run("drill", "shop", "--keep-for", "1h", "--json")
    answer = json.loads(shown.stdout)
    [name] = clones()
    found = client("lightsail").get_instance(instanceName=name)["instance"]
    assert (answer["drillInstanceName"], answer["address"]) == (name, found["publicIpAddress"])
    assert answer["keptUntil"] == format_utc(found["createdAt"] + timedelta(seconds=60) + HOUR)
    assert answer["keptUntil"] < instances()[name]["drill-until"]
    for _ in range(70):
        drills._sleep(5)
    assert clones() == [], "the queue deletes it"


def test_drill_waits_while_another_one_is_in_the_region(drills: CommandLine) -> None:
    drills.snapshot(drills.instance("blog", backup="daily"), HOUR, "blog-1")
    drills.run("drill", "shop", "--keep-for", "1h")
    [name] = clones()
    shown = drills.run("drill", "blog", "--timeout", "2h")
    assert shown.stdout.startswith("blog-1 in us-east-1: passed")
    assert f"waits for {name}.\n" in shown.stderr


def test_drill_ends_with_1_when_no_plan_has_drills(commands: CommandLine) -> None:
    shown = commands.run("drill", "web-1")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("Error: No plan has restore drills: read docs/drill.md, give one a `drill`")


def test_drill_ends_with_1_when_no_plan_with_drills_selects_the_instance(drills: CommandLine) -> None:
    shown = drills.run("drill", "web-1")
    assert shown.exit_code == 1
    assert shown.stderr.startswith("Error: No plan with restore drills selects web-1 in us-east-1: ")
    assert sent(drills) == []


def test_drill_ends_with_1_when_there_is_no_usable_snapshot(drills: CommandLine) -> None:
    drills.instance("blog", backup="daily")
    shown = drills.run("drill", "blog")
    assert shown.exit_code == 1
    assert shown.stderr == "Error: blog has no usable snapshot: `lightsail-snapshots take blog --wait` takes one.\n"


def test_drill_ends_with_2_when_the_clone_would_be_kept_too_long(drills: CommandLine) -> None:
    shown = drills.run("drill", "shop", "--keep-for", "2d")
    assert shown.exit_code == 2
    assert "detail.keepFor: must be at most PT12H, not P2D" in shown.stderr


def test_drill_ends_with_5_when_there_is_no_such_instance(drills: CommandLine) -> None:
    shown = drills.run("drill", "shup")
    assert (shown.exit_code, shown.stderr) == (5, "Error: There is no instance shup in us-east-1; did you mean shop?\n")


def test_drill_goes_on_after_a_short_outage(drills: CommandLine) -> None:
    drills.aws.emulator.faults.add("unreachable", operation="GetInstanceSnapshot", times=4)
    assert drills.run("drill", "shop").exit_code == 0


def test_drill_can_be_continued_when_the_network_stays_away(drills: CommandLine) -> None:
    drills.while_waiting = lambda: None
    drills.aws.emulator.faults.add("unreachable", operation="GetInstanceSnapshot", times=1000)
    shown = drills.run("drill", "shop")
    assert shown.exit_code == 1
    assert "AWS could not be reached while looking at the drill: check your network" in shown.stderr
    drills.aws.emulator.faults.clear()
    assert resume(drills, shown.stderr).exit_code == 0


def test_why_tells_of_drills(drills: CommandLine) -> None:
    drills.run("drill", "shop", "--slot", format_utc(current_time() - HOUR))
    drills.aws.emulator.faults.add("access-denied", operation="CreateInstancesFromSnapshot")
    drills.run("drill", "shop")
    entries = [
        (each["what"], each["why"]) for each in json.loads(drills.run("why", "shop", "--json").stdout)["timeline"]
    ]
    assert entries[0] == ("Restore drill requested", "plan daily selected it")
    assert ("Restore drill passed", "60 s after the request") in entries
    [why] = [why for what, why in entries if what == "Restore drill failed: AccessDenied"]
    assert why.startswith("The role of the drill function may not do this.")
