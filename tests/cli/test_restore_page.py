"""The transcripts of docs/restore.md are what the commands print."""

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lightsail_snapshots.naming import our_tags
from lightsail_snapshots.restore_facts import read_instance, write_tags
from local.lightsail.emulator import DEFAULT_ACCOUNT
from local.lightsail.resources import InstanceSnapshot, StaticIp
from tests.support.command_line import CommandLine
from tests.support.fake_aws import client

PAGE = (Path(__file__).parents[2] / "docs" / "restore.md").read_text()
BLOCKS = re.findall(r"```console\n(.*?)\n```", PAGE, re.DOTALL)
NAME = "shop-20261124T031500Z-6f105a05"


def make_shop(commands: CommandLine) -> None:
    """Make an instance with much that Lightsail forgets, and its snapshot of one night."""
    lightsail: Any = client("lightsail")
    lightsail.create_key_pair(keyPairName="ops")
    hours = {"addOnType": "AutoSnapshot", "autoSnapshotAddOnRequest": {"snapshotTimeOfDay": "04:00"}}
    lightsail.create_instances(
        instanceNames=["shop"],
        availabilityZone="us-east-1b",
        blueprintId="ubuntu_24_04",
        bundleId="small_3_0",
        keyPairName="ops",
        ipAddressType="ipv4",
        addOns=[hours],
    )
    office = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrs": ["203.0.113.0/24"]}
    web = {"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrs": ["0.0.0.0/0"]}
    lightsail.put_instance_public_ports(instanceName="shop", portInfos=[office, web])
    region = commands.aws.emulator.region("us-east-1")
    static_ip = region.add(
        StaticIp(
            name="shop-ip", region=region.name, account=DEFAULT_ACCOUNT, created_at=region.now, address="203.0.113.7"
        )
    )
    lightsail.attach_static_ip(staticIpName=static_ip.name, instanceName="shop")
    taken_at = datetime(2026, 11, 24, 3, 15, 30, tzinfo=UTC)
    facts = write_tags(read_instance(lightsail.get_instance(instanceName="shop")["instance"]))
    region.add(
        InstanceSnapshot(
            name=NAME,
            region=region.name,
            account=DEFAULT_ACCOUNT,
            created_at=taken_at,
            finishes_at=taken_at,
            from_instance="shop",
            from_instance_arn=commands.find("shop").arn,
            from_blueprint="ubuntu_24_04",
            from_bundle="small_3_0",
            tags={"env": "prod", **our_tags(NAME, "shop", plan="daily", keep="last=7"), **facts},
        )
    )


def printed(commands: CommandLine, block: str) -> str:
    """Run the commands of a block, and return the block as it should be."""
    found = []
    for line in block.splitlines():
        if line.startswith("$ lightsail-snapshots "):
            output = commands.run(*shlex.split(line)[2:]).output
            found += [line, *(each.rstrip() for each in output.splitlines())]
    return "\n".join(found)


@pytest.mark.parametrize("block", BLOCKS, ids=range(len(BLOCKS)))
def test_transcript_of_the_page_is_what_restore_prints(commands: CommandLine, block: str) -> None:
    make_shop(commands)
    if "--undo" in block:
        commands.run("restore", "shop", "--swap-ip", "--yes")
        commands.aws.emulator.clock.advance(60)
    assert printed(commands, block) == block
