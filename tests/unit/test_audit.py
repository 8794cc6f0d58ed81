"""`audit`: what it measures, whom it tells and how often, and that it never says what it has not seen."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lightsail_snapshots import audit
from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots.events.audit_requested import parse_audit_request
from lightsail_snapshots.naming import format_utc, our_tags
from lightsail_snapshots.reporting import RegionsFailedError
from tests.support.events import example, fits, requested
from tests.support.fake_aws import Context, FakeAws, client, make_instance

HOUR = 3600


def plan(name: str = "daily", **fields: object) -> dict[str, Any]:
    """Build a plan of an audit; None leaves a field out."""
    given = {"name": name, "select": {"all": True}, "maxAge": "PT26H"} | fields
    return {name: value for name, value in given.items() if value is not None}


def requested_at(now: datetime, *plans: object, **fields: object) -> dict[str, Any]:
    detail = {"plans": list(plans), "every": "PT1H", "scheduledTime": format_utc(now)} | fields
    return requested(detail, **{"detail-type": "Audit Requested", "time": format_utc(now)})


def run(aws: FakeAws, *plans: dict[str, Any], **fields: object) -> dict[str, Any]:
    """Audit at the emulator's time, which a test may have advanced."""
    event = requested_at(aws.emulator.clock.now(), *(plans or [plan()]), **fields)
    assert fits(event)
    answer: dict[str, Any] = audit.handler(event, Context())
    return answer


def take_snapshot(aws: FakeAws, name: str = "s-1", region: str = "us-east-1", **tags: str) -> None:
    """Have a usable snapshot of web-1, made by us."""
    ours = our_tags("web-1", "daily", None) | tags
    client("lightsail", region).create_instance_snapshot(
        instanceSnapshotName=name,
        instanceName="web-1",
        tags=[{"key": key, "value": value} for key, value in ours.items()],
    )
    aws.emulator.clock.advance(600)


def figures(capsys: pytest.CaptureFixture[str]) -> dict[tuple[str, str], list[float]]:
    """Read the metrics so far, by name and plan."""
    found = {}
    for line in capsys.readouterr().out.splitlines():
        record = json.loads(line)
        for metric in record["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            found[metric["Name"], record.get("plan", "")] = record[metric["Name"]]
    return found


def morning(aws: FakeAws) -> None:
    """Advance to the next 09:45 in UTC: no first audit of a day."""
    now = aws.emulator.clock.now()
    later = (now + timedelta(days=1)).replace(hour=9, minute=45, second=0, microsecond=0)
    aws.emulator.clock.advance((later - now).total_seconds())


# What it measures.


def test_a_fleet_with_recent_snapshots_is_protected(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    take_snapshot(aws)
    aws.emulator.clock.advance(2 * HOUR)
    assert run(aws) == {"state": "completed", "overdue": {"daily": 0}}
    assert figures(capsys) == {
        ("InstancesProtected", "daily"): [1],
        ("InstancesOverdue", "daily"): [0],
        ("RecoveryPointAgeMax", "daily"): [pytest.approx(2.2, abs=0.1)],
        ("InstancesUnprotected", ""): [0],
        ("AuditsCompleted", ""): [0, 1],
    }
    assert aws.events() == []


def test_an_instance_without_a_recent_snapshot_is_overdue(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    take_snapshot(aws)
    aws.emulator.clock.advance(30 * HOUR)
    assert run(aws)["overdue"] == {"daily": 1}
    seen = figures(capsys)
    assert seen["InstancesOverdue", "daily"] == [1]
    assert seen["RecoveryPointAgeMax", "daily"] == [pytest.approx(30.2, abs=0.1)]
    [line] = [line for line in aws.logs() if line["message"] == "Overdue"]
    assert (line["plan"], line["instance_name"], line["region"]) == ("daily", "web-1", "us-east-1")


def test_each_plan_has_figures_of_its_own(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    take_snapshot(aws)
    aws.emulator.clock.advance(30 * HOUR)
    run(aws, plan(), plan("weekly", maxAge="P8D"))
    seen = figures(capsys)
    assert (seen["InstancesOverdue", "daily"], seen["InstancesOverdue", "weekly"]) == ([1], [0])


def test_a_plan_that_promises_no_age_does_not_claim_that_nothing_is_overdue(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    run(aws, plan(maxAge=None))
    assert ("InstancesOverdue", "daily") not in figures(capsys)


def test_the_age_of_copies_is_told_where_the_plan_asks_for_copies(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    take_snapshot(aws)
    aws.emulator.clock.advance(26 * HOUR)
    run(aws, plan(copyTo=["eu-west-1"], maxAge="PT2H"))
    assert figures(capsys)["CopyAgeMax", "daily"] == [pytest.approx(26.2, abs=0.1)]
    told = aws.event()["detail"]
    assert told["instances"][1]["copyRegion"] == "eu-west-1"
    assert "there is no usable copy in eu-west-1." in told["message"]


def test_instances_that_no_plan_selects_are_counted_in_all_regions_of_the_stack(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    make_instance("forgotten", "eu-central-1")
    run(aws, plan(select={"names": ["web-*"]}))
    assert figures(capsys)["InstancesUnprotected", ""] == [1]
    [line] = [line for line in aws.logs() if "instances" in line]
    assert line["instances"] == ["forgotten in eu-central-1"]


def test_one_listing_of_each_kind_and_region_serves_all_plans(aws: FakeAws) -> None:
    aws.emulator.settings.page_size = 5
    for number in range(7):
        make_instance(f"shop-{number}")
    aws.calls.clear()
    run(aws, *(plan(f"plan-{number}", regions=["us-east-1", "eu-central-1"]) for number in range(4)))
    assert sorted(aws.calls) == ["GetInstanceSnapshots"] * 2 + ["GetInstances"] * (2 + 1)


# Whom it tells, and how often.


def test_what_is_overdue_is_told_in_words_that_a_person_understands(aws: FakeAws) -> None:
    take_snapshot(aws)
    taken_at = aws.snapshots()[0]["createdAt"]
    aws.emulator.clock.advance(26 * HOUR)
    run(aws)
    event = aws.event()
    since = taken_at + timedelta(hours=26)
    assert event["detail-type"] == "Recovery Point Overdue"
    assert event["detail"]["message"] == (
        "Recovery point overdue: 1 instance of plan daily has no usable snapshot or copy younger than 26 hours."
        f" web-1 in us-east-1: overdue since {since:%Y-%m-%d %H:%M} UTC,"
        f" the newest usable snapshot has data of {taken_at:%Y-%m-%d %H:%M} UTC."
        " What to do: find out why in the logs, then ask for a snapshot now."
        " Step by step: docs/operations.md#overdue"
    )
    [entry] = event["detail"]["instances"]
    assert (entry["instanceName"], entry["overdueSince"]) == ("web-1", format_utc(since))


def test_one_that_never_had_a_snapshot_is_told_as_such(aws: FakeAws) -> None:
    aws.emulator.clock.advance(26.5 * HOUR)
    run(aws)
    told = aws.event()["detail"]["message"]
    assert re.search(r"web-1 in us-east-1: overdue since [-0-9]+ [:0-9]+ UTC, there is no usable snapshot\.", told)


def test_a_long_list_is_cut_for_the_phone(aws: FakeAws) -> None:
    for number in range(119):
        make_instance(f"shop-{number:03}")
    aws.emulator.clock.advance(26.5 * HOUR)
    run(aws)
    told = aws.event()["detail"]
    assert (told["instancesOverdue"], len(told["instances"])) == (120, 100)
    assert "120 instances of plan daily have no usable snapshot" in told["message"]
    assert " And 115 more. What to do" in told["message"]


def test_the_message_can_be_put_between_quotation_marks(aws: FakeAws) -> None:
    aws.emulator.clock.advance(26.5 * HOUR)
    run(aws)
    message = aws.event()["detail"]["message"]
    assert json.dumps(message) == f'"{message}"'


def test_an_instance_is_told_of_when_it_becomes_overdue_and_not_every_hour(aws: FakeAws) -> None:
    morning(aws)
    take_snapshot(aws)
    aws.emulator.clock.advance(26 * HOUR)  # overdue for ten minutes
    told = []
    for _ in range(10):
        run(aws)
        told.append(len(aws.events()))
        aws.emulator.clock.advance(HOUR)
    assert told == [1] + [0] * 9


def test_the_whole_list_is_told_once_a_day(aws: FakeAws) -> None:
    morning(aws)
    aws.emulator.clock.advance(3 * 24 * HOUR)
    hours_told = []
    for _ in range(48):
        now = aws.emulator.clock.now()
        run(aws)
        hours_told += [now.hour] * len(aws.events())
        aws.emulator.clock.advance(HOUR)
    assert hours_told == [0, 0]


def test_where_the_audit_that_had_the_news_failed_the_list_of_the_next_day_has_it(aws: FakeAws) -> None:
    morning(aws)
    take_snapshot(aws)
    aws.emulator.clock.advance(26 * HOUR)  # overdue for ten minutes
    aws.emulator.faults.add("server-error", operation="GetInstanceSnapshots", region="us-east-1")
    with pytest.raises(RegionsFailedError):
        run(aws)
    aws.emulator.faults.clear()
    hours_told = []
    for _ in range(24):
        aws.emulator.clock.advance(HOUR)
        assert run(aws)["overdue"] == {"daily": 1}
        hours_told += [aws.emulator.clock.now().hour] * len(aws.events())
    assert hours_told == [0]


def test_while_one_region_fails_each_try_tells_of_the_others(aws: FakeAws) -> None:
    morning(aws)
    take_snapshot(aws)
    aws.emulator.clock.advance(26 * HOUR)
    aws.emulator.faults.add("server-error", operation="GetInstanceSnapshots", region="eu-central-1")
    for _ in range(3):
        with pytest.raises(RegionsFailedError):
            run(aws)
    assert [event["detail"]["plan"] for event in aws.events()] == ["daily"] * 3


def test_a_second_instance_that_becomes_overdue_changes_the_list_which_is_told(aws: FakeAws) -> None:
    morning(aws)
    aws.emulator.clock.advance(-17 * HOUR + 24 * HOUR)  # 16:45
    make_instance("web-2")
    aws.emulator.clock.advance(26 * HOUR)  # 18:45
    run(aws)
    assert aws.events() == []  # web-1 has been told of, web-2 is just in time
    aws.emulator.clock.advance(HOUR)
    run(aws)
    assert aws.event()["detail"]["instancesOverdue"] == 2


def test_a_message_is_for_one_plan(aws: FakeAws) -> None:
    make_instance("shop")
    aws.emulator.clock.advance(26.5 * HOUR)
    run(aws, plan(select={"names": ["web-*"]}), plan("shops", select={"names": ["shop"]}))
    assert sorted(event["detail"]["plan"] for event in aws.events()) == ["daily", "shops"]


# What it has not seen.


@pytest.mark.parametrize("operation", ["GetInstances", "GetInstanceSnapshots"])
def test_a_region_that_fails_takes_the_figures_of_its_plans_with_it(
    aws: FakeAws, capsys: pytest.CaptureFixture[str], operation: str
) -> None:
    aws.emulator.faults.add("access-denied", operation=operation, region="eu-central-1")
    with pytest.raises(RegionsFailedError, match="eu-central-1: AccessDeniedException"):
        run(aws, plan("here"), plan("both", regions=["us-east-1", "eu-central-1"]))
    seen = figures(capsys)
    assert seen["InstancesOverdue", "here"] == [0]
    assert {name for name, of in seen if of == "both"} == set()
    assert seen["AuditsCompleted", ""] == [0]
    assert ("InstancesUnprotected", "") not in seen


def test_a_region_of_copies_that_fails_takes_the_figures_with_it(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.emulator.faults.add("region-setup", operation="GetInstanceSnapshots", region="eu-west-1")
    with pytest.raises(RegionsFailedError, match="eu-west-1"):
        run(aws, plan(copyTo=["eu-west-1"]))
    assert figures(capsys) == {("AuditsCompleted", ""): [0]}


def test_a_listing_that_breaks_off_is_not_taken_for_a_short_one(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.emulator.settings.page_size = 1
    make_instance("web-2")
    aws.emulator.clock.advance(100 * HOUR)
    client, calls = lightsail("us-east-1")._client, list[Any]()
    real = client.get_instances

    def breaks_off(**parameters: Any) -> Any:
        calls.append(parameters)
        if len(calls) == 2:
            aws.emulator.faults.add("access-denied", operation="GetInstances", times=1)
        return real(**parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(client, "get_instances", breaks_off)
        with pytest.raises(RegionsFailedError):
            run(aws)
    assert len(calls) == 2
    assert ("InstancesOverdue", "daily") not in figures(capsys)


def test_an_audit_that_comes_too_late_says_nothing_since_every_age_would_look_smaller(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    stale = requested_at(datetime.now(UTC) - timedelta(hours=2), plan())
    assert audit.handler(stale, Context()) == {"state": "late"}
    assert figures(capsys) == {("AuditsCompleted", ""): [0]}
    assert aws.calls == []


# What is no request.


def test_a_bad_request_names_every_problem_and_completes_no_audit(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    event = requested_at(datetime.now(UTC), plan(select={"nams": ["a"]}, maxage="P1D", maxAge="soon"), 7, evry="PT1H")
    answer = audit.handler(event, Context())
    assert answer["state"] == "failed"
    assert answer["message"] == (
        "detail.plans[0].select.nams: unknown key; did you mean names?; "
        "detail.plans[0].maxAge: must be a duration such as 14d, 26h, 90m, or in ISO 8601: P14D, P2W, "
        "PT36H, not 'soon'; "
        "detail.plans[0].maxage: unknown key; did you mean maxAge?; "
        "detail.plans[1]: must be a JSON object, not 7; "
        "detail.evry: unknown key; did you mean every?"
    )
    [line] = aws.logs()
    assert line["message"] == f"Rejected the request: {answer['message']}"
    assert line["correlation_id"] == event["id"]
    failed = aws.event()
    assert (failed["detail-type"], failed["detail"]["request"]) == ("Instance Snapshot Failed", event)
    counted = figures(capsys)
    assert (counted["AuditsCompleted", ""], counted["SnapshotsFailed", ""]) == ([0], [1])
    assert aws.calls == []


@pytest.mark.parametrize("event", [{"detail": {}}, {"id": 3, "detail": "x"}, []])
def test_what_is_no_event_ends_the_same_way(aws: FakeAws, event: Any) -> None:  # noqa: ARG001 - nothing may be called
    assert audit.handler(event, Context())["state"] == "failed"


def test_the_published_example_is_a_request() -> None:
    request = parse_audit_request(example("Audit Requested"), default_region="us-east-1")
    assert (request.plans[0].max_age, request.plans[0].copy_to) == (timedelta(hours=26), ("eu-west-1",))
