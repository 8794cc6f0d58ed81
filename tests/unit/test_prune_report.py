"""`prune`: what is held, what a person should review, and the daily report about both."""

import json
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest

from lightsail_snapshots import prune
from lightsail_snapshots.aws.errors import EntriesRejectedError
from lightsail_snapshots.aws.lightsail import lightsail_regions
from lightsail_snapshots.naming import our_tags
from lightsail_snapshots.reporting import RegionsFailedError
from tests.support.events import fits
from tests.support.fake_aws import FakeAws, client, emf, make_instance
from tests.support.pruning import (
    HOME,
    LAST_1,
    OTHER,
    left,
    line,
    nights,
    prune_requested,
    report_requested,
    run,
    seed,
)

UNCONFIGURED = "ap-south-1"
MAX_EVENT = 256 * 1024


def metric(capsys: pytest.CaptureFixture[str], name: str) -> list[float] | None:
    return emf(capsys.readouterr().out).get(name)


# Held snapshots


def test_held_snapshots_are_counted_in_each_run_and_published_in_the_report_only(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    web, blog = nights(aws, 9, keep="last=9"), nights(aws, 3, instance="blog")
    for _ in range(2):
        run(prune_requested())
        assert metric(capsys, "PrunesRefused") == [8]
    assert left(aws) == {*web, blog[0]}
    assert {event["detail-type"] for event in aws.events()} == {"Instance Snapshot Deleted"}
    run(report_requested())
    assert metric(capsys, "PrunesRefused") == [8]
    assert aws.event()["detail-type"] == "Prune Refused"
    run(prune_requested(LAST_1 | {"keep": {"last": 9}}))
    assert metric(capsys, "PrunesRefused") == [0]


def test_alarm_on_held_snapshots_does_not_end_when_a_run_could_not_see_them(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    nights(aws, 9, keep="last=9")
    late = (datetime.now(UTC) - timedelta(hours=7)).isoformat()
    for request in (prune_requested(time=late), prune_requested(source="my.ci")):
        run(request)
        assert metric(capsys, "PrunesRefused") is None
    aws.emulator.faults.add("access-denied", operation="GetInstanceSnapshots", region=HOME)
    with pytest.raises(RegionsFailedError):
        run(prune_requested())
    assert metric(capsys, "PrunesRefused") is None
    nights(aws, 9, OTHER, keep="last=9")
    with pytest.raises(RegionsFailedError):
        run(prune_requested())
    assert metric(capsys, "PrunesRefused") == [8]


def test_report_lists_held_snapshots_and_the_line_that_confirms_the_rules(aws: FakeAws) -> None:
    nights(aws, 9, keep="last=9")
    nights(aws, 9, instance="shop", keep="all")
    assert fits(report_requested())
    run(report_requested())
    detail = aws.event()["detail"]
    assert detail["message"] == (
        "Plan daily: 8 snapshots of shop in us-east-1 stay (and 1 more lists), since they were taken under rules that "
        "keep more. If a rule of keep is mistyped, correct it. To delete them now, add this to plans.toml and deploy: "
        "[plans.daily] keep_confirmed = 'last=1'. make preview shows each snapshot."
    )
    assert detail["deletionCount"] == 16
    assert detail["refused"][1] == {
        "plan": "daily",
        "instanceName": "web-1",
        "region": HOME,
        "deletionCount": 8,
        "rules": "last=1",
        "rulesTakenUnder": ["last=9"],
    }
    assert detail["refused"][0]["rulesTakenUnder"] == ["all"]
    assert line(aws, "Kept snapshots that only older rules keep")["refused"] == detail["refused"]


def test_report_names_a_renamed_plan_by_its_new_name(aws: FakeAws) -> None:
    nights(aws, 3, keep="last=9")
    run(report_requested(LAST_1 | {"name": "nightly", "was": ["daily"]}))
    assert aws.event()["detail"]["refused"][0]["plan"] == "nightly"


def test_prune_refused_fits_into_an_event_when_names_are_long(aws: FakeAws) -> None:
    widest = "\N{GRINNING FACE}"
    plans = [LAST_1 | {"name": f"{number:02}".rjust(40, "p")} for number in range(60)]
    for plan in plans:
        name = f"{plan['name']}\u202e".ljust(255, widest)
        for days_ago in range(12):
            snapshot = f"{name[:200]}-{days_ago}"
            tags = our_tags(snapshot, name, plan=plan["name"], keep=f"last={days_ago + 2}")
            seed(aws, days_ago + 1, instance=name, name=snapshot, tags=tags)
    run(report_requested(*plans))
    detail = aws.event()["detail"]
    assert detail["deletionCount"] == 60 * 11
    assert (len(detail["refused"]), len(detail["refused"][0]["rulesTakenUnder"])) == (50, 5)
    assert len(json.dumps(detail, ensure_ascii=False).encode()) < MAX_EVENT
    assert "; and likewise for 55 more plans. " in detail["message"]
    assert detail["message"].isprintable()


def test_nothing_is_deleted_when_the_report_cannot_be_published(aws: FakeAws) -> None:
    nights(aws, 9, keep="last=9")
    blog = nights(aws, 3, instance="blog")
    rejected = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "Try again"}]}
    with (
        patch.object(prune.event_bus._client, "put_events", return_value=rejected),
        pytest.raises(EntriesRejectedError),
    ):
        run(report_requested())
    assert set(blog) <= left(aws)


def test_dry_run_logs_what_it_would_delete_and_counts_nothing(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    names, shop = nights(aws, 3), nights(aws, 9, instance="shop", keep="last=9")
    assert run(report_requested(LAST_1 | {"dryRun": True}))["deleted"][HOME] == 0
    assert left(aws) == {*names, *shop}
    assert aws.events() == []
    logged = [each for each in aws.logs() if each["message"] == "Dry run: would delete a snapshot"]
    assert {each["instance_snapshot_name"] for each in logged} == set(names[1:])
    assert {each["reason"] for each in logged} == {"no keep rule of plan daily keeps it"}
    assert line(aws, "Pruned")["dry_run"] == 2
    assert metric(capsys, "PrunesRefused") == [0]


# All Regions, and what to review


def test_summary_counts_what_stays_by_its_class(aws: FakeAws) -> None:
    nights(aws, 3, keep="last=2")
    seed(aws, 9, tags={"owner": "somebody"}, name="manual")
    seed(aws, 9, tags=our_tags("lost", "shop", plan="removed"), instance="shop", name="lost")
    seed(aws, 9, tags=our_tags("held", "shop", plan="daily") | {"snapshot-hold": ""}, instance="shop", name="held")
    run(prune_requested())
    assert line(aws, "Pruned")["kept"] == {
        "newest": 1,
        "rules_tightened": 1,
        "foreign": 1,
        "unknown_plan": 1,
        "hold": 1,
    }


def test_report_counts_the_snapshots_that_a_person_should_review(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    make_instance("shop")
    arn = client("lightsail").get_instance(instanceName="shop")["instance"]["arn"]
    nights(aws, 3, instance="shop", keep="last=2")  # the newest, a held one, one to delete
    for name in left(aws):
        aws.emulator.region(HOME).snapshot(name).from_instance_arn = arn
    seed(aws, 5, instance="shop", name="lost", tags=our_tags("lost", "shop", plan="removed"), from_instance_arn=arn)
    seed(aws, 5, instance="shop", name="manual", tags={}, from_instance_arn=arn)
    seed(aws, 5, instance="gone")
    seed(aws, 5, UNCONFIGURED)
    run(prune_requested())
    assert metric(capsys, "SnapshotsToReview") is None
    run(report_requested())
    assert metric(capsys, "SnapshotsToReview") == [4]  # held, of a removed plan, of a gone instance, in another Region
    reported = [each for each in aws.logs() if each["message"] == "Pruned"][-1]
    assert (reported["instance_gone"], reported["kept"]["region_not_configured"]) == (2, 1)
    lines = [each for each in aws.logs() if each["message"] == "Snapshots to review"]
    assert [(each["instance_name"], each["region"], each["because"], each["count"]) for each in lines] == [
        ("gone", HOME, "newest", 1),
        ("shop", HOME, "rules_tightened", 1),
        ("shop", HOME, "unknown_plan", 1),
        ("web-1", UNCONFIGURED, "region_not_configured", 1),
    ]
    assert [each["instance_gone"] for each in lines] == [True, False, False, True]


def test_report_lists_all_regions_of_lightsail_and_deletes_only_in_the_configured_ones(aws: FakeAws) -> None:
    names = nights(aws, 3, UNCONFIGURED)
    answer = run(report_requested())
    assert UNCONFIGURED in lightsail_regions()
    assert UNCONFIGURED not in answer["deleted"]
    assert left(aws, UNCONFIGURED) == set(names)


def test_only_the_report_looks_at_regions_that_are_not_configured(aws: FakeAws) -> None:
    aws.emulator.faults.add("access-denied", operation="GetInstanceSnapshots", region=UNCONFIGURED)
    start = "Skipped a Region that is not configured and cannot be listed"
    run(prune_requested())
    assert start not in {each["message"] for each in aws.logs()}
    run(report_requested())
    skipped = line(aws, start)
    assert (skipped["level"], skipped["region"]) == ("INFO", UNCONFIGURED)
    assert skipped["error"].startswith("AccessDenied")


def test_report_does_not_call_an_instance_gone_when_its_region_cannot_list_instances(aws: FakeAws) -> None:
    nights(aws, 2)
    aws.emulator.faults.add("access-denied", operation="GetInstances", region=HOME)
    run(report_requested())
    assert line(aws, "Pruned")["instance_gone"] == 0
    warning = line(aws, "Could not list the instances of a Region")
    assert (warning["level"], warning["region"]) == ("WARNING", HOME)
    assert warning["error"].startswith("AccessDenied")


@pytest.mark.parametrize("fault", ["access-denied", "error"])
@pytest.mark.parametrize("operation", ["GetInstanceSnapshots", "GetInstances"])
def test_report_skips_a_region_that_is_not_enabled_without_failing(aws: FakeAws, fault: str, operation: str) -> None:
    nights(aws, 2)
    nights(aws, 2, OTHER)
    aws.emulator.faults.add(fault, operation=operation, region=UNCONFIGURED)
    assert run(report_requested())["deleted"] == {HOME: 1, OTHER: 1, "eu-west-1": 0}
    assert line(aws, "Pruned")["failed_regions"] == []
