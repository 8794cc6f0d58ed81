"""`status`: the table, its marks and its exit statuses."""

import json
import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from lightsail_snapshots.naming import format_utc
from lightsail_snapshots_cli import clock
from tests.support.command_line import PROVEN_PLANS, CommandLine
from tests.support.fake_aws import client, make_instance

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def fleet(commands: CommandLine) -> None:
    """Make a protected instance, an overdue one, one without a plan, and one in another Region."""
    shop = commands.instance("shop", backup="daily")
    commands.snapshot(shop, 9 * HOUR, "shop-2")
    commands.copy(shop, 9 * HOUR, "shop-2")
    blog = commands.instance("blog", "eu-central-1", backup="daily")
    commands.snapshot(blog, 3 * DAY, "blog-1", "eu-central-1")
    commands.copy(blog, 3 * DAY, "blog-1")
    commands.instance("old", "ap-south-1")


def rows(commands: CommandLine, *arguments: str) -> dict[str, Any]:
    shown = commands.run("status", "--json", *arguments)
    return {row["instanceName"]: row for row in json.loads(shown.stdout)["instances"]}


def test_status_marks_what_is_wrong_and_ends_with_3(commands: CommandLine) -> None:
    fleet(commands)
    shown = commands.run("status")
    assert shown.exit_code == 3
    assert [line.rstrip() for line in shown.stdout.splitlines()] == [
        "INSTANCE  REGION        NEWEST  MAX AGE  COPIES         NEXT RUN     PLAN",
        "old       ap-south-1    none    -        -              -            -      OUTSIDE YOUR REGIONS",
        "blog      eu-central-1  3 d     26 h     eu-west-1 3 d  within 24 h  daily  OVERDUE",
        "shop      us-east-1     9 h     26 h     eu-west-1 9 h  within 24 h  daily",
        "web-1     us-east-1     none    -        -              -            -      NO PLAN",
        "4 instances: 1 OVERDUE, 1 NO PLAN, 1 OUTSIDE YOUR REGIONS.",
    ]


def test_status_ends_with_0_when_nothing_is_overdue(commands: CommandLine) -> None:
    fleet(commands)
    shown = commands.run("status", "shop")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.endswith("1 instance: nothing is overdue.\n")


@pytest.mark.parametrize("owner", ["lightsail-snapshots-drill", "lightsail-snapshots-doctor"])
def test_status_skips_what_a_drill_or_doctor_made(commands: CommandLine, owner: str) -> None:
    commands.instance("temporary", **{"managed-by": owner})
    assert rows(commands).keys() == {"web-1"}


def test_status_of_one_region_counts_copies_in_others(commands: CommandLine) -> None:
    fleet(commands)
    found = rows(commands, "--region", "us-east-1")
    assert found.keys() == {"shop", "web-1"}
    assert found["shop"]["copies"]["eu-west-1"] == found["shop"]["recoveryPointAt"]


def test_status_is_overdue_when_a_copy_is_missing(commands: CommandLine) -> None:
    shop = commands.instance("shop", backup="daily")
    commands.snapshot(shop, HOUR, "shop-2")
    commands.copy(shop, 9 * DAY, "shop-1")
    assert rows(commands)["shop"]["mark"] == "OVERDUE"


def test_status_takes_the_plans_of_a_file_without_a_deployment(commands: CommandLine, tmp_path: Path) -> None:
    commands.is_deployed = False
    path = tmp_path / "plans.toml"
    path.write_text('[plans.all]\nschedule = "cron(15 3 * * ? *)"\nselect = { all = true }\nmax_age = "2d"\n')
    found = rows(commands, "--plans", str(path))
    assert (found["web-1"]["plans"], found["web-1"]["maxAge"]) == (["all"], "P2D")


def test_status_suggests_a_name_when_there_is_no_such_instance(commands: CommandLine) -> None:
    shown = commands.run("status", "web-2")
    assert shown.exit_code == 5
    assert shown.stderr == (
        "Error: There is no instance web-2 in the Regions that were looked at; did you mean web-1?\n"
    )


def test_status_skips_a_region_that_is_not_enabled(commands: CommandLine) -> None:
    for region in ("ap-south-1", "ap-northeast-2"):
        no = {"error": "UnrecognizedClientException", "message": "no", "times": 100}
        commands.aws.emulator.faults.add("error", region=region, **no)
    shown = commands.run("status")
    skipped = "Skipped, since the account has not enabled them: ap-northeast-2, ap-south-1.\n"
    assert (shown.exit_code, shown.stderr) == (0, skipped)
    assert "web-1" in shown.stdout


def test_status_skips_a_region_without_plans_when_access_is_denied(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("access-denied", region="ap-south-1", times=100)
    shown = commands.run("status")
    assert (shown.exit_code, shown.stderr) == (0, "Skipped ap-south-1: access denied.\n")


def test_status_ends_with_7_when_access_to_a_plans_region_is_denied(commands: CommandLine) -> None:
    fleet(commands)
    commands.aws.emulator.faults.add("access-denied", region="eu-central-1", times=100)
    shown = commands.run("status")
    assert shown.exit_code == 7
    assert shown.stderr.startswith(
        "Error: Access denied while listing eu-central-1: your credentials lack lightsail:GetInstances."
    )
    assert "shop" in shown.stdout


def test_status_does_not_judge_copies_when_their_region_fails(commands: CommandLine) -> None:
    fleet(commands)
    commands.aws.emulator.faults.add("throttle", region="eu-west-1", times=100)
    shown = commands.run("status", "shop")
    assert shown.exit_code == 1
    assert "OVERDUE" not in shown.stdout
    assert shown.stderr.startswith("Error: AWS answered with an error while listing eu-west-1.")


def test_status_ends_with_6_when_no_region_accepts_the_credentials(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("error", error="UnrecognizedClientException", message="no", times=100)
    shown = commands.run("status")
    assert (shown.exit_code, shown.stdout) == (6, "")
    assert "sign in again, or enable that Region" in shown.stderr


def test_status_rejects_a_region_without_lightsail(commands: CommandLine) -> None:
    shown = commands.run("status", "--region", "eu-central-2")
    assert shown.exit_code == 2
    assert "eu-central-2 is not a Region of Lightsail; did you mean eu-central-1?" in shown.stderr


def test_status_shows_databases_and_loose_disks_as_not_covered(commands: CommandLine) -> None:
    fleet(commands)
    for name in ("data", "used"):
        client("lightsail").create_disk(diskName=name, availabilityZone="us-east-1a", sizeInGb=32)
    client("lightsail").attach_disk(diskName="used", instanceName="shop", diskPath="/dev/xvdf")
    database = {"relationalDatabaseBlueprintId": "mysql_8_0", "relationalDatabaseBundleId": "micro_2_0"}
    client("lightsail", "ap-south-1").create_relational_database(
        relationalDatabaseName="shop-db", masterDatabaseName="shop", masterUsername="admin", **database
    )
    shown = commands.run("status")
    assert [line.rstrip() for line in shown.stdout.splitlines()][-4:] == [
        "NOT COVERED  REGION",
        "shop-db      ap-south-1  managed database, mysql",
        "data         us-east-1   disk of 32 GB, attached to nothing",
        "4 instances: 1 OVERDUE, 1 NO PLAN, 1 OUTSIDE YOUR REGIONS, 2 other resources NOT COVERED.",
    ]
    assert json.loads(commands.run("status", "--json", "--region", "us-east-1").stdout)["notCovered"] == [
        {"name": "data", "region": "us-east-1", "resourceType": "Disk", "mark": "NOT COVERED"}
    ]


def test_status_goes_on_without_disks_and_databases_when_access_is_denied(commands: CommandLine) -> None:
    fleet(commands)
    commands.aws.emulator.faults.add("access-denied", operation="GetDisks", times=100)
    shown = commands.run("status")
    assert shown.exit_code == 7
    assert "4 instances: 1 OVERDUE" in shown.stdout
    [line] = shown.stderr.splitlines()
    assert line.startswith("Error: Access denied while listing disks and databases of ")
    assert "your credentials lack lightsail:GetDisks" in line


def test_status_counts_our_snapshots_and_the_most_that_they_cost(commands: CommandLine) -> None:
    fleet(commands)
    client("lightsail").create_instance_snapshot(instanceName="shop", instanceSnapshotName="by-hand")
    snapshots = json.loads(commands.run("status", "--json").stdout)["snapshots"]
    assert snapshots == {"count": 4, "sizeInGb": 80, "atMostDollarsPerMonth": 4.0}


def test_status_shows_the_newest_proof_and_how_long_it_took(commands: CommandLine) -> None:
    commands.plans = PROVEN_PLANS
    shop = commands.instance("shop", backup="daily")
    for age, proof in ((30, 20), (9, 5), (2, None)):
        tags = {"proven-at": format_utc(clock.now() - proof * DAY), "proven-seconds": f"{proof}00"} if proof else {}
        commands.snapshot(shop, age * DAY, f"shop-{age}", **tags)
    commands.snapshot(shop, DAY, "shop-1", **{"proven-at": "yesterday"})
    assert rows(commands)["shop"]["provenSeconds"] == 500
    shown = commands.run("status")
    assert "PROVEN" in shown.stdout.splitlines()[0]
    assert "5 d ago in 500 s" in shown.stdout


def test_status_says_never_when_the_plan_has_drills_and_there_is_no_proof(commands: CommandLine) -> None:
    commands.plans = PROVEN_PLANS
    fleet(commands)
    [header, *lines] = commands.run("status").stdout.splitlines()
    at = header.index("PROVEN")
    assert {line.split()[0]: line[at:].split()[0] for line in lines[:-1]} == {
        "old": "-",
        "blog": "never",
        "shop": "never",
        "web-1": "-",
    }


def test_status_has_no_proofs_when_no_plan_has_drills(commands: CommandLine) -> None:
    shop = commands.instance("shop", backup="daily")
    commands.snapshot(shop, HOUR, "shop-1", **{"proven-at": format_utc(clock.now())})
    assert "PROVEN" not in commands.run("status").stdout


def make_clone(name: str, region: str, until: timedelta) -> None:
    tags = {"managed-by": "lightsail-snapshots-drill", "drill-of": "shop"}
    make_instance(name, region, {**tags, "drill-until": format_utc(clock.now() + until)})


def test_status_shows_the_clones_that_drills_have_left(commands: CommandLine) -> None:
    fleet(commands)
    make_clone("drill-shop-left", "eu-west-1", -3 * HOUR)
    make_clone("drill-shop-at-work", "us-east-1", HOUR)
    shown = commands.run("status").stdout
    assert "at-work" not in shown, "a clone is no instance without a plan"
    assert re.search(r"drill-shop-left +eu-west-1 +should be gone since 3 h, and costs money: delete it in", shown)
    assert shown.endswith("1 OUTSIDE YOUR REGIONS, 1 CLONE OF DRILLS LEFT.\n")
    [left] = json.loads(commands.run("status", "shop", "--json").stdout)["drillClonesLeft"]
    assert (left["name"], left["region"], left["drillOf"]) == ("drill-shop-left", "eu-west-1", "shop")
    assert json.loads(commands.run("status", "blog", "--json").stdout)["drillClonesLeft"] == []


def test_status_ignores_the_proof_of_a_snapshot_that_is_not_usable(commands: CommandLine) -> None:
    shop = commands.instance("shop", backup="daily")
    foreign = {"snapshot-name": "other", "proven-at": format_utc(clock.now())}
    commands.snapshot(shop, DAY, "shop-1", **foreign)
    assert rows(commands)["shop"]["provenAt"] is None


@pytest.mark.parametrize(
    ("schedule", "shown", "is_exact"),
    [
        ({"schedule": "cron(0 0 1 1 ? *)"}, r"in \d+ (min|h|d)", True),
        ({"schedule": "rate(6 hours)"}, "within 6 h", False),
        ({"schedule": "rate(6 hours)", "enabled": False}, "-", None),
        ({"schedule": "cron(0 3 L * ? *)"}, "-", None),
        ({"on": {"source": ["shop"]}}, "-", None),
    ],
)
def test_status_shows_the_next_run(
    commands: CommandLine, schedule: dict[str, Any], shown: str, is_exact: bool | None
) -> None:
    commands.plans = [{"name": "a", "select": {"all": True}, "regions": ["us-east-1"], **schedule}]
    [row] = rows(commands).values()
    assert row["nextRunIsExact"] is is_exact
    assert re.search(rf"  {shown} +a", commands.run("status").stdout)


def test_next_run_is_that_of_the_plan_that_runs_first(commands: CommandLine) -> None:
    commands.plans = [
        {"name": name, "select": {"all": True}, "regions": ["us-east-1"], "schedule": schedule}
        for name, schedule in (("a", "rate(2 days)"), ("b", "rate(3 hours)"))
    ]
    assert "within 3 h" in commands.run("status").stdout


def test_status_does_not_mark_an_instance_that_is_meant_to_be_in_no_plan(commands: CommandLine, tmp_path: Path) -> None:
    commands.instance("scratch-1", "ap-south-1")
    commands.audit_detail = {"unprotected": ["scratch-*"], "unprotectedTags": {"team": "web"}}
    path = tmp_path / "status.html"
    shown = commands.run("status", "--html", str(path))
    assert shown.stdout.count("none, as plans.toml says") == path.read_text().count("as plans.toml says") == 2
    assert shown.stdout.endswith("2 instances: nothing is overdue.\n")


def test_status_reads_which_instances_are_meant_to_be_in_no_plan_from_a_file(
    commands: CommandLine, tmp_path: Path
) -> None:
    path = tmp_path / "plans.toml"
    text = 'unprotected = ["web-*"]\n[plans.a]\nschedule = "rate(1 day)"\nselect = { names = ["shop"] }\n'
    path.write_text(text)
    assert rows(commands, "--plans", str(path))["web-1"]["mark"] is None
