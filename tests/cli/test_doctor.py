"""`doctor` on the fake AWS: both answers of every question, and that it leaves nothing behind."""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from moto import mock_aws

from lightsail_snapshots_cli.deployment import Resource
from lightsail_snapshots_cli.doctor import stack_checks, verified
from lightsail_snapshots_cli.doctor.attempt import DeniedError
from lightsail_snapshots_cli.doctor.belief import AS_ASSUMED, DIFFERS, HANDLED, NOT_CHECKED, NOT_HERE
from lightsail_snapshots_cli.doctor.beliefs import BELIEFS, CHECKED
from lightsail_snapshots_cli.doctor.calls import Calls
from lightsail_snapshots_cli.doctor.names import ROLE
from lightsail_snapshots_cli.doctor.order import CHECKS
from lightsail_snapshots_cli.doctor.permissions import PERMISSIONS
from lightsail_snapshots_cli.doctor.role import Role
from lightsail_snapshots_cli.doctor.stack_checks import check_stack
from lightsail_snapshots_cli.doctor.walk import Size, Walk
from lightsail_snapshots_cli.listing import Listing
from lightsail_snapshots_cli.permissions import policy_for
from local.lightsail.errors import LightsailError
from tests.support.doctor import (
    NOTHING,
    RUN,
    DoctorFake,
    KilledError,
    answers,
    denied,
    direct_clients,
    doctor_fake,
    killed_after,
)
from tests.support.fake_aws import client, make_instance
from tests.support.sessions import denial, restrict

OWNER = "lightsail-snapshots-doctor"
STACK = {"bus-source", "stack-schedules", "stack-log-text", "stack-metrics"}
ELSEWHERE = STACK | {"region-not-enabled", "page-size"}
"""What cannot be seen in this account."""


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[DoctorFake]:
    with doctor_fake(tmp_path) as found:
        yield found


def write_errors(fake: DoctorFake) -> None:
    """Let errors be others than those that the code knows."""
    odd = {"error": "InvalidInputException", "message": "Odd."}
    fake.fault("error", operation="CreateInstanceSnapshot", name=f"{RUN}-nothing", **odd)
    fake.fault("error", operation="CreateInstanceSnapshot", name=f"{RUN}-pending", **odd)
    fake.fault("error", operation="CreateInstanceSnapshot", name=f"{RUN}-stopping", **odd)
    fake.fault("error", operation="CreateInstanceSnapshot", name=f"{RUN}-second", **odd)
    fake.fault("error", operation="CloseInstancePublicPorts", name=f"{RUN}-instance", times=1, **odd)
    fake.fault("error", operation="CreateInstanceSnapshot", name=f"{RUN}-bad name", error="OddException")
    fake.fault("error", operation="CreateInstanceSnapshot", name=f"{RUN}-bad-tag", error="OddException")
    fake.fault("error", operation="GetInstances", region="eu-west-1", error="OddException")
    fake.fault("error", operation="TagResource", name=f"{RUN}-copy", times=1, **odd)


@pytest.fixture(scope="module")
def as_assumed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    with doctor_fake(tmp_path_factory.mktemp("doctor")) as fake:
        fake.set(pageSize=1000)
        shown = fake.run()
        assert (shown.exit_code, fake.names()) == (0, NOTHING)
        return answers(shown)


@pytest.fixture(scope="module")
def otherwise(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """The answers of a Lightsail that behaves otherwise wherever it is not documented."""
    with doctor_fake(tmp_path_factory.mktemp("doctor")) as fake:
        settings = vars(fake.commands.aws.emulator.settings)
        for name, value in settings.items():
            if isinstance(value, bool):
                setattr(fake.commands.aws.emulator.settings, name, not value)
        fake.set(nameFreeSeconds=60, pageSize=2)
        fake.fault("stale", operation="GetInstanceSnapshot", name=f"{RUN}-snapshot", times=2, seconds=30)
        fake.fault("error", operation="GetInstances", region="eu-west-1", error="UnrecognizedClientException")
        found = answers(fake.run())
        assert fake.names() == NOTHING
        return found


@pytest.fixture(scope="module")
def oddly(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[str, str]]:
    """The answers of a Lightsail with errors that the code does not expect, and of an IAM that denies nothing."""
    with doctor_fake(tmp_path_factory.mktemp("doctor")) as fake, ExitStack() as patches:
        write_errors(fake)
        strange = LightsailError("OperationFailureException", "Sorry.")
        patches.enter_context(patch("local.lightsail.errors.name_in_use", lambda _: strange))
        patches.enter_context(patch("local.lightsail.snapshots.CREATED_AFTER_SECONDS", -1000))
        patches.enter_context(patch("lightsail_snapshots_cli.doctor.instance_checks.SECONDS_TO_BE_HEALTHY", 20))
        patches.enter_context(
            patch(
                "lightsail_snapshots_cli.doctor.role.make_client", lambda region, *_: boto3.client("lightsail", region)
            )
        )
        fake.set(statusCheckSeconds=100_000)
        found = answers(fake.run())
        assert fake.names() == NOTHING
        return found


@pytest.mark.parametrize("belief", sorted(each.id for each in CHECKED))
def test_doctor_finds_what_is_assumed(as_assumed: dict[str, tuple[str, str]], belief: str) -> None:
    assert as_assumed[belief][0] == (NOT_HERE if belief in ELSEWHERE else AS_ASSUMED)


OTHERWISE = {
    "regions": (HANDLED, "only the SDK has ap-east-1, eu-south-2, sa-east-1"),
    "region-not-enabled": (AS_ASSUMED, "eu-west-1: AWS rejected your credentials"),
    "page-size": (AS_ASSUMED, "2 on the first page of more"),
    "pending-instance": (HANDLED, "accepted"),
    "pending-ports": (HANDLED, "is pending"),
    "stopping-instance": (HANDLED, "accepted"),
    "stopped-instance": (HANDLED, "is not running"),
    "visible": (AS_ASSUMED, "visible after 10 seconds"),
    "second-snapshot": (HANDLED, "busy with another snapshot"),
    "delete-pending": (HANDLED, "is pending"),
    "dots": (HANDLED, "is not a valid resource name"),
    "key-only-tags": (HANDLED, "A specified tag has no value"),
    "name-free": (HANDLED, "after "),
    "operations": (HANDLED, "listed: DeleteInstanceSnapshot"),
    "copy-pending": (HANDLED, "accepted"),
    "copy-tags": (HANDLED, "it has them"),
    "copy-instance": (HANDLED, "not both"),
    "copy-operation": (DIFFERS, "no operation CopySnapshot with details"),
    "default-key-pair": (HANDLED, "accepted"),
    "restore-ports": (HANDLED, "all closed"),
    "iam-create-tags": (HANDLED, "lightsail:TagResource"),
    "iam-instance-tag": (HANDLED, "lightsail:CreateInstanceSnapshot"),
    "iam-restore-tags": (DIFFERS, "lightsail:TagResource"),
}
ODDLY = {
    "region-not-enabled": (HANDLED, "OddException"),
    "not-found": (DIFFERS, "Odd."),
    "pending-instance": (DIFFERS, "Odd."),
    "pending-ports": (DIFFERS, "Odd."),
    "stopping-instance": (DIFFERS, "Odd."),
    "second-snapshot": (DIFFERS, "Odd."),
    "name-in-use": (DIFFERS, "Sorry."),
    "one-namespace": (DIFFERS, "Sorry."),
    "bad-name": (DIFFERS, "OddException"),
    "bad-tag": (DIFFERS, "OddException"),
    "created-at": (DIFFERS, "-1000 seconds"),
    "status-check": (NOT_CHECKED, "within 20 seconds"),
    "copy-tagging": (HANDLED, "Odd."),
    "iam-request-tag": (DIFFERS, "accepted"),
    "iam-delete-tag": (DIFFERS, "accepted"),
    "iam-tagging": (DIFFERS, "accepted"),
    "iam-instance-tag": (HANDLED, "as another's accepted"),
    "iam-denial": (NOT_CHECKED, "accepted"),
}


@pytest.mark.parametrize("belief", OTHERWISE)
def test_doctor_finds_the_other_answer(otherwise: dict[str, tuple[str, str]], belief: str) -> None:
    verdict, found = OTHERWISE[belief]
    assert otherwise[belief][0] == verdict, otherwise[belief]
    assert found in otherwise[belief][1]


@pytest.mark.parametrize("belief", ODDLY)
def test_doctor_finds_what_the_code_does_not_expect(oddly: dict[str, tuple[str, str]], belief: str) -> None:
    verdict, found = ODDLY[belief]
    assert oddly[belief][0] == verdict, oddly[belief]
    assert found in oddly[belief][1]


def test_every_belief_that_doctor_checks_has_a_check_and_two_answers() -> None:
    checked = [belief for check in CHECKS for belief in check.beliefs]
    assert sorted(checked) == sorted(each.id for each in CHECKED)
    one_answer = {"duration", "iam-key-case"}
    assert {*OTHERWISE, *ODDLY} | STACK | one_answer == set(checked)


def test_every_belief_is_there_once_and_says_how_it_is_checked() -> None:
    assert len({each.id for each in BELIEFS}) == len(BELIEFS)
    assert all(bool(each.check) != bool(each.by_hand) for each in BELIEFS)


def test_page_of_beliefs_is_made_of_the_lists() -> None:
    assert verified.PAGE.read_text(encoding="utf-8") == verified.page(), (
        "run python -m lightsail_snapshots_cli.doctor.verified"
    )


def test_doctor_asks_first_and_says_what_it_costs(fake: DoctorFake) -> None:
    shown = fake.commands.run("doctor", answer="n\n")
    assert (shown.exit_code, shown.stdout) == (0, "Nothing was done.\n")
    assert "an instance (nano_3_0, amazon_linux_2023, all ports closed)" in shown.stderr
    assert "It costs at most $0.04" in shown.stderr
    shown = fake.commands.run("doctor", "--dry-run")
    assert (shown.exit_code, shown.stdout) == (0, "Nothing was done.\n")
    shown = fake.commands.run("doctor", "--copy-region", "us-east-1", "--yes")
    assert (shown.exit_code, shown.stdout) == (2, "")
    shown = fake.commands.run("doctor", "--report", str(fake.folder / "missing" / "doctor.md"), "--yes")
    assert (shown.exit_code, shown.stdout) == (2, "")
    assert fake.names() == NOTHING


def test_report_has_each_belief_and_no_account_number_or_name(fake: DoctorFake) -> None:
    path = fake.folder / "doctor.md"
    fake.fault("access-denied", operation="CreateInstanceSnapshot", name=f"{RUN}-nothing")
    shown = fake.commands.run("doctor", "--yes", "--report", str(path))
    report = path.read_text(encoding="utf-8")
    assert [each.id for each in BELIEFS if f"(`{each.id}`)" not in report] == []
    texts = (report, shown.stdout)
    assert [
        secret for secret in ("123456789012", "jane.doe", "web-1", "arn:") for text in texts if secret in text
    ] == []
    assert "| NOT CHECKED |" in report
    assert "- `not-found`: `create` fails with InstanceNotFound" in report


def test_doctor_checks_what_it_can_when_an_action_is_missing(fake: DoctorFake) -> None:
    fake.fault("access-denied", operation="CreateInstances")
    found = answers(fake.run())
    assert found["dots"] == (NOT_CHECKED, "there is no instance to try it on")
    assert found["not-found"][0] == AS_ASSUMED


NOT_ON_THE_FAKE = {"cloudformation:ListStackResources", "logs:FilterLogEvents", "iam:TagRole"}
"""The fake has no stack of CloudFormation; IAM asks for TagRole within CreateRole."""
MISSING = sorted({each.action for each in PERMISSIONS["doctor"]} - NOT_ON_THE_FAKE)


@pytest.mark.parametrize("action", MISSING)
def test_doctor_ends_with_7_and_names_the_action_that_is_missing(fake: DoctorFake, action: str) -> None:
    fake.commands.is_deployed = True
    emulator = fake.commands.aws.emulator
    with direct_clients(emulator), denied(action, emulator):
        shown = fake.run()
    assert shown.exit_code == 7, shown.output
    assert f"your credentials lack {action}" in shown.stderr


def test_doctor_changes_nothing_when_it_may_not_read_the_bundles(fake: DoctorFake) -> None:
    fake.fault("access-denied", operation="GetBundles")
    shown = fake.run()
    assert (shown.exit_code, shown.stdout) == (7, "")
    assert "your credentials lack lightsail:GetBundles" in shown.stderr


def test_doctor_calls_each_action_of_its_policy_and_no_other(fake: DoctorFake) -> None:
    policy = policy_for("doctor")
    real: Any = boto3.client
    called: set[str] = set()

    def restricted(service: str, *args: Any, **settings: Any) -> Any:
        made = real(service, *args, **settings)
        made.meta.events.register("before-call", lambda model, **_: called.add(f"{service}:{model.name}"))
        if service == "lightsail":
            restrict(made, fake.commands.aws.emulator, policy)
        return made

    fake.commands.is_deployed = True
    with patch("boto3.client", restricted):
        shown = fake.run()
    allowed = {action for each in policy["Statement"] for action in each["Action"]}
    assert "your credentials lack" not in shown.stderr
    listed_by_others = {"lightsail:GetInstances", "lightsail:GetInstanceSnapshots"}
    assert called - {"sts:GetCallerIdentity"} == allowed - NOT_ON_THE_FAKE - listed_by_others


def make_strangers() -> None:
    """Make what has our names or our tag, and is not ours."""
    make_instance(f"{RUN}-not-ours")
    make_instance("tagged", tags={"managed-by": OWNER})
    for name, tags in ((f"{RUN}-taken", []), (f"{RUN}-others", [{"key": "managed-by", "value": "terraform"}])):
        client("lightsail").create_instance_snapshot(instanceSnapshotName=name, instanceName="web-1", tags=tags)
    client("iam").create_role(RoleName=ROLE, AssumeRolePolicyDocument="{}")


def test_doctor_touches_nothing_of_a_stranger(fake: DoctorFake) -> None:
    make_strangers()
    before = fake.commands.aws.snapshots(), client("lightsail").get_instances()["instances"]
    found = answers(fake.run())
    assert fake.names() == {
        "us-east-1": ["web-1", f"{RUN}-not-ours", "tagged", f"{RUN}-taken", f"{RUN}-others"],
        "iam": [ROLE],
    }
    after = fake.commands.aws.snapshots(), client("lightsail").get_instances()["instances"]
    assert [[each["tags"] for each in listed] for listed in after] == [
        [each["tags"] for each in listed] for listed in before
    ]
    assert found["iam-tagging"] == (NOT_CHECKED, f"a role {ROLE} is there already, and is not of doctor")


def is_killed(fake: DoctorFake, writes: int, only: str = "") -> bool:
    with killed_after(writes, only):
        try:
            fake.run()
        except KilledError:
            return True
    return False


def test_next_run_deletes_everything_when_doctor_is_killed_after_any_write(fake: DoctorFake) -> None:
    with direct_clients(fake.commands.aws.emulator):
        for number in count(1):
            if not is_killed(fake, number):
                break
            with patch("lightsail_snapshots_cli.doctor.command.CHECKS", ()):
                again = fake.run()
            assert (number, fake.names(), again.exit_code) == (number, NOTHING, 0)
    assert number > 40


@pytest.mark.parametrize(
    ("settings", "is_left"),
    [
        ({"copyNamesSource": False}, False),
        ({"copyKnowsInstance": False}, False),
        ({"copyCarriesTags": True, "copyNamesSource": False, "copyKnowsInstance": False}, False),
        ({"copyNamesSource": False, "copyKnowsInstance": False}, True),
    ],
)
def test_next_run_deletes_an_untagged_copy_only_when_lightsail_says_whose_it_is(
    fake: DoctorFake, settings: dict[str, bool], is_left: bool
) -> None:
    fake.set(**settings)
    with direct_clients(fake.commands.aws.emulator):
        assert is_killed(fake, 2, "CopySnapshot")  # the first one is rejected, since its source is pending
        with patch("lightsail_snapshots_cli.doctor.command.CHECKS", ()):
            shown = fake.run()
    copy = f"{RUN}-copy"
    assert fake.names() == NOTHING | ({"us-east-2": [copy]} if is_left else {})
    assert (f"Left the snapshot {copy} in us-east-2 as it is" in shown.stderr) == is_left


def test_doctor_deletes_everything_when_it_is_interrupted(fake: DoctorFake) -> None:
    waits = iter([KeyboardInterrupt])

    def wait() -> None:
        if len(fake.names()) > 1 and (error := next(waits, None)):
            raise error
        fake.commands.aws.emulator.clock.advance(20)

    fake.commands.while_waiting = wait
    fake.set(deletesPendingSnapshots=False)
    shown = fake.run()
    assert (shown.exit_code, shown.stdout) == (130, "")
    assert shown.stderr.endswith("Error: Interrupted. Nothing is left.\n")
    assert fake.names() == NOTHING


def test_doctor_says_what_it_could_not_delete(fake: DoctorFake) -> None:
    fake.fault("access-denied", operation="DeleteInstance", name=f"{RUN}-instance")
    shown = fake.run()
    assert shown.exit_code == 7
    assert (
        f"Error: Still there: the instance {RUN}-instance in us-east-1. Run doctor again to delete it." in shown.stderr
    )
    fake.commands.aws.emulator.faults.clear()
    shown = fake.commands.run("doctor", "--dry-run")
    assert f"Left by an earlier run, and deleted first: the instance {RUN}-instance in us-east-1." in shown.stderr


def test_doctor_continues_when_a_snapshot_fails(fake: DoctorFake) -> None:
    fake.fault("snapshot-fails", operation="CreateInstanceSnapshot", name=f"{RUN}-snapshot")
    shown = fake.run()
    found = answers(shown)
    assert (shown.exit_code, found["duration"]) == (1, (NOT_CHECKED, "the snapshot ended in error"))
    assert found["copy-tags"] == (NOT_CHECKED, "there is no usable snapshot to try it on")
    assert found["dots"][0] == AS_ASSUMED
    assert fake.names() == NOTHING


@pytest.fixture
def stack() -> Iterator[Walk]:
    """A run in an account with a stack, whose log and metrics are empty."""
    with mock_aws():
        client("events").create_event_bus(Name="lightsail-snapshots")
        client("logs").create_log_group(logGroupName="audit")
        resources = [Resource("AWS::Logs::LogGroup", "AuditLogs", "audit")]
        with patch("lightsail_snapshots_cli.doctor.stack_checks.stack_resources", lambda _: resources):
            size = Size(zone="", bundle="", blueprint="", disk=20, price=5)
            calls = Calls("us-east-1")
            yield Walk(home=calls, away=calls, size=size, listing=Listing(), role=Role("us-east-1"))


def write_log_line(text: str) -> None:
    logs, now = client("logs"), round(datetime.now(UTC).timestamp() * 1000)
    logs.create_log_stream(logGroupName="audit", logStreamName="1")
    logs.put_log_events(logGroupName="audit", logStreamName="1", logEvents=[{"timestamp": now, "message": text}])


def look(walk: Walk) -> dict[str, str]:
    check_stack(walk)
    return {belief: answer.verdict for belief, answer in walk.answers.items()}


def test_doctor_finds_a_stack_that_works(stack: Walk) -> None:
    write_log_line('{"message": "Audited a plan", "function_request_id": "0e6d9c8a-5f2b"}')
    client("cloudwatch").put_metric_data(
        Namespace="LightsailSnapshots", MetricData=[{"MetricName": "Snapshots", "Value": 1}]
    )
    denied = denial("events:PutEvents", "PutEvents", "with an explicit deny in a resource-based policy")
    with patch("lightsail_snapshots_cli.doctor.stack_checks.put_event", side_effect=denied):
        assert look(stack) == dict.fromkeys(STACK, AS_ASSUMED)


def test_doctor_finds_a_bus_that_takes_a_forged_source(stack: Walk) -> None:
    expected = {"bus-source": DIFFERS, "stack-schedules": NOT_CHECKED, "stack-log-text": NOT_CHECKED}
    assert look(stack) == expected | {"stack-metrics": NOT_CHECKED}


def test_doctor_finds_a_log_that_finds_no_text(stack: Walk) -> None:
    write_log_line('{"message": "Audited a plan", "function_request_id": "0e6d9c8a-5f2b"}')
    write = stack_checks.read_events
    with patch.object(stack_checks, "read_events", lambda *args: [] if len(args) > 3 else write(*args)):
        assert look(stack)["stack-log-text"] == DIFFERS


def test_doctor_cannot_tell_when_the_denial_does_not_say_who_denies(stack: Walk) -> None:
    with patch("lightsail_snapshots_cli.doctor.stack_checks.put_event", side_effect=denial("events:PutEvents", "x")):
        assert look(stack)["bus-source"] == NOT_CHECKED


def test_doctor_needs_the_permission_to_forge_the_source(stack: Walk) -> None:
    denied = denial("events:PutEvents", "PutEvents", "because no identity-based policy allows it")
    with (
        patch("lightsail_snapshots_cli.doctor.stack_checks.put_event", side_effect=denied),
        pytest.raises(DeniedError, match="events:PutEvents"),
    ):
        check_stack(stack)


@pytest.mark.parametrize("fault", ["throttle", "lost-answer"])
def test_doctor_finds_the_same_when_calls_fail(fake: DoctorFake, fault: str) -> None:
    fake.set(instanceSeconds=300)
    for operation in ("CreateInstances", "CreateInstanceSnapshot", "CopySnapshot", "DeleteInstance", "GetInstance"):
        fake.fault(fault, operation=operation, times=2)
    found = answers(fake.run())
    expected = {each.id: AS_ASSUMED for each in CHECKED if each.id not in ELSEWHERE | {"not-found"}}
    assert {belief: found[belief][0] for belief in expected} == expected
    assert fake.names() == NOTHING
