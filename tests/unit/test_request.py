"""`Instance Snapshot Requested`: what a request may have, and what is wrong with a bad one."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.events import SOURCE
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.instance_snapshot_requested import SnapshotRequest, parse_request
from lightsail_snapshots.reader import Problem
from tests.support.events import REQUEST_ID, REQUESTED_AT, fits, requested

REGIONS = ("us-east-1", "eu-central-1")


def parse(event: object) -> SnapshotRequest:
    return parse_request(event, default_region="us-east-1", regions=REGIONS, copy_regions=REGIONS)


def request(**detail: object) -> SnapshotRequest:
    return parse(requested({"instanceName": "web-1"} | detail))


def request_of_plan(plan: str = "daily", **detail: object) -> SnapshotRequest:
    return parse(requested({"instanceName": "web-1", "plan": plan} | detail, source=SOURCE))


def problems(event: object) -> list[str]:
    with pytest.raises(InvalidRequestError) as caught:
        parse(event)
    return list(map(str, caught.value.problems))


def test_request_needs_only_an_instance() -> None:
    smallest = request()
    assert smallest.request_id == REQUEST_ID
    assert smallest.instance_name == "web-1"
    assert smallest.region == "us-east-1"
    assert smallest.tags == {}
    assert smallest.copy_instance_tags
    assert smallest.keep_for is None
    assert smallest.our_tags(REQUESTED_AT) == {
        "managed-by": "lightsail-snapshots",
        "snapshot-name": smallest.instance_snapshot_name,
        "snapshot-of": "web-1",
    }


def test_request_accepts_tags_in_the_form_of_the_api() -> None:
    assert request(tags=[{"key": "env", "value": "prod"}, {"key": "no_delete"}]).tags == {
        "env": "prod",
        "no_delete": "",
    }


def test_request_accepts_tags_in_the_short_form() -> None:
    assert request(tags={"env": "prod"}).tags == {"env": "prod"}


def test_request_keeps_a_given_snapshot_name() -> None:
    assert request(instanceSnapshotName="before-upgrade").instance_snapshot_name == "before-upgrade"


def test_keep_for_counts_from_when_the_snapshot_is_taken() -> None:
    kept = request_of_plan(keepFor="P14D", scheduledTime="2026-10-01T02:00:00Z")
    assert kept.our_tags(datetime(2026, 11, 1, 2, tzinfo=UTC)) == {
        "managed-by": "lightsail-snapshots",
        "snapshot-name": kept.instance_snapshot_name,
        "snapshot-of": "web-1",
        "snapshot-plan": "daily",
        "expires-at": "2026-11-15T02:00:00Z",
    }


def test_snapshot_of_a_plan_carries_its_keep_rules() -> None:
    assert request_of_plan(keep={"weekly": 4, "last": 7}).our_tags(REQUESTED_AT)["snapshot-keep"] == "last=7 weekly=4"
    assert request_of_plan().our_tags(REQUESTED_AT)["snapshot-keep"] == "all"
    assert "snapshot-keep" not in request_of_plan(keepFor="P14D").our_tags(REQUESTED_AT)
    assert "snapshot-keep" not in request().our_tags(REQUESTED_AT)


@pytest.mark.parametrize("keep", [{}, {"last": 0}])
def test_keep_rules_that_keep_nothing_are_rejected(keep: dict[str, int]) -> None:
    [problem] = problems(requested({"instanceName": "web-1", "keep": keep}, source=SOURCE))
    assert problem == "detail.keep: must have at least one rule above 0, such as last = 7"


def test_name_is_the_same_for_the_same_event() -> None:
    assert request() == request()


def test_name_differs_for_two_events_of_one_second() -> None:
    other = parse(requested(id="another"))
    assert other.instance_snapshot_name != request().instance_snapshot_name


def test_name_is_the_same_for_two_events_of_one_slot() -> None:
    slot = {"instanceName": "web-1", "plan": "daily", "scheduledTime": "2026-11-23T03:15:00Z"}
    first = parse(requested(slot, source=SOURCE))
    second = parse(requested(slot, source=SOURCE, id="another", time="2026-11-23T03:15:07Z"))
    assert first.instance_snapshot_name == second.instance_snapshot_name


def test_name_differs_for_two_plans_of_one_slot() -> None:
    slot = {"scheduledTime": "2026-11-23T03:15:00Z"}
    first, second = request_of_plan("a", **slot), request_of_plan("b", **slot)
    assert first.instance_snapshot_name != second.instance_snapshot_name


def test_name_differs_for_two_regions_of_one_slot() -> None:
    slot = {"scheduledTime": "2026-11-23T03:15:00Z"}
    here, there = request(**slot), request(region="eu-central-1", **slot)
    assert here.instance_snapshot_name != there.instance_snapshot_name


def test_request_needs_a_region_if_the_stack_does_not_cover_its_own() -> None:
    with pytest.raises(InvalidRequestError, match=r"^detail\.region: is missing$"):
        parse_request(requested(), default_region="eu-west-1", regions=REGIONS)


def test_copy_is_rejected_if_the_stack_makes_no_copies() -> None:
    event = requested({"instanceName": "web-1", "copyTo": ["eu-central-1"]})
    with pytest.raises(InvalidRequestError) as caught:
        parse_request(event, default_region="us-east-1", regions=REGIONS)
    text = "must be a Region that this stack copies to (none), not 'eu-central-1'"
    assert caught.value.problems == (Problem(("detail", "copyTo", 0), text),)


BAD: dict[str, tuple[Any, list[str]]] = {
    "a list": ([], ["the event must be an EventBridge event, a JSON object, not []"]),
    "a text": ("hello", ["the event must be an EventBridge event, a JSON object, not 'hello'"]),
    "null": (None, ["the event must be an EventBridge event, a JSON object, not null"]),
    "an empty object": ({}, ["id: is missing", "time: is missing", "detail: is missing"]),
    "no detail": (
        {"id": "1", "time": "2026-11-23T03:15:00Z"},
        ["detail: is missing"],
    ),
    "detail as a text": (
        requested("{}"),
        ["detail: must be a JSON object, not '{}'"],
    ),
    "an id that is no text": (requested(id=7), ["id: must be a text, not 7"]),
    "a time that is none": (requested(time="noon"), ["time: must be a time such as 2026-11-23T03:15:00Z, not 'noon'"]),
    "a time without a zone": (
        requested(time="2026-11-23T03:15:00"),
        ["time: must be a time such as 2026-11-23T03:15:00Z, not '2026-11-23T03:15:00'"],
    ),
    "no instance": (requested({}), ["detail.instanceName: is missing"]),
}

BAD_FIELDS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "an instance name of the wrong type": ({"instanceName": 7}, ["instanceName: must be a text, not 7"]),
    "an unknown field, with the nearest known one": (
        {"instancename": "web-1"},
        ["instancename: unknown key; did you mean instanceName?"],
    ),
    "an unknown field that is near none": (
        {"wait": True},
        [
            "wait: unknown key; allowed are instanceName, instanceSnapshotName, region, copyInstanceTags, "
            "copyTo, tags, keepFor, scheduledTime"
        ],
    ),
    "an unknown Region": (
        {"region": "eu-west-9"},
        ["region: must be a Region of this stack (eu-central-1, us-east-1), not 'eu-west-9'"],
    ),
    "an Availability Zone for a Region": (
        {"region": "eu-central-1a"},
        [
            "region: must be a Region of this stack (eu-central-1, us-east-1), not 'eu-central-1a'; "
            "the Region of that zone is eu-central-1"
        ],
    ),
    "a Local Zone for a Region": (
        {"region": "us-east-1-bos-1a"},
        [
            "region: must be a Region of this stack (eu-central-1, us-east-1), not 'us-east-1-bos-1a'; "
            "the Region of that zone is us-east-1"
        ],
    ),
    "tags of the wrong type": (
        {"tags": "env=prod"},
        ['tags: must be a list such as [{"key": "env", "value": "prod"}], not \'env=prod\''],
    ),
    "tags in capitals": (
        {"tags": [{"Key": "env", "Value": "prod"}]},
        [
            'tags[0]: must be {"key": "env", "value": "prod"}, in lower case, '
            "not {'Key': 'env', 'Value': 'prod'}",
        ],
    ),
    "a tag's value of the wrong type": (
        {"tags": {"build": 7}},
        ["tags.build: must be a text, not 7"],
    ),
    "a tag with an empty key": (
        {"tags": [{"key": ""}]},
        ["tags[0]: the key has 0 characters, allowed are 1 to 128"],
    ),
    "a tag with a key and a value that are too long": (
        {"tags": [{"key": "k" * 129, "value": "v" * 257}]},
        [
            "tags[0]: the key has 129 characters, allowed are 1 to 128",
            "tags[0]: the value has 257 characters, allowed are 256",
        ],
    ),
    "a tag with a character that Lightsail refuses": (
        {"tags": {"env": "prod!"}},
        ["tags.env: the value may hold only letters, digits, spaces and + - = . _ : / @"],
    ),
    "a tag that ends with a new line": (
        {"tags": {"env": "prod\n"}},
        ["tags.env: the value may hold only letters, digits, spaces and + - = . _ : / @"],
    ),
    "a tag that begins with aws:": (
        {"tags": {"aws:env": "AWS:prod"}},
        [
            "tags.aws:env: the key begins with aws:, which is reserved",
            "tags.aws:env: the value begins with aws:, which is reserved",
        ],
    ),
    "a tag's key that is there twice": (
        {"tags": [{"key": "env"}, {"key": "env", "value": "prod"}]},
        ["tags[1]: the key env is given twice"],
    ),
    "a key that only we may set, in any case of letters": (
        {"tags": [{"key": "Managed-By", "value": "terraform"}, {"key": "snapshot-hold"}]},
        [
            "tags[0]: the key Managed-By is reserved for lightsail-snapshots",
            "tags[1]: the key snapshot-hold is reserved for lightsail-snapshots",
        ],
    ),
    "51 tags": (
        {"tags": {f"key-{n}": "" for n in range(51)}},
        ["tags: has 51 tags, at most 35 are allowed: Lightsail takes 50"],
    ),
    "a flag that is a text": ({"copyInstanceTags": "no"}, ["copyInstanceTags: must be true or false, not 'no'"]),
    "copies to what is no list": (
        {"copyTo": "eu-central-1"},
        ["copyTo: must be a list of Regions such as [\"eu-central-1\"], not 'eu-central-1'"],
    ),
    "copies to nowhere": (
        {"copyTo": []},
        ['copyTo: must be a list of Regions such as ["eu-central-1"], not []'],
    ),
    "copies to one Region twice": (
        {"copyTo": ["eu-central-1", "eu-central-1"]},
        ["copyTo: eu-central-1 is listed twice"],
    ),
    "copies to an unknown Region": (
        {"copyTo": ["mars-1", 7]},
        [
            "copyTo[0]: must be a Region that this stack copies to (eu-central-1, us-east-1), not 'mars-1'",
            "copyTo[1]: must be a text, not 7",
        ],
    ),
    "copies to the snapshot's own Region": (
        {"copyTo": ["us-east-1"]},
        ["copyTo: us-east-1 is the Region of the snapshot itself"],
    ),
    "a slot that is no time": (
        {"scheduledTime": "<aws.scheduler.scheduled-time>"},
        ["scheduledTime: must be a time such as 2026-11-23T03:15:00Z, not '<aws.scheduler.scheduled-time>'"],
    ),
    "a slot in the year 9999": (
        {"scheduledTime": "9999-12-31T23:59:59Z", "keepFor": "P9D"},
        ["scheduledTime: must be a time such as 2026-11-23T03:15:00Z, not '9999-12-31T23:59:59Z'"],
    ),
}


@pytest.mark.parametrize(("event", "expected"), BAD.values(), ids=BAD)
def test_bad_event_is_rejected(event: object, expected: list[str]) -> None:
    assert problems(event) == expected


@pytest.mark.parametrize(("detail", "expected"), BAD_FIELDS.values(), ids=BAD_FIELDS)
def test_bad_field_is_rejected(detail: dict[str, Any], expected: list[str]) -> None:
    event = requested({"instanceName": "web-1"} | detail)
    assert problems(event) == [f"detail.{problem}" for problem in expected]


@pytest.mark.parametrize("name", ["", "a", "custom gitlab", "-web", "web-", ".web", "web\n", "wéb", "x" * 256, "a/b"])
@pytest.mark.parametrize("field", ["instanceName", "instanceSnapshotName"])
def test_name_is_rejected_if_lightsail_would_reject_it(field: str, name: str) -> None:
    [problem] = problems(requested({"instanceName": "web-1"} | {field: name}))
    assert problem.startswith(f"detail.{field}: ")


@pytest.mark.parametrize("name", ["ab", "web.example.com", "a_b-c.d", "x" * 255, "1-2"])
def test_name_is_accepted_if_lightsail_might_accept_it(name: str) -> None:
    assert request(instanceName=name, instanceSnapshotName=name).instance_name == name


@pytest.mark.parametrize(("text", "days"), [("14d", 14), ("36h", 1.5), ("90m", 1 / 16), ("P2W", 14), ("P1DT12H", 1.5)])
def test_request_accepts_both_forms_of_a_duration(text: str, days: float) -> None:
    assert request(keepFor=text).keep_for == timedelta(days=days)


@pytest.mark.parametrize(
    "text",
    ["7 days", "P", "PT", "P1Y", "P1M", "P0D", "-P1D", "P1W2D", "P1DT", "P9999W", "P1D\n", "90s", "0d", "1d2h", 7],
)
def test_request_is_rejected_if_a_duration_has_no_fixed_length(text: object) -> None:
    [problem] = problems(requested({"instanceName": "web-1", "keepFor": text}))
    assert problem.startswith("detail.keepFor: must be a duration such as 14d, 26h, 90m, or in ISO 8601")


OURS_ALONE = {
    "restore": {},
    "keep": {"last": 7},
    "plan": "daily",
    "lateAfter": "P1D",
    "notBefore": "2026-11-23T03:15:00Z",
    "retryFor": "PT30H",
}


@pytest.mark.parametrize("source", ["my.deploy", "Lightsail-Snapshots"])
def test_request_is_rejected_if_a_foreign_source_sets_what_is_ours(source: str) -> None:
    event = requested({"instanceName": "web-1"} | OURS_ALONE)
    event["source"] = source
    expected = {f"detail.{name}: only lightsail-snapshots itself may set it" for name in OURS_ALONE}
    assert set(problems(event)) == expected


def test_request_is_rejected_if_its_plan_has_no_valid_name() -> None:
    event = requested({"instanceName": "web-1", "plan": "before deploy"}, source=SOURCE)
    text = "detail.plan: must have 1 to 40 letters, digits, - _ and ., not 'before deploy'"
    assert problems(event) == [text]


def test_request_reports_every_problem_at_once() -> None:
    detail = {"instanceName": "a b", "tags": {"x!": 1, "y!": ""}, "keepFor": "soon", "region": "x", "colour": 1}
    assert len(problems(requested(detail, time="now", id=None))) == 8


def test_problems_are_truncated_to_what_an_event_can_hold() -> None:
    found = problems(requested({"instanceName": "web-1", "tags": [7] * 5000}))
    assert len(found) == 101
    assert found[-1] == "and 4900 more problems"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3),
    max_leaves=8,
)
DETAILS = st.fixed_dictionaries(
    {"instanceName": st.sampled_from(["web-1", "a b", "", 7])},
    optional={
        "tags": st.sampled_from([{}, {"env": "prod"}, [{"key": "env"}], {"": ""}, [7], "x", {"e!": ""}]) | JSON,
        "instanceSnapshotName": st.sampled_from(["before", "-x", None]),
        "copyInstanceTags": st.booleans() | st.integers(),
        "keepFor": st.sampled_from(["P1D", "PT1H", "P1M", "soon"]),
        "plan": st.sampled_from(["daily", ""]),
        "restore": st.sampled_from([{}, {"restore-ports": "tcp=80"}, {"restore-ports": "a;b"}, {"env": "prod"}, None]),
        "scheduledTime": st.sampled_from(["2026-11-23T03:15:00Z", "noon"]),
        "colour": JSON,
    },
)


def try_to_parse(event: object) -> SnapshotRequest | InvalidRequestError:
    try:
        return parse(json.loads(json.dumps(event)))
    except InvalidRequestError as error:
        return error


@given(event=JSON | st.builds(requested, DETAILS | JSON))
def test_any_json_is_a_request_or_has_problems(event: object) -> None:
    result = try_to_parse(event)
    assert isinstance(result, SnapshotRequest) or result.problems


@given(event=st.builds(requested, DETAILS, source=st.sampled_from([SOURCE, "my.deploy"])))
def test_accepted_request_fits_the_published_schema(event: dict[str, Any]) -> None:
    assert isinstance(try_to_parse(event), InvalidRequestError) or fits(event)
