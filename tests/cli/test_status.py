"""`status`: the table, its marks and its exit statuses."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.support.command_line import CommandLine

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
        "INSTANCE  REGION        NEWEST  MAX AGE  COPIES         PLAN",
        "old       ap-south-1    none    -        -              -      OUTSIDE YOUR REGIONS",
        "blog      eu-central-1  3 d     26 h     eu-west-1 3 d  daily  OVERDUE",
        "shop      us-east-1     9 h     26 h     eu-west-1 9 h  daily",
        "web-1     us-east-1     none    -        -              -      NO PLAN",
        "4 instances: 1 OVERDUE, 1 NO PLAN, 1 OUTSIDE YOUR REGIONS.",
    ]


def test_status_ends_with_0_when_nothing_is_overdue(commands: CommandLine) -> None:
    fleet(commands)
    shown = commands.run("status", "shop")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert shown.stdout.endswith("1 instance: nothing is overdue.\n")


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
    commands.aws.emulator.faults.add("error", region="ap-south-1", error="UnrecognizedClientException", message="no")
    shown = commands.run("status")
    assert (shown.exit_code, shown.stderr) == (0, "")
    assert "web-1" in shown.stdout


def test_status_skips_a_region_without_plans_when_access_is_denied(commands: CommandLine) -> None:
    commands.aws.emulator.faults.add("access-denied", region="ap-south-1")
    shown = commands.run("status")
    assert (shown.exit_code, shown.stderr) == (0, "Skipped ap-south-1: access denied.\n")


def test_status_ends_with_7_when_access_to_a_plans_region_is_denied(commands: CommandLine) -> None:
    fleet(commands)
    commands.aws.emulator.faults.add("access-denied", region="eu-central-1")
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
