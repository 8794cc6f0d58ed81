"""`preview`: what a person sees, and that nothing is deleted for it."""

import io
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from lightsail_snapshots_cli import preview
from lightsail_snapshots_cli.main import main
from lightsail_snapshots_cli.scope import read_scope
from local.lightsail.resources import InstanceSnapshot
from tests.support.fake_aws import FakeAws
from tests.support.pruning import AWAY, HOME, NOW, OTHER, nights, region, seed

PLANS = """
[plans.daily]
schedule = "cron(15 3 * * ? *)"
select   = { all = true }
keep     = { last = 1 }
"""


@pytest.fixture
def plans(tmp_path: Path) -> Path:
    path = tmp_path / "plans.toml"
    path.write_text(PLANS)
    return path


def shown(plans: Path) -> str:
    """Return what is printed on a terminal of 80 columns."""
    console = Console(file=io.StringIO(), width=80)
    scope = read_scope(plans)
    decisions, errors = preview.decide_now(scope, NOW)
    assert errors == {}
    preview.show(console, scope.plans, decisions, NOW)
    text: str = console.file.getvalue()  # type: ignore[attr-defined]  # it is the StringIO
    return "\n".join(row.rstrip() for row in text.splitlines())


def run(plans: Path) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["preview", "--plans", str(plans)])


def test_each_snapshot_is_shown_with_what_happens_to_it_and_why_newest_first(aws: FakeAws, plans: Path) -> None:
    nights(aws, 3)
    nights(aws, 3, instance="shop", keep="last=3")
    seed(aws, 90, name="before-the-move", tags={})
    seed(aws, 400, name="web-1-of-last-year")
    region(aws).snapshot("web-1-of-last-year").tags["snapshot-hold"] = ""
    assert (
        shown(plans)
        == """
shop in us-east-1
  24 h  keep    shop-20240602  the newest usable snapshot of shop
   2 d  keep    shop-20240601  held: last 2 of 3, since shop-20240602 was taken
                               under last=3
   3 d  keep    shop-20240531  held: last 3 of 3, since shop-20240602 was taken
                               under last=3

web-1 in us-east-1
  24 h  keep    web-1-20240602      the newest usable snapshot of web-1
   2 d  delete  web-1-20240601      no keep rule of plan daily keeps it
   3 d  delete  web-1-20240531      no keep rule of plan daily keeps it
  90 d  keep    before-the-move     not managed by lightsail-snapshots
 400 d  keep    web-1-of-last-year  tagged snapshot-hold

2 stay only because of older keep rules. To delete them now, add
  keep_confirmed = "last=1"    below [plans.daily]
and deploy.
2 of 8 snapshots would go now. Nothing was deleted."""
    )


def test_nothing_is_deleted_and_lightsail_is_only_read(aws: FakeAws, plans: Path) -> None:
    nights(aws, 3)
    aws.calls.clear()
    shown(plans)
    assert set(aws.calls) == {"GetInstanceSnapshots"}
    assert len(region(aws).resources_of_type(InstanceSnapshot)) == 3


def test_a_long_name_stays_whole_on_80_columns(aws: FakeAws, plans: Path) -> None:
    seed(aws, 1, name="web-1-20240602T120000Z-650f118d")
    seed(aws, 2, name=f"{'x' * 60}-1")
    rows = shown(plans).splitlines()
    assert "  24 h  keep    web-1-20240602T120000Z-650f118d       the newest usable snapshot" in rows
    assert max(map(len, rows)) <= 80
    assert any("x" * 36 in row for row in rows)


def test_copies_are_shown_in_their_own_region(aws: FakeAws, plans: Path) -> None:
    plans.write_text(f'{PLANS}copy_to = ["{AWAY}"]\n')
    nights(aws, 2)
    seed(aws, 0.5, AWAY)
    text = shown(plans)
    assert f"web-1 in {AWAY}\n  12 h  keep" in text
    assert "neither it nor a newer one has a usable" in text


def test_preview_marks_deletions_that_dry_run_prevents(aws: FakeAws, plans: Path) -> None:
    plans.write_text(f"{PLANS}dry_run = true\n")
    nights(aws, 3)
    text = shown(plans)
    assert "   2 d  delete  web-1-20240601  no keep rule of plan daily keeps it; not deleted" in text
    assert "2 more would be deleted without dry_run = true in their plans.\n0 of 3 snapshots would go now." in text


@pytest.mark.usefixtures("aws")
def test_an_account_without_snapshots_says_so(plans: Path) -> None:
    assert shown(plans) == "\n0 of 0 snapshots would go now. Nothing was deleted."


def test_preview_shows_the_other_regions_when_one_cannot_be_listed(aws: FakeAws, plans: Path) -> None:
    plans.write_text(f'regions = ["{HOME}", "{AWAY}"]\n{PLANS}')
    nights(aws, 2)
    aws.emulator.faults.add("access-denied", operation="GetInstanceSnapshots", region=AWAY)
    ended = run(plans)
    assert ended.exit_code == 7
    assert ended.stderr.startswith(
        f"Error: Access denied while listing the snapshots in {AWAY}: your credentials lack "
        "lightsail:GetInstanceSnapshots."
    )
    assert "1 of 2 snapshots would go now." in ended.stdout


def test_preview_shows_snapshots_in_a_region_that_the_plans_have_left(aws: FakeAws, plans: Path) -> None:
    nights(aws, 2)
    nights(aws, 1, OTHER)
    aws.emulator.faults.add("access-denied", operation="GetInstanceSnapshots", region=AWAY)
    ended = run(plans)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert f"keep    web-1-20240602  plan daily has left {OTHER}" in ended.stdout


def test_preview_shows_only_the_reason_when_nothing_can_be_listed(aws: FakeAws, plans: Path) -> None:
    aws.emulator.faults.add("error", operation="GetInstanceSnapshots", error="ExpiredTokenException", message="Expired")
    ended = run(plans)
    assert (ended.exit_code, ended.stdout) == (6, "")
    assert ended.stderr.startswith("Error: AWS rejected your credentials: sign in again (`aws sso login`)")


@pytest.mark.usefixtures("aws")
def test_preview_says_how_to_sign_in_when_there_are_no_credentials(plans: Path) -> None:
    with patch("boto3.session.Session.get_credentials", return_value=None):
        ended = run(plans)
    assert ended.exit_code == 6
    assert ended.stderr.startswith("Error: There are no AWS credentials: run `aws configure`")


@pytest.mark.usefixtures("aws")
def test_preview_names_a_profile_that_does_not_exist(plans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    ended = run(plans)
    assert ended.exit_code == 6
    assert "cannot be used: The config profile (nobody) could not be found" in ended.stderr


@pytest.mark.usefixtures("aws")
def test_preview_asks_for_a_region_when_none_is_set(plans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION")
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    ended = run(plans)
    assert ended.exit_code == 6
    assert ended.stderr.startswith("Error: In which Region is the stack? Set AWS_REGION")


def test_the_region_may_come_from_either_variable(aws: FakeAws, plans: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nights(aws, 1, AWAY)
    monkeypatch.setenv("AWS_DEFAULT_REGION", AWAY)
    assert f"plan daily has left {AWAY}" in shown(plans)
    monkeypatch.delenv("AWS_REGION")
    assert "the newest usable snapshot of web-1" in shown(plans)


@pytest.mark.usefixtures("aws")
def test_preview_reports_a_bad_plans_file_as_synth_does(plans: Path) -> None:
    plans.write_text(PLANS.replace("keep ", "kep "))
    ended = run(plans)
    assert ended.exit_code == 2
    assert "plans.daily.kep = " in ended.stderr
    assert "unknown key; did you mean keep?" in ended.stderr


@pytest.mark.usefixtures("aws")
def test_preview_ends_with_2_when_the_plans_file_does_not_exist(plans: Path) -> None:
    plans.unlink()
    ended = run(plans)
    assert ended.exit_code == 2
    assert "does not exist" in ended.stderr
