"""`fan_out`: which instances it selects, which calls it needs, and what it does when one fails."""

import json
from datetime import UTC, datetime
from typing import Any
from unittest.mock import Mock, patch

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots import fan_out
from lightsail_snapshots.aws.errors import EntriesRejectedError
from lightsail_snapshots.aws.lightsail import Lightsail
from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.fleet_snapshot_requested import parse_fleet_request
from lightsail_snapshots.events.instance_snapshot_requested import parse_request
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.reporting import RegionsFailedError
from tests.support.events import example, fits, requested
from tests.support.fake_aws import Context, FakeAws, make_instance

REGIONS = ("us-east-1", "eu-central-1")


def fleet(event_id: str = "fleet-1", time: str = "2026-11-23T03:15:07Z", **detail: object) -> dict[str, Any]:
    """Build a plan's `Fleet Snapshot Requested`; None leaves a field of the detail out."""
    fields = {"plan": "daily", "select": {"all": True}, "scheduledTime": "2026-11-23T03:15:00Z"} | detail
    given = {name: value for name, value in fields.items() if value is not None}
    kind = {"detail-type": "Fleet Snapshot Requested", "source": SOURCE if "plan" in given else "my.deploy"}
    return requested(given, id=event_id, time=time, **kind)


def run(event: Any) -> dict[str, Any]:
    answer: dict[str, Any] = fan_out.handler(event, Context())
    return answer


def names(events: list[dict[str, Any]]) -> list[str]:
    """Say what `create` would call the snapshots that the events ask for."""
    return [
        parse_request(event, default_region="us-east-1", regions=REGIONS).instance_snapshot_name for event in events
    ]


# Which instances


def test_each_selected_instance_is_requested_with_its_tags(aws: FakeAws) -> None:
    make_instance("shop", "eu-central-1", {"backup": "daily", "team": "shop"})
    make_instance("blog", "eu-central-1", {"backup": "never"})
    event = fleet(
        select={"tags": {"backup": "daily"}},
        regions=list(REGIONS),
        tags={"team": "ops", "env": ""},
        keepFor="P7D",
        lateAfter="P3D",
    )
    assert fits(event)
    assert run(event) == {"selected": {"us-east-1": 0, "eu-central-1": 1}}
    put = aws.event()
    settings = put["detail"]["restore"]["restore-settings"]
    assert settings.startswith("zone=eu-central-1a bundle=nano_3_0 address-type=dualstack address=")
    assert (put["source"], put["detail-type"]) == ("lightsail-snapshots", "Instance Snapshot Requested")
    assert put["detail"] == {
        "instanceName": "shop",
        "region": "eu-central-1",
        "plan": "daily",
        "tags": {"backup": "daily", "team": "ops", "env": ""},
        "copyInstanceTags": False,
        "restore": {"restore-settings": settings, "restore-ports": "tcp=80 tcp=22 tcp=443"},
        "scheduledTime": "2026-11-23T03:15:00Z",
        "lateAfter": "P3D",
        "keepFor": "P7D",
    }


def test_keep_rules_are_in_each_request(aws: FakeAws) -> None:
    event = fleet(keep={"weekly": 4, "last": 7, "within": "P3D"})
    assert fits(event)
    run(event)
    assert aws.event()["detail"]["keep"] == {"last": 7, "weekly": 4, "within": "P3D"}


def test_copy_regions_are_in_each_request(aws: FakeAws) -> None:
    run(fleet(copyTo=["eu-central-1"]))
    assert aws.event()["detail"]["copyTo"] == ["eu-central-1"]


def test_default_region_is_the_functions_own(aws: FakeAws) -> None:
    assert run(fleet()) == {"selected": {"us-east-1": 1}}
    assert aws.event()["detail"]["region"] == "us-east-1"


def test_last_instance_tags_are_dropped_over_the_limit(aws: FakeAws) -> None:
    make_instance("shop", tags={f"key-{number:02}": "" for number in range(35)})
    run(fleet(select={"names": ["shop"]}, tags={"env": "prod"}))
    tags = aws.event()["detail"]["tags"]
    assert len(tags) == 35
    assert tags["env"] == "prod"
    assert "key-34" not in tags
    [warning] = [line for line in aws.logs() if line["level"] == "WARNING"]
    assert (warning["instance_name"], warning["dropped_tags"]) == ("shop", ["key-34"])


def test_fan_out_rejects_a_replayed_request(aws: FakeAws) -> None:
    answer = run(fleet() | {"replay-name": "last-night"})
    assert "replay-name: a replay is rejected: put the request again" in answer["message"]
    assert aws.event()["detail-type"] == "Request Rejected"
    assert aws.calls == []


def test_bad_and_reserved_instance_tags_are_dropped() -> None:
    request = parse_fleet_request(fleet(), default_region="us-east-1", regions=REGIONS)
    instance = _instance("web-1", {"aws:x": "y", "odd": "a;b", "managed-by": "me", "team": "web"})
    detail, dropped = request.for_instance(instance, "us-east-1")
    assert detail["tags"] == {"team": "web"}
    assert dropped == ["odd", "managed-by"]


def empty_selections(capsys: pytest.CaptureFixture[str]) -> list[tuple[str, float]]:
    """Read the metric that each run of a plan has: the plan, and whether it selected nothing."""
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [set(line["_aws"]["CloudWatchMetrics"][0]["Dimensions"][0]) for line in lines] == [
        {"service", "plan"}
    ] * len(lines)
    return [(line["plan"], value) for line in lines for value in line["EmptySelections"]]


def test_empty_selection_is_a_metric_of_the_plan_and_a_warning(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fleet(select={"tags": {"bakcup": "daily"}})) == {"selected": {"us-east-1": 0}}
    assert empty_selections(capsys) == [("daily", 1)]
    [warning] = aws.logs()
    assert warning["message"] == "Selected no instances; check tags and names"
    assert (warning["plan"], warning["select"]) == ("daily", {"tags": {"bakcup": "daily"}})
    assert aws.events() == []


def test_selection_that_is_not_empty_is_a_zero_of_the_plan(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    run(fleet())
    run(fleet(plan="weekly"))
    assert empty_selections(capsys) == [("daily", 0), ("weekly", 0)]
    assert [line["message"] for line in aws.logs()] == ["Requested a snapshot of each selected instance"] * 2


def test_request_without_a_plan_that_selects_nothing_is_rejected(
    aws: FakeAws, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = run(fleet(plan=None, select={"names": ["nobody"]}))
    assert answer["state"] == "failed"
    event = aws.event()
    assert event["detail-type"] == "Request Rejected"
    assert (event["detail"]["requestId"], event["detail"]["problems"]) == (
        "fleet-1",
        ["detail.select: matches no instance in us-east-1: check tags and names"],
    )
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("slot", "late_after"),
    [(None, "P1D"), ("2026-11-23T03:15:00Z", "P1D"), ("2026-11-20T03:15:00Z", "P4D"), ("2026-11-25T03:15:00Z", "P1D")],
)
def test_request_without_a_plan_may_be_24_hours_late(aws: FakeAws, slot: str | None, late_after: str) -> None:
    run(fleet(plan=None, scheduledTime=slot, time="2026-11-23T03:15:00Z"))
    assert aws.event()["detail"]["lateAfter"] == late_after


# Names


def test_second_delivery_requests_the_same_names(aws: FakeAws) -> None:
    make_instance("web-2")
    run(fleet("fleet-1"))
    first = names(aws.events())
    run(fleet("fleet-2", time="2026-11-23T03:16:30Z"))  # the schedule itself tried twice
    assert names(aws.events()) == first


def test_names_differ_for_each_request_without_a_slot(aws: FakeAws) -> None:
    for event_id in ("push-1", "push-2", "push-1"):
        run(fleet(event_id, scheduledTime=None, plan=None))
    first, second, again = names(aws.events())
    assert first == again
    assert first != second


def _instance(name: str, tags: dict[str, str]) -> Instance:
    return Instance(name=name, arn="arn", tags=tags, created_at=datetime(2026, 1, 1, tzinfo=UTC))


_tags = st.dictionaries(st.sampled_from(["a", "b"]), st.sampled_from(["", "x"]))
_instances = st.lists(
    st.builds(_instance, st.text("ab-1", min_size=2, max_size=4).map("w{}w".format), _tags),
    max_size=8,
    unique_by=lambda instance: instance.name,
)


@given(_instances, st.randoms(), st.integers(1, 4))
def test_requests_ignore_order_pages_and_repeats_of_a_listing(
    instances: list[Instance], random: Any, page_size: int
) -> None:
    def asked_for(listing: list[Instance], size: int) -> dict[str, Any]:
        pages = [listing[start : start + size] for start in range(0, len(listing), size)]
        request = parse_fleet_request(
            fleet(select={"names": ["wa*"], "tags": {"a": "*"}}), default_region="us-east-1", regions=REGIONS
        )
        with patch.object(Lightsail, "instances", lambda *_: iter(pages)):
            details = fan_out._requests(request, "us-east-1", Context())
        return dict(zip(names([requested(detail, source=SOURCE) for detail in details]), details, strict=True))

    again = [*instances, *random.sample(instances, len(instances) // 2)]
    random.shuffle(again)
    assert asked_for(again, page_size) == asked_for(instances, 100)


def test_instance_that_is_listed_twice_is_requested_once(aws: FakeAws) -> None:
    twice = [_instance("web-1", {"odd": "a;b"}), _instance("web-2", {})]
    with patch.object(Lightsail, "instances", lambda *_: iter([twice, twice[:1], twice[1:]])):
        assert run(fleet()) == {"selected": {"us-east-1": 2}}
    assert [event["detail"]["instanceName"] for event in aws.events()] == ["web-1", "web-2"]
    [dropped] = [line for line in aws.logs() if "dropped_tags" in line]
    assert (dropped["instance_name"], dropped["dropped_tags"]) == ("web-1", ["odd"])


# Calls and memory


def test_fan_out_lists_each_region_once_and_puts_ten_at_a_time(aws: FakeAws) -> None:
    for number in range(24):
        make_instance(f"shop-{number}", REGIONS[number % 2])
    aws.emulator.settings.page_size = 5
    aws.calls.clear()
    with patch.object(fan_out.event_bus, "_client", wraps=fan_out.event_bus._client) as client:
        run(fleet(regions=list(REGIONS)))
    assert aws.calls == ["GetInstances"] * (3 + 3)  # 13 and 12 instances
    assert [len(call.kwargs["Entries"]) for call in client.put_events.call_args_list] == [10, 10, 5]
    assert len(aws.events()) == 25


def test_nothing_is_put_before_all_regions_are_listed(aws: FakeAws) -> None:
    for region in REGIONS:
        make_instance("shop", region)
    aws.calls.clear()
    with patch.object(fan_out.event_bus, "put_all", lambda *_: aws.calls.append("put")):
        run(fleet(regions=list(REGIONS)))
    assert aws.calls == ["GetInstances", "GetInstances", "put"]


def test_ten_thousand_instances_need_a_thousand_calls_to_the_bus() -> None:
    pages = [[_instance(f"web-{page}-{number}", {}) for number in range(20)] for page in range(250)]
    answer = {"FailedEntryCount": 0, "Entries": [{"EventId": "x"}] * 10}
    with (
        patch.object(Lightsail, "instances", lambda *_: iter(pages)),
        patch.object(fan_out.event_bus, "_client", Mock(put_events=Mock(return_value=answer))) as client,
    ):
        assert run(fleet(regions=list(REGIONS))) == {"selected": dict.fromkeys(REGIONS, 5000)}
    assert client.put_events.call_count == 1000


@pytest.mark.parametrize(("instances", "retry_for"), [(1000, None), (1001, "PT333M"), (10_000, "PT3333M")])
def test_requests_of_a_large_fleet_are_retried_for_longer(instances: int, retry_for: str | None) -> None:
    page = [_instance(f"web-{number}", {}) for number in range(instances)]
    put: list[dict[str, Any]] = []
    with (
        patch.object(Lightsail, "instances", lambda *_: iter([page])),
        patch.object(fan_out.event_bus, "put_all", lambda _, details: put.extend(details)),
    ):
        run(fleet(regions=["us-east-1"]))
    assert {detail.get("retryFor") for detail in put} == {retry_for}
    assert len(put) == instances


# Failures


@pytest.mark.parametrize("fault", ["throttle", "busy", "unreachable"])
def test_page_is_retried_while_there_is_time(aws: FakeAws, fault: str) -> None:
    aws.emulator.settings.page_size = 1
    make_instance("web-2")
    aws.emulator.faults.add(fault, operation="GetInstances", times=7)
    with patch.object(Context, "get_remaining_time_in_millis", lambda _: 900_000):
        assert run(fleet()) == {"selected": {"us-east-1": 2}}
    assert len(aws.events()) == 2


def test_region_fails_when_its_page_still_fails_at_the_end_of_the_time(aws: FakeAws) -> None:
    aws.emulator.faults.add("throttle", operation="GetInstances")
    left = iter([900_000, 300_000, 100_000])
    with (
        patch.object(Context, "get_remaining_time_in_millis", lambda _: next(left)),
        pytest.raises(RegionsFailedError, match="ThrottlingException"),
    ):
        run(fleet())
    assert aws.calls.count("GetInstances") == 3


def test_only_the_rejected_entry_is_put_again(aws: FakeAws) -> None:
    make_instance("web-2")
    real = fan_out.event_bus._client.put_events
    sizes: list[int] = []

    def refuses_the_second(Entries: list[Any]) -> Any:  # noqa: N803 - as boto3 names it
        sizes.append(len(Entries))
        if len(sizes) > 1:
            return real(Entries=Entries)
        real(Entries=Entries[:1])
        refused = {"ErrorCode": "ThrottlingException", "ErrorMessage": "Rate exceeded"}
        return {"FailedEntryCount": 1, "Entries": [{"EventId": "x"}, refused]}

    with patch.object(fan_out.event_bus._client, "put_events", refuses_the_second):
        run(fleet())
    assert sizes == [2, 1]
    assert sorted(event["detail"]["instanceName"] for event in aws.events()) == ["web-1", "web-2"]


def test_invocation_fails_if_the_bus_always_rejects_an_entry(aws: FakeAws) -> None:
    refused = {"ErrorCode": "InternalFailure", "ErrorMessage": "Try again"}
    answer = {"FailedEntryCount": 1, "Entries": [refused]}
    with (
        patch.object(fan_out.event_bus._client, "put_events", return_value=answer) as put,
        pytest.raises(EntriesRejectedError, match="InternalFailure: Try again"),
    ):
        run(fleet())
    assert put.call_count == 5
    assert aws.events() == []


def test_failed_region_fails_the_invocation_after_the_others(aws: FakeAws) -> None:
    make_instance("shop", "eu-central-1")
    aws.emulator.faults.add("access-denied", operation="GetInstances", region="us-east-1")
    with pytest.raises(RegionsFailedError, match="us-east-1: AccessDeniedException"):
        run(fleet(regions=list(REGIONS)))
    assert aws.event()["detail"]["instanceName"] == "shop"


def test_failed_region_is_no_empty_selection(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.emulator.faults.add("region-setup", operation="GetInstances")
    with pytest.raises(RegionsFailedError, match="us-east-1: RegionSetupInProgress"):
        run(fleet())
    assert empty_selections(capsys) == []


# Bad requests


def test_bad_request_is_one_rejected_event_with_every_problem(aws: FakeAws, capsys: pytest.CaptureFixture[str]) -> None:
    event = fleet(
        select={"nams": ["web-*"]},
        regions=["eu-central-1a"],
        copyTo=["us-east-2", "us-east-1"],
        keepFor="soon",
        plan=None,
        keepfor="P1D",
        tags={"env": 7},
    )
    answer = run(event)
    put = aws.event()
    assert put["detail-type"] == "Request Rejected"
    assert put["detail"]["requestId"] == "fleet-1"
    assert put["detail"]["request"] == event
    assert put["detail"]["problems"] == [
        "detail.select.nams: unknown key; did you mean names?",
        "detail.regions[0]: must be a Region of this stack (eu-central-1, us-east-1), not 'eu-central-1a'; "
        "the Region of that zone is eu-central-1",
        "detail.copyTo[0]: must be a Region that this stack copies to (eu-central-1, eu-west-1), not 'us-east-2'",
        "detail.copyTo[1]: must be a Region that this stack copies to (eu-central-1, eu-west-1), not 'us-east-1'",
        "detail.tags.env: must be a text, not 7",
        "detail.keepFor: must be a duration such as 14d, 26h, 90m, or in ISO 8601: P14D, P2W, PT36H, not 'soon'",
        "detail.keepfor: unknown key; did you mean keepFor?",
    ]
    assert answer == {"state": "failed", "message": put["detail"]["message"]}
    [line] = [line for line in aws.logs() if line["level"] == "ERROR"]
    assert (line["state"], json.loads(line["request"])) == ("failed", event)
    assert capsys.readouterr().out == ""
    assert aws.calls == []


@pytest.mark.parametrize("event", [{"detail": {}}, {"id": 3, "detail": "x"}, []])
def test_anything_but_an_event_is_rejected_too(aws: FakeAws, event: Any) -> None:
    assert run(event)["state"] == "failed"
    assert aws.event()["detail"]["requestId"] == "invocation-1"


def test_plans_request_goes_on_without_a_region_that_was_removed(aws: FakeAws) -> None:
    assert run(fleet(regions=["us-east-1", "us-west-2"], copyTo=["eu-west-1", "ap-south-1"])) == {
        "selected": {"us-east-1": 1}
    }
    assert aws.event()["detail"]["copyTo"] == ["eu-west-1", "ap-south-1"], "create drops the copy, and says so"


def test_request_rejected_fits_into_an_event_when_the_request_is_huge(aws: FakeAws) -> None:
    run(fleet(**{f'{number}"' * 50: '"' * 100 for number in range(1000)}))
    detail = aws.event()["detail"]
    assert len(detail["problems"]) == 101
    assert len(json.dumps(detail, ensure_ascii=False).encode()) < 256 * 1024


def test_copy_into_a_region_of_the_request_is_rejected(aws: FakeAws) -> None:
    run(fleet(regions=["eu-central-1"], copyTo=["eu-central-1"]))
    assert aws.event()["detail"]["problems"] == ["detail.copyTo: eu-central-1 is the Region of the snapshot itself"]


def test_fleet_request_is_rejected_if_a_foreign_source_sets_what_is_ours(aws: FakeAws) -> None:
    ours_alone: dict[str, Any] = {
        "keep": {"last": 7},
        "plan": "daily",
        "lateAfter": "P1D",
        "notBefore": "2026-11-23T03:15:00Z",
        "restore": {},
        "retryFor": "PT30H",
    }
    event = fleet(**ours_alone) | {"source": "my.deploy"}
    assert not fits(event)
    run(event)
    assert aws.event()["detail"]["problems"] == [
        f"detail.{name}: only lightsail-snapshots itself may set it" for name in ours_alone
    ]


def test_request_needs_regions_if_the_stack_does_not_cover_its_own() -> None:
    assert parse_fleet_request(fleet(), default_region="us-east-1", regions=REGIONS).regions == ("us-east-1",)
    with pytest.raises(InvalidRequestError, match=r"^detail\.regions: is missing$"):
        parse_fleet_request(fleet(), default_region="us-east-1", regions=("eu-central-1",))


def test_select_without_a_condition_is_rejected(aws: FakeAws) -> None:
    run(fleet(select={"exclude": ["web-*"]}))
    assert aws.event()["detail"]["problems"] == [
        "detail.select: selects nothing: give names, tags or all",
    ]


def test_published_example_is_a_valid_request() -> None:
    request = parse_fleet_request(example("Fleet Snapshot Requested"), default_region="us-east-1", regions=REGIONS)
    assert (request.plan, request.is_scheduled, request.regions) == ("daily", True, ("eu-central-1", "us-east-1"))
