"""`restore`: what it brings back, also after any interruption, and that it changes nothing else."""

import json
import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from click.testing import Result

from lightsail_snapshots.restore_plan import Call
from lightsail_snapshots_cli.permissions import by_command
from lightsail_snapshots_cli.restore_account import RestoreAccount
from local.lightsail.resources import Instance, InstanceSnapshot, StaticIp
from tests.support.command_line import CommandLine
from tests.support.events import requested, time_now
from tests.support.fake_aws import client

HOUR = timedelta(hours=1)
FORGOTTEN = {"name", "arn", "createdAt", "supportCode", "privateIpAddress", "ipv6Addresses"}
"""What no restore can bring back."""
CALLS = ["CreateInstancesFromSnapshot", "PutInstancePublicPorts", "DetachStaticIp", "AttachStaticIp"]


def lightsail(region: str = "us-east-1") -> Any:
    return client("lightsail", region)


def describe(name: str, region: str = "us-east-1") -> dict[str, Any]:
    """Return an instance as GetInstance does, without what no restore can bring back."""
    found = dict(lightsail(region).get_instance(instanceName=name)["instance"])
    disks = [{key: disk[key] for key in ("path", "sizeInGb")} for disk in found["hardware"]["disks"]]
    found["hardware"] = {**found["hardware"], "disks": disks}
    return {key: value for key, value in found.items() if key not in FORGOTTEN}


def make_shop(commands: CommandLine, **settings: Any) -> dict[str, Any]:
    """Make an instance with everything that Lightsail forgets, and a snapshot of it; return what it was."""
    lightsail().create_key_pair(keyPairName="ops")
    hours = {"addOnType": "AutoSnapshot", "autoSnapshotAddOnRequest": {"snapshotTimeOfDay": "04:00"}}
    given = {
        "availabilityZone": "us-east-1b",
        "blueprintId": "ubuntu_24_04",
        "bundleId": "small_3_0",
        "keyPairName": "ops",
        "addOns": [hours],
        "tags": [{"key": "env", "value": "prod"}, {"key": "nightly"}],
    } | settings
    lightsail().create_instances(instanceNames=["shop"], **given)
    lightsail().create_disk(diskName="data", availabilityZone="us-east-1b", sizeInGb=32)
    lightsail().attach_disk(diskName="data", instanceName="shop", diskPath="/dev/xvdf")
    office: dict[str, Any] = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrs": ["203.0.113.0/24"]}
    ping: dict[str, Any] = {"protocol": "icmp", "fromPort": 8, "toPort": -1, "cidrs": ["0.0.0.0/0"]}
    web: dict[str, Any] = {"protocol": "tcp", "fromPort": 443, "toPort": 443}
    console = {"cidrListAliases": ["lightsail-connect"]}
    lightsail().put_instance_public_ports(instanceName="shop", portInfos=[office | console, ping, web])
    if given.get("ipAddressType") != "ipv6":
        lightsail().allocate_static_ip(staticIpName="ip-1")
        lightsail().attach_static_ip(staticIpName="ip-1", instanceName="shop")
    take(commands)
    return describe("shop")


def take(commands: CommandLine) -> None:
    """Take a snapshot of the instance with `create`."""
    event = requested({"instanceName": "shop"}, id=str(uuid4()), time=time_now())
    assert not commands.aws.request(event)
    commands.aws.emulator.clock.advance(60)


def delete_shop() -> None:
    lightsail().stop_instance(instanceName="shop")
    lightsail().detach_disk(diskName="data")
    lightsail().delete_disk(diskName="data")
    lightsail().delete_instance(instanceName="shop")


def names(commands: CommandLine, region: str = "us-east-1") -> list[str]:
    return [each.name for each in commands.aws.emulator.region(region).resources_of_type(Instance)]


def restored(commands: CommandLine) -> str:
    """Return the name of the only instance that was restored."""
    [name] = [name for name in names(commands) if "-restored-" in name]
    return name


def resumed(commands: CommandLine, shown: Result) -> Result:
    """Run the command that an interruption ends with."""
    _, *arguments = shlex.split(shown.stderr.strip().rpartition("To go on: ")[2])
    return commands.run(*arguments)


@contextmanager
def interruption(after: str) -> Iterator[None]:
    """Press Ctrl-C after a call was made."""
    run = RestoreAccount.run

    def interrupted(account: RestoreAccount, call: Call) -> None:
        run(account, call)
        if call.operation == after:
            raise KeyboardInterrupt

    with patch.object(RestoreAccount, "run", interrupted):
        yield


def test_restore_brings_back_the_same_instance_with_the_same_address(commands: CommandLine) -> None:
    before = make_shop(commands)
    delete_shop()
    shown = commands.run("restore", "shop", "--swap-ip", "--yes")
    assert shown.exit_code == 0, shown.stderr
    name = restored(commands)
    assert describe(name) == before
    assert before["publicIpAddress"] in shown.stdout
    assert before["isStaticIp"]
    disks = lightsail().get_disks()["disks"]
    assert [(each["name"], each["path"]) for each in disks] == [(f"{name}-disk-1", "/dev/xvdf")]


@pytest.mark.parametrize("after", CALLS)
@pytest.mark.parametrize("is_gone", [True, False])
def test_restore_continues_when_it_is_interrupted(commands: CommandLine, after: str, is_gone: bool) -> None:
    before = make_shop(commands)
    if is_gone:
        delete_shop()
    with interruption(after):
        shown = commands.run("restore", "shop", "--swap-ip", "--yes")
    if is_gone and after == "DetachStaticIp":  # there is nothing to detach it from
        assert shown.exit_code == 0
        return
    assert shown.exit_code == 130
    commands.aws.emulator.clock.advance(180)
    if not is_gone:
        take(commands)  # the command goes on with its own snapshot, though there is a newer one
    again = resumed(commands, shown)
    assert again.exit_code == 0, again.stderr
    assert describe(restored(commands)) == before
    assert resumed(commands, shown).exit_code == 0


@pytest.mark.parametrize("operation", CALLS)
@pytest.mark.parametrize("fault", ["lost-answer", "throttle", "server-error", "busy"])
def test_restore_goes_on_when_lightsail_fails_for_a_while(commands: CommandLine, operation: str, fault: str) -> None:
    before = make_shop(commands)
    commands.aws.emulator.faults.add(fault, operation=operation, times=3)
    shown = commands.run("restore", "shop", "--swap-ip", "--yes")
    assert shown.exit_code == 0, shown.stderr
    assert describe(restored(commands)) == before


def test_restore_waits_until_the_instance_is_running(commands: CommandLine) -> None:
    make_shop(commands)
    commands.aws.emulator.settings.instance_seconds = 150
    shown = commands.run("restore", "shop", "--yes")
    assert shown.exit_code == 0, shown.stderr
    late = commands.run("restore", "shop", "--as", "shop-2", "--yes", "--timeout", "3s")
    assert late.exit_code == 4
    assert "The instance is not running yet. To go on: lightsail-snapshots restore shop --region" in late.stderr
    assert resumed(commands, late).exit_code == 0


def test_dry_run_shows_each_call_and_makes_none(commands: CommandLine) -> None:
    make_shop(commands)
    shown = commands.run("restore", "shop", "--swap-ip", "--dry-run")
    assert shown.exit_code == 0
    assert all(call in shown.stdout for call in CALLS)
    assert "1. Create the instance, small_3_0 (12.00 USD a month)" in shown.stdout
    assert names(commands) == ["web-1", "shop"]
    plan = json.loads(commands.run("restore", "shop", "--swap-ip", "--dry-run", "--json").stdout)
    assert [step["call"]["operation"] for step in plan["steps"]] == [CALLS[0], "GetInstance", *CALLS[1:]]
    assert plan["steps"][-1]["undo"] == {"operation": "DetachStaticIp", "arguments": {"staticIpName": "ip-1"}}


def test_restore_shows_the_plan_and_does_nothing_when_nobody_agrees(commands: CommandLine) -> None:
    make_shop(commands)
    shown = commands.run("restore", "shop", answer="n\n")
    assert (shown.exit_code, shown.stdout) == (0, "Nothing was done.\n")
    assert "CreateInstancesFromSnapshot" in shown.stderr
    assert commands.run("restore", "shop").exit_code == 2
    assert names(commands) == ["web-1", "shop"]


def test_restored_instance_has_none_of_our_tags(commands: CommandLine) -> None:
    make_shop(commands)
    commands.run("restore", "shop", "--yes")
    assert describe(restored(commands))["tags"] == [{"key": "env", "value": "prod"}, {"key": "nightly"}]


def test_restore_leaves_the_static_ip_where_it_is_without_swap_ip(commands: CommandLine) -> None:
    before = make_shop(commands)
    shown = commands.run("restore", "shop", "--yes")
    assert describe("shop") == before
    new = describe(restored(commands))
    assert not new["isStaticIp"]
    assert f"DNS: point the records from {before['publicIpAddress']} to {new['publicIpAddress']}." in shown.stdout


def test_undo_moves_the_static_ip_back(commands: CommandLine) -> None:
    before = make_shop(commands)
    commands.run("restore", "shop", "--swap-ip", "--yes")
    name = restored(commands)
    commands.aws.emulator.clock.advance(60)
    assert not describe("shop")["isStaticIp"]
    with interruption("DetachStaticIp"):
        shown = commands.run("restore", "--undo", name, "--yes")
    assert shown.exit_code == 130
    commands.aws.emulator.clock.advance(60)
    again = commands.run("restore", "--undo", name, "--yes")
    assert (again.exit_code, again.stdout) == (0, f"The static IP of {name} was moved back.\n")
    assert describe("shop") == before
    assert commands.run("restore", "--undo", name, "--yes").stdout == "The static IP was moved back already.\n"
    assert names(commands) == ["web-1", "shop", name]


def test_undo_says_why_when_there_is_nothing_to_move_back_to(commands: CommandLine) -> None:
    make_shop(commands)
    delete_shop()
    assert commands.run("restore", "--undo", "web-1", "--yes").exit_code == 5
    assert commands.run("restore", "--undo", "gone", "--yes").exit_code == 5
    commands.run("restore", "shop", "--swap-ip", "--yes")
    shown = commands.run("restore", "--undo", restored(commands), "--yes")
    assert shown.exit_code == 5
    assert "The static IP ip-1 cannot be moved back: shop, which had it before, is gone." in shown.stderr
    assert commands.run("restore", "--undo", "web-1", "--swap-ip").exit_code == 2


def attach_to_another(_: CommandLine) -> None:
    delete_shop()
    lightsail().attach_static_ip(staticIpName="ip-1", instanceName="web-1")


def release(_: CommandLine) -> None:
    delete_shop()
    lightsail().release_static_ip(staticIpName="ip-1")


@pytest.mark.parametrize(
    ("change", "status", "text"),
    [
        (attach_to_another, 1, "is attached to web-1, not to shop: detach it first, or leave out --swap-ip."),
        (release, 5, "which is not in this account and Region any more: leave out --swap-ip."),
    ],
)
def test_swap_ip_ends_before_anything_is_done_when_the_address_cannot_be_had(
    commands: CommandLine, change: Callable[[CommandLine], None], status: int, text: str
) -> None:
    make_shop(commands)
    change(commands)
    shown = commands.run("restore", "shop", "--swap-ip", "--yes")
    assert shown.exit_code == status
    assert text in shown.stderr
    assert names(commands) == ["web-1"]


def test_restore_goes_back_in_time_and_names_another_instance(commands: CommandLine) -> None:
    web = commands.find("web-1")
    for age, name in ((9 * HOUR, "new"), (30 * HOUR, "old")):
        commands.snapshot(web, age, name)
    taken_at = next(
        each.created_at
        for each in commands.aws.emulator.region("us-east-1").resources_of_type(InstanceSnapshot)
        if each.name == "old"
    )
    plan = json.loads(commands.run("restore", "web-1", "--at", taken_at.isoformat(), "--dry-run", "--json").stdout)
    assert plan["instanceSnapshotName"] == "old"
    assert plan["instanceName"] == f"web-1-restored-{taken_at:%Y%m%dT%H%M}"
    too_early = commands.run("restore", "web-1", "--at", "2020-01-01T00:00:00Z")
    assert too_early.exit_code == 5
    assert (
        "There is no usable snapshot of web-1 in us-east-1 from before that time; the oldest is of" in too_early.stderr
    )


def test_restore_takes_no_snapshot_that_is_pending(commands: CommandLine) -> None:
    commands.snapshot(commands.find("web-1"), 9 * HOUR, "usable")
    commands.aws.request(requested(id="late", time=time_now()))
    plan = json.loads(commands.run("restore", "web-1", "--dry-run", "--json").stdout)
    assert plan["instanceSnapshotName"] == "usable"


def test_restore_works_from_a_copy_in_another_region_when_all_else_is_gone(commands: CommandLine) -> None:
    commands.is_deployed = False
    before = make_shop(commands)
    delete_shop()
    [source] = lightsail().get_instance_snapshots()["instanceSnapshots"]
    name, there = source["name"], lightsail("eu-west-1")
    there.copy_snapshot(sourceSnapshotName=name, sourceRegion="us-east-1", targetSnapshotName=name)
    there.tag_resource(resourceName=name, tags=source["tags"])
    lightsail().delete_instance_snapshot(instanceSnapshotName=name)
    commands.aws.emulator.clock.advance(60)
    shown = commands.run("restore", "shop", "--region", "eu-west-1", "--as", "shop", "--yes")
    assert shown.exit_code == 0, shown.stderr
    after = describe("shop", "eu-west-1")
    assert (after["networking"], after["tags"]) == (before["networking"], before["tags"])
    assert (
        "Note: It was in us-east-1b, which is not available in this Region: it will be in eu-west-1a." in shown.stderr
    )
    assert "Note: There is no key pair ops in this Region: it gets the default one." in shown.stderr


def test_restore_from_a_snapshot_of_somebody_else_says_what_it_cannot_know(commands: CommandLine) -> None:
    lightsail().create_instance_snapshot(instanceSnapshotName="mine", instanceName="web-1")
    commands.aws.emulator.clock.advance(60)
    shown = commands.run("restore", "web-1", "--yes")
    assert shown.exit_code == 0, shown.stderr
    assert "Note: The snapshot does not say which ports, zone, key pair, address type," in shown.stderr
    assert "PutInstancePublicPorts" not in shown.stderr
    assert [each["fromPort"] for each in describe(restored(commands))["networking"]["ports"]] == [80, 22, 443]


def test_restore_names_a_snapshot_of_ours_when_the_newest_says_nothing(commands: CommandLine) -> None:
    make_shop(commands)
    lightsail().create_instance_snapshot(instanceSnapshotName="mine", instanceName="shop")
    commands.aws.emulator.clock.advance(60)
    plan = json.loads(commands.run("restore", "shop", "--dry-run", "--json").stdout)
    _, hint = plan["notes"]
    name, at = re.fullmatch(r"(\S+) may say it: --at (\S+) takes that one\.", hint).groups()  # type: ignore[union-attr]
    earlier = json.loads(commands.run("restore", "shop", "--at", at, "--dry-run", "--json").stdout)
    assert (plan["instanceSnapshotName"], earlier["instanceSnapshotName"], earlier["notes"]) == ("mine", name, [])


def test_restore_goes_on_after_detaching_when_the_snapshot_does_not_know_the_address(commands: CommandLine) -> None:
    lightsail().create_instance_snapshot(instanceSnapshotName="mine", instanceName="web-1")
    lightsail().allocate_static_ip(staticIpName="ip-1")
    lightsail().allocate_static_ip(staticIpName="spare")
    lightsail().attach_static_ip(staticIpName="ip-1", instanceName="web-1")
    commands.aws.emulator.clock.advance(60)
    with interruption("DetachStaticIp"):
        shown = commands.run("restore", "web-1", "--swap-ip", "--yes")
    assert resumed(commands, shown).exit_code == 0
    attached = {each["name"]: each.get("attachedTo") for each in lightsail().get_static_ips()["staticIps"]}
    assert attached == {"ip-1": restored(commands), "spare": None}


@pytest.mark.parametrize(
    ("bundle", "text"),
    [
        ("nano_3_0", "The bundle nano_3_0 (2 CPUs, 0.5 GB, disk 20 GB) is smaller than the snapshot's, small_3_0"),
        ("medum_3_0", "There is no bundle medum_3_0 in this Region; did you mean medium_3_0?"),
        ("medium_win_3_0", "The bundle medium_win_3_0 is of another kind than the snapshot's, small_3_0."),
    ],
)
def test_restore_ends_with_2_before_anything_is_done_when_the_bundle_is_wrong(
    commands: CommandLine, bundle: str, text: str
) -> None:
    make_shop(commands)
    shown = commands.run("restore", "shop", "--bundle", bundle, "--yes")
    assert shown.exit_code == 2
    assert text in shown.stderr
    assert names(commands) == ["web-1", "shop"]


def test_restore_takes_a_larger_bundle(commands: CommandLine) -> None:
    make_shop(commands)
    assert commands.run("restore", "shop", "--bundle", "medium_3_0", "--yes").exit_code == 0
    assert describe(restored(commands))["bundleId"] == "medium_3_0"


def test_restore_says_that_windows_keeps_its_old_password(commands: CommandLine) -> None:
    make_shop(commands, blueprintId="windows_server_2022", bundleId="small_win_3_0")
    shown = commands.run("restore", "shop", "--yes", "--json")
    assert (
        "Windows: the Administrator's password is that of the old instance." in json.loads(shown.stdout)["leftByHand"]
    )


def test_restore_needs_no_ipv4_address(commands: CommandLine) -> None:
    before = make_shop(commands, ipAddressType="ipv6", bundleId="small_ipv6_3_0")
    answer = json.loads(commands.run("restore", "shop", "--yes", "--json").stdout)
    assert describe(restored(commands)) == before
    assert (answer["publicIpAddress"], bool(answer["ipv6Address"])) == (None, True)
    assert f"DNS: point the records to {answer['ipv6Address']}." in answer["leftByHand"]


def test_restore_changes_no_other_instance_that_has_the_name(commands: CommandLine) -> None:
    make_shop(commands)
    commands.instance("shop-2")
    before = describe("shop-2")
    for name in ("shop", "shop-2"):
        shown = commands.run("restore", "shop", "--as", name, "--yes")
        assert shown.exit_code == 1
        assert f"There is an instance {name} already, and it was not restored from" in shown.stderr
    lightsail().allocate_static_ip(staticIpName="taken")
    shown = commands.run("restore", "shop", "--as", "taken", "--yes")
    assert shown.exit_code == 1
    assert "Some names are already in use: taken" in shown.stderr
    assert describe("shop-2") == before


def test_restore_ends_with_5_when_there_is_no_snapshot(commands: CommandLine) -> None:
    make_shop(commands)
    shown = commands.run("restore", "shp", "--yes")
    assert (shown.exit_code, shown.stdout) == (5, "")
    assert shown.stderr == "Error: There is no usable snapshot of shp in us-east-1; did you mean shop?\n"


@pytest.mark.parametrize("action", sorted({each.action for each in by_command()["restore"]}))
def test_restore_ends_with_7_and_names_the_action_that_is_missing(commands: CommandLine, action: str) -> None:
    make_shop(commands)
    with interruption("PutInstancePublicPorts"):
        first = commands.run("restore", "shop", "--swap-ip", "--yes")
    assert first.exit_code == 130
    if action == "lightsail:CreateInstancesFromSnapshot":
        lightsail().delete_instance(instanceName=restored(commands))
    if action == "lightsail:PutInstancePublicPorts":
        lightsail().put_instance_public_ports(instanceName=restored(commands), portInfos=[])
    commands.aws.emulator.faults.add("access-denied", operation=action.partition(":")[2])
    shown = commands.run("restore", "shop", "--swap-ip", "--yes")
    assert shown.exit_code == 7
    assert f"your credentials lack {action}. Ask for that permission." in shown.stderr
    static_ips = commands.aws.emulator.region("us-east-1").resources_of_type(StaticIp)
    assert len(static_ips) == 1
