"""`prune`: what it deletes, that it is what was decided on, what is refused, and what is said of it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import patch

import pytest

from lightsail_snapshots import prune
from lightsail_snapshots.aws.errors import AccessDeniedError, EntriesRejectedError
from lightsail_snapshots.aws.lightsail import Lightsail
from lightsail_snapshots.naming import our_tags
from local.lightsail.resources import InstanceSnapshot
from tests.support.events import example, fits
from tests.support.fake_aws import FakeAws, emf
from tests.support.pruning import (
    AWAY,
    DAY,
    HOME,
    LAST_1,
    NOW,
    OTHER,
    after_listing,
    left,
    line,
    nights,
    prune_requested,
    region,
    run,
    seed,
)

# What goes, and what is said of it


def test_what_the_plan_does_not_keep_goes_and_each_is_an_event_with_the_reason(aws: FakeAws) -> None:
    newest, old, oldest = nights(aws, 3)
    arn = region(aws).snapshot(old).arn
    event = prune_requested()
    assert fits(event)
    assert run(event) == {"deleted": {HOME: 2, OTHER: 0, AWAY: 0}}
    assert left(aws) == {newest}
    first, second = aws.events()
    assert first["detail"]["instanceSnapshotName"] == oldest  # so that what is interrupted leaves the newer ones
    assert second["detail-type"] == "Instance Snapshot Deleted"
    assert second["detail"] == {
        "requestId": "prune-1",
        "instanceName": "web-1",
        "instanceSnapshotName": old,
        "instanceSnapshotArn": arn,
        "region": HOME,
        "plan": "daily",
        "createdAt": "2024-06-01T12:00:00Z",
        "reason": "no keep rule of plan daily keeps it",
    }


def test_the_log_has_a_line_for_each_deletion_and_one_for_the_run(aws: FakeAws) -> None:
    _, old = nights(aws, 2)
    run(prune_requested())
    deletion = line(aws, f"Deleted {old}: no keep rule of plan daily keeps it")
    assert (deletion["instance_snapshot_name"], deletion["region"]) == (old, HOME)
    assert deletion["deleted"] == aws.event()["detail"]
    summary = line(aws, "Pruned")
    assert summary["correlation_id"] == "prune-1"
    assert summary["deleted_by_region"] == {HOME: 1, OTHER: 0, AWAY: 0}
    assert (summary["kept"], summary["refused_instances"], summary["left"], summary["failed_regions"]) == (1, 0, 0, [])


def test_metrics_are_there_also_when_nothing_happens(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    run(prune_requested())
    assert emf(capsys.readouterr().out) == {
        "SnapshotsDeleted": [0],
        "SnapshotsKept": [0, 0],
        "PrunesRefused": [0],
        "SnapshotsFailed": [0],
    }
    nights(aws, 3)
    seed(aws, 9, tags={"owner": "somebody"}, name="manual")
    run(prune_requested())
    counted = emf(capsys.readouterr().out)
    assert (sum(counted["SnapshotsDeleted"]), counted["SnapshotsKept"]) == (2, [0, 1])


def test_each_region_is_listed_once_whatever_its_pages_and_each_deletion_costs_two_calls(aws: FakeAws) -> None:
    nights(aws, 5)
    aws.emulator.settings.page_size = 2
    aws.calls.clear()
    run(prune_requested())
    assert aws.calls == ["GetInstanceSnapshots"] * (3 + 1 + 1) + ["GetInstanceSnapshot", "DeleteInstanceSnapshot"] * 4


def test_copies_are_pruned_in_their_own_region_and_sources_wait_for_them(aws: FakeAws) -> None:
    names = nights(aws, 3)
    policy = LAST_1 | {"copyTo": [AWAY]}
    assert run(prune_requested(policy)) == {"deleted": {HOME: 0, OTHER: 0, AWAY: 0}}
    for name in names:
        source = region(aws).snapshot(name)
        of = f"{HOME} {source.created_at:%Y-%m-%dT%H:%M:%SZ} {source.from_instance_arn}"
        seed(aws, 0.5, AWAY, name=name, from_instance_arn="", tags={**source.tags, "copy-of": of})
    assert run(prune_requested(policy)) == {"deleted": {HOME: 2, OTHER: 0, AWAY: 2}}
    assert left(aws) == left(aws, AWAY) == {names[0]}
    assert {event["detail"]["region"] for event in aws.events()} == {HOME, AWAY}


def test_pruning_twice_deletes_nothing_more(aws: FakeAws) -> None:
    nights(aws, 3)
    run(prune_requested())
    aws.events()
    assert run(prune_requested()) == {"deleted": {HOME: 0, OTHER: 0, AWAY: 0}}
    assert aws.events() == []


def test_now_is_the_events_own_time(aws: FakeAws) -> None:
    now = datetime.now(UTC)
    for hours in (1, 2, 3):
        seed(aws, (NOW - now) / DAY + hours / 24, name=f"web-1-{hours}")

    def deleted(hours_ago: float) -> int:
        event = prune_requested(time=(now - timedelta(hours=hours_ago)).isoformat())
        del event["detail"]["scheduledTime"]
        count: int = run(event)["deleted"][HOME]
        return count

    assert deleted(hours_ago=2.5) == 0
    assert deleted(hours_ago=0) == 2


def test_a_request_that_was_replayed_late_has_the_plans_of_another_day_and_is_left_alone(aws: FakeAws) -> None:
    names = nights(aws, 3)
    put_at = datetime.now(UTC) - timedelta(hours=6)
    assert run(prune_requested(time=(put_at - timedelta(minutes=10)).isoformat())) == {"state": "late"}
    assert left(aws) == set(names)
    assert line(aws, "Left alone")["level"] == "WARNING"
    assert run(prune_requested(time=(put_at + timedelta(minutes=10)).isoformat()))["deleted"][HOME] == 2


def test_now_is_when_the_schedule_meant_it_to_run_where_there_is_one(aws: FakeAws) -> None:
    nights(aws, 3)
    event = prune_requested()
    event["detail"]["scheduledTime"] = (NOW - 3 * DAY).isoformat()
    assert fits(event)
    assert run(event)["deleted"][HOME] == 0


def test_an_event_dated_in_the_future_counts_as_of_now(aws: FakeAws) -> None:
    names = nights(aws, 3)
    for name in names:
        region(aws).snapshot(name).tags["expires-at"] = f"{datetime.now(UTC) + DAY:%Y-%m-%dT%H:%M:%SZ}"
    event = prune_requested(time="8000-01-01T00:00:00Z")
    event["detail"]["scheduledTime"] = "8000-01-01T00:00:00Z"
    assert run(event)["deleted"][HOME] == 0


# What is deleted is what was decided on


@pytest.mark.parametrize(
    ("what", "change"),
    [
        ("tags", lambda one: one.tags.pop("managed-by")),
        ("tags", lambda one: one.tags.update({"snapshot-hold": None})),
        ("state", lambda one: setattr(one, "failed", True)),
        ("state", lambda one: setattr(one, "finishes_at", datetime.max.replace(tzinfo=UTC))),
        ("arn", lambda one: setattr(one, "id", "0f8b2bd1-another-of-the-same-name")),
    ],
)
def test_a_snapshot_that_was_changed_since_it_was_listed_stays(
    aws: FakeAws, what: str, change: Callable[[InstanceSnapshot], object]
) -> None:
    newest, old, oldest = nights(aws, 3)
    with after_listing(lambda: change(region(aws).snapshot(oldest))):
        assert run(prune_requested())["deleted"][HOME] == 1
    assert left(aws) == {newest, oldest}
    warning = line(aws, "Not deleted, it has changed: ")
    assert (warning["level"], warning["instance_snapshot_name"], warning["changed"]) == ("WARNING", oldest, [what])
    assert [event["detail"]["instanceSnapshotName"] for event in aws.events()] == [old]


def test_what_is_gone_already_is_fine_and_nothing_is_said_to_have_been_deleted(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    _, old = nights(aws, 2)
    with after_listing(lambda: region(aws).remove(region(aws).snapshot(old))):
        assert run(prune_requested())["deleted"][HOME] == 0
    assert line(aws, "Not deleted, it is gone already: ")["instance_snapshot_name"] == old
    assert aws.events() == []
    assert emf(capsys.readouterr().out)["SnapshotsDeleted"] == [0]


def test_a_deletion_that_is_denied_since_what_is_gone_has_no_tag_is_one_all_the_same(aws: FakeAws) -> None:
    _, old = nights(aws, 2)

    def deletes_and_is_denied(self: Lightsail, name: str) -> None:
        region(aws, self.region).remove(region(aws).snapshot(name))
        raise AccessDeniedError("AccessDeniedException")

    with patch.object(Lightsail, "delete_snapshot", deletes_and_is_denied):
        assert run(prune_requested())["deleted"][HOME] == 1
    assert aws.event()["detail"]["instanceSnapshotName"] == old


@pytest.mark.parametrize("lost", [1, 2])
def test_a_deletion_whose_answer_is_lost_is_announced_all_the_same(aws: FakeAws, lost: int) -> None:
    _, old = nights(aws, 2)
    aws.emulator.faults.add("lost-answer", operation="DeleteInstanceSnapshot", times=lost)
    assert run(prune_requested())["deleted"][HOME] == 1
    assert aws.event()["detail"]["instanceSnapshotName"] == old


# What only older rules keep


def test_snapshots_that_only_older_rules_keep_stay_and_are_announced_before_any_deletion(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    web, shop = nights(aws, 9, keep="last=9"), nights(aws, 9, instance="shop", keep="last=9")
    blog = nights(aws, 3, instance="blog")
    assert run(prune_requested())["deleted"][HOME] == 2
    assert left(aws) == {*web, *shop, blog[0]}
    refused, *deleted = aws.events()
    assert refused["detail-type"] == "Prune Refused"
    assert refused["detail"]["message"] == (
        "8 snapshots of shop in us-east-1 and of 1 more stay only because older keep rules keep them. If a keep rule "
        "is mistyped, correct it. If they may go now, write keep_confirmed = 'last=1' into [plans.daily] of "
        "plans.toml, and deploy; make preview shows each of them."
    )
    assert (refused["detail"]["instanceCount"], refused["detail"]["deletionCount"]) == (2, 16)
    assert refused["detail"]["refused"][1] == {
        "instanceName": "web-1",
        "region": HOME,
        "plans": ["daily"],
        "deletions": 8,
        "reason": "held: last 9 of 9, since web-1-20240602 was taken under last=9",
        "instanceSnapshotNames": web[1:],
    }
    assert {event["detail"]["instanceName"] for event in deleted} == {"blog"}
    assert emf(capsys.readouterr().out)["PrunesRefused"] == [0, 2]
    assert line(aws, "Only older keep rules keep snapshots of web-1: ")["instance_snapshot_names"] == web[1:]


def test_snapshots_that_only_older_rules_keep_go_when_the_plan_confirms_its_rules(aws: FakeAws) -> None:
    names = nights(aws, 9, keep="last=9")
    assert run(prune_requested(LAST_1 | {"keepConfirmed": {"last": 1}}))["deleted"][HOME] == 8
    assert left(aws) == {names[0]}
    assert {event["detail-type"] for event in aws.events()} == {"Instance Snapshot Deleted"}


def test_expired_snapshots_without_plan_go_at_once(aws: FakeAws) -> None:
    for days_ago in range(1, 9):
        name = f"asked-{days_ago}"
        seed(aws, days_ago, name=name, tags=our_tags(name, "web-1", expires_at=NOW - DAY / 2))
    assert run(prune_requested())["deleted"][HOME] == 7
    assert {event["detail-type"] for event in aws.events()} == {"Instance Snapshot Deleted"}


def test_refusal_of_a_whole_fleet_fits_into_one_event(aws: FakeAws) -> None:
    for number in range(60):
        instance = f"web-{number}-{'x' * 200}"
        for days_ago in range(30):
            seed(aws, days_ago + 1, instance=instance, name=f"{instance}-{days_ago}-{'y' * 30}", keep="all")
    run(prune_requested())
    detail = aws.event()["detail"]
    assert (detail["instanceCount"], detail["deletionCount"]) == (60, 60 * 29)
    assert (len(detail["refused"]), len(detail["refused"][0]["instanceSnapshotNames"])) == (50, 25)


def test_nothing_is_deleted_when_a_refusal_cannot_be_announced(aws: FakeAws) -> None:
    nights(aws, 9, keep="last=9")
    blog = nights(aws, 3, instance="blog")
    refused = {"FailedEntryCount": 1, "Entries": [{"ErrorCode": "InternalFailure", "ErrorMessage": "Try again"}]}
    with (
        patch.object(prune.event_bus._client, "put_events", return_value=refused),
        pytest.raises(EntriesRejectedError),
    ):
        run(prune_requested())
    assert set(blog) <= left(aws)


# A plan that only looks on


def test_a_dry_run_deletes_nothing_announces_nothing_and_logs_what_would_go(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    names, shop = nights(aws, 3), nights(aws, 9, instance="shop", keep="last=9")
    assert run(prune_requested(LAST_1 | {"dryRun": True}))["deleted"][HOME] == 0
    assert left(aws) == {*names, *shop}
    assert aws.events() == []
    would_go = [each for each in aws.logs() if each["message"].startswith("Dry run, not deleted: ")]
    assert {each["instance_snapshot_name"] for each in would_go} == {*names[1:], *shop[1:]}
    assert sum("held: " in each["message"] for each in would_go) == 8
    assert emf(capsys.readouterr().out)["PrunesRefused"] == [0]


# What is no request


def test_a_bad_request_is_one_failed_event_with_every_problem_and_nothing_is_listed(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    nights(aws, 3)
    aws.calls.clear()
    event = prune_requested({"keep": {"lst": 1}}, LAST_1 | {"dryRun": "yes", "keepconfirmed": 1}, time="now")
    event["detail"]["scheduledTime"] = "soon"
    event["detail"]["regions"] = []
    answer = run(event)
    put = aws.event()
    assert put["detail-type"] == "Instance Snapshot Failed"
    assert (put["detail"]["requestId"], put["detail"]["reason"]) == ("prune-1", "InvalidRequest")
    assert put["detail"]["problems"] == [
        "time: must be a time such as 2026-11-23T03:15:00Z, not 'now'",
        "detail.scheduledTime: must be a time such as 2026-11-23T03:15:00Z, not 'soon'",
        "detail.plans[0].name: is missing",
        "detail.plans[0].select: is missing",
        "detail.plans[0].keep: Keep.__init__() got an unexpected keyword argument 'lst'",
        "detail.plans[1].dryRun: must be true or false, not 'yes'",
        "detail.plans[1].keepconfirmed: unknown key; did you mean keepConfirmed?",
        "detail.regions: unknown key; allowed are scheduledTime, plans",
    ]
    assert answer == {"state": "failed", "reason": "InvalidRequest", "message": put["detail"]["message"]}
    assert emf(capsys.readouterr().out)["SnapshotsFailed"] == [0, 1]
    assert aws.calls == []


@pytest.mark.parametrize(
    ("envelope", "problem"),
    [
        ({"source": "my.ci"}, "source: must be lightsail-snapshots, not 'my.ci': "),
        ({"replay-name": "last-night"}, "replay-name: a replay is rejected: "),
    ],
)
def test_prune_rejects_other_sources_and_replays(aws: FakeAws, envelope: dict[str, str], problem: str) -> None:
    names = nights(aws, 30)
    answer = run(prune_requested(LAST_1 | {"maxDeletes": 100}, **envelope))
    assert answer["reason"] == "InvalidRequest"
    assert f"{problem}to prune now, use run_now of docs/operations.md" in answer["message"]
    assert left(aws) == set(names)


@pytest.mark.parametrize("event", [{"detail": {}}, {"id": 3, "time": NOW.isoformat(), "detail": "x"}, []])
def test_what_is_no_event_ends_the_same_way(aws: FakeAws, event: Any) -> None:
    assert run(event)["reason"] == "InvalidRequest"
    assert aws.event()["detail"]["requestId"] == "invocation-1"


def test_the_published_example_is_a_request(aws: FakeAws) -> None:
    run(example("Prune Requested") | {"time": datetime.now(UTC).isoformat()})
    assert line(aws, "Pruned")["failed_regions"] == []


def test_a_copy_from_a_region_that_the_stack_does_not_look_after_stays(aws: FakeAws) -> None:
    for days_ago in (1, 2, 3):
        of = f"ap-south-1 {NOW - days_ago * DAY:%Y-%m-%dT%H:%M:%SZ} arn:aws:lightsail:ap-south-1:1:Instance/1"
        name = f"copy-{days_ago}"
        tags = our_tags(name, "web-1", plan="daily") | {"copy-of": of}
        seed(aws, days_ago, AWAY, name=name, from_instance_arn="", tags=tags)
    assert run(prune_requested())["deleted"][AWAY] == 0
