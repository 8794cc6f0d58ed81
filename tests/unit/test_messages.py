"""What people read about each event, word for word, and what holds for every message about any event."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lightsail_snapshots.events import DETAIL_TYPES, FROM_ANYONE, SOURCE
from lightsail_snapshots.events.instance_snapshot_outcomes import Reason
from lightsail_snapshots.messages import ALARM_STATE_CHANGE, MESSAGES, compose
from lightsail_snapshots.messages.message import Message
from tests.support.events import example, requested, schema

RUNBOOK = "docs/operations.md"
OPERATIONS = Path(__file__).parents[2] / RUNBOOK
REQUEST = "6a7e8feb-b491-4cf7-a9f1-bf3703467718"


def written(event: dict[str, Any]) -> Message:
    message = compose(event, RUNBOOK)
    assert message
    return message


def failed(**detail: Any) -> dict[str, Any]:
    """Build an `Instance Snapshot Failed` of a plan."""
    event = example("Instance Snapshot Failed")
    return event | {"detail": event["detail"] | {"plan": "daily"} | detail}


def alarm(state: str = "ALARM") -> dict[str, Any]:
    """Build CloudWatch's event about an alarm, as its user guide shows it ("Sample events for metric alarms")."""
    return {
        "version": "0",
        "id": "c4c1c1c9-6542-e61b-6ef0-8c4d36933a92",
        "detail-type": ALARM_STATE_CHANGE,
        "source": "aws.cloudwatch",
        "account": "123456789012",
        "time": "2026-11-23T05:46:41Z",
        "region": "eu-central-1",
        "resources": ["arn:aws:cloudwatch:eu-central-1:123456789012:alarm:lightsail-snapshots-overdue-daily"],
        "detail": {
            "alarmName": "lightsail-snapshots-overdue-daily",
            "configuration": {
                "description": "Plan daily: an instance has no usable snapshot younger than max_age, or no audit"
                " checked it. First: read the message that names the instances."
                " Step by step: docs/operations.md#overdue"
            },
            "previousState": {"value": "OK"},
            "state": {
                "value": state,
                "reason": "Threshold Crossed: 1 datapoint [1.0] was greater than the threshold (0.0).",
                "timestamp": "2026-11-23T05:46:40.985+0000",
            },
        },
    }


def misspelt(detail_type: str, **event: Any) -> dict[str, Any]:
    return requested(source="my.ci", **{"detail-type": detail_type} | event)


# The words


def test_message_about_a_failed_snapshot() -> None:
    name = "web-1-20261123T031500Z-5f0c2a9b"
    why = "Lightsail reports that the snapshot is in the state error."
    message = written(failed(reason="SnapshotError", message=why))
    assert message.subject == "Snapshot failed: web-1 (plan daily)"
    assert message.text == (
        "Snapshot failed: web-1 in eu-central-1, plan daily, SnapshotError.\n"
        "\n"
        f"Since: 2026-11-23 03:15 UTC, request {REQUEST}\n"
        f"Why: {why}\n"
        f"To do: delete the broken snapshot {name}, then take a new one:\n"
        "\n"
        "lightsail-snapshots take web-1 --region eu-central-1 --keep-for 14d --wait\n"
        "\n"
        "Step by step: docs/operations.md#snapshots-failed"
    )


def test_message_about_a_failed_copy() -> None:
    message = written(failed(destination="eu-west-1", reason="SourceGone", message="The source was deleted."))
    assert message.subject == "Copy failed: web-1 (plan daily)"
    assert message.text == (
        "Copy failed: web-1 from eu-central-1 to eu-west-1, plan daily, SourceGone.\n"
        "\n"
        f"Since: 2026-11-23 03:15 UTC, request {REQUEST}\n"
        "Why: The source was deleted.\n"
        "To do: nothing, if the next snapshot is copied. To check:\n"
        "\n"
        "lightsail-snapshots status web-1\n"
        "\n"
        "Step by step: docs/operations.md#copies-failed"
    )


def test_message_about_an_overdue_instance() -> None:
    message = written(example("Recovery Point Overdue"))
    assert message.subject == "Overdue: web-1 (plan daily)"
    assert message.text == (
        "Overdue: web-1 in eu-central-1, plan daily: no usable snapshot younger than 26 hours.\n"
        "\n"
        "Since: 2026-11-23 05:15 UTC, the newest is of 2026-11-22 03:15 UTC\n"
        "Why: no snapshot became usable in time. If one failed, a message said why. If none was requested, check the"
        " plan's schedule and select.\n"
        "To do: take a snapshot, and see what happens:\n"
        "\n"
        "lightsail-snapshots take web-1 --region eu-central-1 --keep-for 14d --wait\n"
        "\n"
        "Step by step: docs/operations.md#overdue"
    )


def overdue(*entries: dict[str, Any], count: int | None = None) -> Message:
    """Write the message about these entries, each with an instance of its own unless it says otherwise."""
    event = example("Recovery Point Overdue")
    [entry] = event["detail"]["instances"]
    listed = [entry | {"instanceArn": f"arn:{number}"} | each for number, each in enumerate(entries)]
    detail = event["detail"] | {"instances": listed, "instancesOverdue": len(entries) if count is None else count}
    return written(event | {"detail": detail})


def test_message_about_overdue_copies_says_so() -> None:
    message = overdue({"copyRegion": "eu-west-1"})
    assert (
        message.headline
        == "Overdue: web-1 in eu-central-1, plan daily: no usable copy in eu-west-1 younger than 50 hours."
    )
    assert message.paste == "lightsail-snapshots status web-1"


def test_message_about_several_overdue_instances_lists_them() -> None:
    message = overdue({}, {"instanceName": "web-2", "copyRegion": "eu-west-1"}, {"instanceName": "web-3"})
    assert message.subject == "Overdue: web-1 and 2 more (plan daily)"
    assert message.headline == (
        "Overdue: web-1 in eu-central-1 and 2 more, plan daily: no usable snapshot or copy younger than 26 hours."
    )
    since = "since 2026-11-23 05:15 UTC, the newest is of 2026-11-22 03:15 UTC"
    assert f"\n- web-2 in eu-central-1, copy in eu-west-1: {since}\n" in message.text
    assert message.paste == "lightsail-snapshots status"


def test_long_list_is_cut_and_says_how_many_more_there_are() -> None:
    message = overdue(*({"instanceName": f"web-{number}"} for number in range(100)), count=120)
    listed = re.findall(r"^- (web-\d+) in", message.text, re.MULTILINE)
    assert len(listed) > 5
    assert f"\nand {120 - len(listed)} more\nTo do: " in message.text


def test_message_about_held_snapshots() -> None:
    message = written(example("Prune Refused"))
    assert message.subject == "Prune refused: 60 snapshots of web-1 (plan daily)"
    assert message.text == (
        "Prune refused: 60 snapshots of web-1 in eu-central-1, plan daily, kept by earlier rules only.\n"
        "\n"
        "Since: the report of 2026-11-23 04:45 UTC\n"
        "Why: today's keep rules would delete these. They stay, since they were taken under rules that keep them:\n"
        "- 60 snapshots of web-1 in eu-central-1, plan daily: keep was last=90, is last=30\n"
        "To do: if keep is mistyped, correct it. To delete them now, add keep_confirmed = 'last=30' to [plans.daily]"
        " and deploy. To see each:\n"
        "\n"
        "lightsail-snapshots preview\n"
        "\n"
        "Step by step: docs/operations.md#prune-refused"
    )


def test_message_about_several_lists_of_held_snapshots_has_the_number_of_all() -> None:
    event = example("Prune Refused")
    [entry] = event["detail"]["refused"]
    entries = [entry, entry | {"plan": "weekly", "instanceName": "web-2", "deletionCount": 1}]
    message = written(event | {"detail": event["detail"] | {"refused": entries, "deletionCount": 61}})
    assert "60 snapshots of web-1 in eu-central-1 and 1 more, plan daily" in message.headline
    assert "- 1 snapshot of web-2 in eu-central-1, plan weekly: keep was" in message.text
    assert "to [plans.daily] (likewise for the other plans) and deploy" in message.text


def test_message_about_unprotected_instances_begins_with_what_fell_out_of_its_plan() -> None:
    message = written(example("Instances Unprotected"))
    assert message.subject == "Unprotected: web-1 and 1 more (plan daily)"
    assert message.text == (
        "Unprotected: web-1 in eu-central-1 and 1 more: it was in plan daily, which does not select it now.\n"
        "\n"
        "Since: the newest snapshot is of 2026-11-21 02:15 UTC\n"
        "Why: no plan takes snapshots of these:\n"
        "- web-1 in eu-central-1, it was in plan daily, which does not select it now: "
        "backup=dayly should be backup=daily\n"
        "- shop in ap-south-1, plans.toml does not name its Region\n"
        "To do: correct the tag, or the plan. If it needs no snapshots, say so in plans.toml (unprotected). To check:\n"
        "\n"
        "lightsail-snapshots status\n"
        "\n"
        "Step by step: docs/operations.md#instances-unprotected"
    )


def test_every_cause_of_an_unprotected_instance_has_its_words() -> None:
    published: Any = schema("Instances Unprotected").schema
    entry = published["properties"]["detail"]["properties"]["instances"]["items"]
    event = example("Instances Unprotected")
    for cause in entry["properties"]["because"]["enum"]:
        entry = event["detail"]["instances"][0] | {"because": cause}
        message = written(event | {"detail": event["detail"] | {"instances": [entry], "instancesUnprotected": 1}})
        assert "no plan selects it" not in message.headline, cause


def rejected(request: Any, *problems: str) -> Message:
    event = example("Request Rejected")
    listed = list(problems) or ["detail.select: is missing"]
    return written(event | {"detail": event["detail"] | {"request": request, "problems": listed}})


def test_message_about_a_rejected_fleet_request_has_every_problem() -> None:
    fleet = misspelt("Fleet Snapshot Requested", detail={"regions": "mars-1"})
    problems = ("detail.select: is missing", 'detail.regions: must be a list such as ["eu-central-1"]')
    message = rejected(fleet, *problems)
    assert message.subject == "Request rejected: Fleet Snapshot Requested (no plan)"
    assert message.text == (
        "Request rejected: Fleet Snapshot Requested from my.ci, no plan.\n"
        "\n"
        "Since: 2026-11-23 03:15 UTC, request 7bf73129-1428-4cd3-a780-95db273d1602\n"
        "Why: nothing was done for it, since it is not valid:\n"
        "- detail.select: is missing\n"
        "- detail.regions: must be a list such as ['eu-central-1']\n"
        "To do: correct the sender and put the request again, or take a snapshot yourself. Names:\n"
        "\n"
        "lightsail-snapshots status\n"
        "\n"
        "Step by step: docs/operations.md#request-rejected"
    )


def test_message_about_a_rejected_request_for_one_instance_names_it() -> None:
    event = failed(problems=["detail.keep: only lightsail-snapshots itself may set it"], request=requested())
    del event["detail"]["instanceName"]
    message = written(event)
    assert message.subject == "Request rejected: Instance Snapshot Requested (web-1, no plan)"
    assert message.headline == "Request rejected: Instance Snapshot Requested from my.deploy, web-1, no plan."
    assert "\n- detail.keep: only lightsail-snapshots itself may set it\n" in message.text
    assert message.paste == "lightsail-snapshots take web-1 --keep-for 14d --wait"


@pytest.mark.parametrize(
    ("detail_type", "source", "paste"),
    [
        ("Prune Requested", SOURCE, "make deploy"),
        ("Fleet Snapshot Requested", SOURCE, "make deploy"),
        ("Prune Requested", "my.shell", "lightsail-snapshots prune"),
        ("Audit Requested", "my.shell", "lightsail-snapshots audit"),
    ],
)
def test_message_about_a_rejected_request_has_the_command_for_it(detail_type: str, source: str, paste: str) -> None:
    message = rejected(requested({}, source=source, **{"detail-type": detail_type}))
    assert message.headline.startswith(f"Request rejected: {detail_type} from {source}")
    assert message.paste == paste


def test_message_about_what_is_no_event_says_so() -> None:
    assert rejected("this is not JSON").headline == (
        "Request rejected: an event without a detail-type from an unknown source, no plan."
    )


def test_message_about_an_alarm_has_its_meaning_and_first_step() -> None:
    message = written(alarm())
    assert message.subject == "ALARM: overdue-daily"
    assert message.text == (
        "ALARM: overdue-daily. Plan daily: an instance has no usable snapshot younger than max_age, or no audit"
        " checked it.\n"
        "\n"
        "Since: 2026-11-23 05:46 UTC\n"
        "Why: Threshold Crossed: 1 datapoint [1.0] was greater than the threshold (0.0).\n"
        "To do: read the message that names the instances. To begin with:\n"
        "\n"
        "lightsail-snapshots status\n"
        "\n"
        "Step by step: docs/operations.md#overdue"
    )
    assert written(alarm("OK")).headline == "OK: overdue-daily. It is over."


# Near misses


def test_message_about_a_misspelt_detail_type_says_what_was_meant() -> None:
    message = written(misspelt("Instance snapshot Requested"))
    assert message.subject == "Request ignored: Instance snapshot Requested (web-1, no plan)"
    assert message.text == (
        "Request ignored: Instance snapshot Requested for web-1, from my.ci. "
        "Did you mean Instance Snapshot Requested?\n"
        "\n"
        "Since: 2026-11-23 03:15 UTC, event 6a7e8feb-b491-4cf7-a9f1-bf3703467718\n"
        "Why: nothing has that detail-type. It must be exactly: Instance Snapshot Requested\n"
        "To do: correct the sender and put the event again, or take a snapshot yourself:\n"
        "\n"
        "lightsail-snapshots take web-1 --keep-for 14d --wait\n"
        "\n"
        "Step by step: docs/operations.md#request-ignored"
    )


@pytest.mark.parametrize(
    ("detail_type", "meant"),
    [
        ("instance snapshot requested", FROM_ANYONE[0]),
        ("Instance Snapshot Request", FROM_ANYONE[0]),
        ("InstanceSnapshotRequested", FROM_ANYONE[0]),
        ("Instance Snaphot Requested ", FROM_ANYONE[0]),
        ("Snapshot Requested", FROM_ANYONE[1]),
        ("fleet-snapshot-requested", FROM_ANYONE[1]),
    ],
)
def test_misspelt_detail_type_is_a_near_miss(detail_type: str, meant: str) -> None:
    assert f"Did you mean {meant}?" in written(misspelt(detail_type, detail={"select": {"all": True}})).headline


@pytest.mark.parametrize(
    "detail_type",
    [
        "Release",
        "",
        "EC2 Instance State-change Notification",
        "EBS Snapshot Notification",
        "CodePipeline Pipeline Execution State Change",
        "Scheduled Event",
        "AWS API Call via CloudTrail",
    ],
)
def test_other_detail_type_is_no_near_miss(detail_type: str) -> None:
    assert compose(misspelt(detail_type), RUNBOOK) is None


def test_what_is_no_event_is_no_near_miss() -> None:
    assert compose({}, RUNBOOK) is None


# What holds for every message


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-23:59", "yesterday"])
def test_time_that_cannot_be_read_is_shown_as_it_is(time: str) -> None:
    assert f"Since: {time}" in written(failed() | {"time": time}).text


def test_there_is_something_to_do_for_every_reason() -> None:
    of_copies = set(Reason) - {Reason.INSTANCE_NOT_FOUND, Reason.TOO_LATE}
    for detail, reasons in (({"destination": "eu-west-1"}, of_copies), ({}, set(Reason))):
        for reason in reasons:
            message = written(failed(reason=reason, message="x", **detail))
            assert "look at the instance" not in message.text, (reason, detail)
            assert "{" not in message.text


TEXTS = st.text(max_size=400) | st.sampled_from(['"', "\u202eexe", "a\nb\r\n", "\x00", "\ud800", "x" * 400, "`$(rm)`"])


EVENTS = {
    **{detail_type: example(detail_type) for detail_type in MESSAGES},
    "copy": failed(destination="eu-west-1"),
    "near miss": misspelt("Instance snapshot Requested"),
    "alarm": alarm(),
}


def with_texts(value: Any, text: str, *, keep: frozenset[str]) -> Any:
    """Return the JSON value with `text` in place of every text, except under these keys."""
    if isinstance(value, dict):
        return {key: each if key in keep else with_texts(each, text, keep=keep) for key, each in value.items()}
    if isinstance(value, list):
        return [with_texts(each, text, keep=keep) for each in value] * 30
    return text if isinstance(value, str) else value


@pytest.mark.parametrize("name", EVENTS)
@given(text=TEXTS)
def test_message_can_be_sent_about_any_event(name: str, text: str) -> None:
    message = written(with_texts(EVENTS[name], text, keep=frozenset({"detail-type"})))
    assert 0 < len(message.subject) < 100
    assert message.subject.isascii()
    assert message.subject.isprintable()
    assert len(message.headline) <= 140
    assert message.text.startswith(message.headline)
    assert len(message.text) <= 1600
    assert '"' not in message.subject + message.text
    assert all(character.isprintable() or character == "\n" for character in message.text)
    assert f"\n{message.paste}\n" in message.text
    assert message.text.rpartition("\n")[2].startswith("Step by step: ")


LONG = "w" * 255


@pytest.mark.parametrize("event", [failed(instanceName=LONG), failed(instanceName=LONG, destination="eu-west-1")])
def test_longest_name_leaves_room_for_the_plan_and_what_is_wrong(event: dict[str, Any]) -> None:
    message = written(event)
    assert re.fullmatch(r"(Snapshot|Copy) failed: w+\.\.\. \(plan daily\)", message.subject)
    assert re.fullmatch(
        r"(Snapshot|Copy) failed: w+\.\.\. (in|from) .*, plan daily, InstanceNotFound\.", message.headline
    )
    assert LONG in message.paste


@pytest.mark.parametrize("name", ["web; rm -rf /", "$(x)", "-web", "web 1", "", "web\n1", "w" * 256])
def test_command_has_no_name_that_is_none(name: str) -> None:
    message = written(misspelt("Instance snapshot Requested", detail={"instanceName": name}))
    assert message.paste == "lightsail-snapshots status"


@pytest.mark.parametrize("region", ["eu-central-1; x", "-x", "a b", "EU-CENTRAL-1"])
def test_command_has_no_region_that_is_none(region: str) -> None:
    request = misspelt(FROM_ANYONE[0], detail={"instanceName": "web-1", "region": region})
    assert rejected(request).paste == "lightsail-snapshots take web-1 --keep-for 14d --wait"


def test_message_leads_to_a_section_of_the_runbook() -> None:
    text = OPERATIONS.read_text(encoding="utf-8")
    anchors = {heading.lower().replace(" ", "-") for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}
    led = {written(event).read_on.partition("#")[2] for event in EVENTS.values()}
    assert led <= anchors


def test_message_in_the_runbook_is_what_the_code_writes() -> None:
    shown = re.findall(r"^```text\n(.*?)\n```$", OPERATIONS.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert shown == [written(example("Recovery Point Overdue")).text]


def test_detail_types_are_those_of_the_published_schemas() -> None:
    published = {path.stem for path in (OPERATIONS.parent / "events").glob("*.json")}
    assert {each.lower().replace(" ", "-") for each in DETAIL_TYPES} == published
