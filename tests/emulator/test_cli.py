"""The real `aws lightsail` against `python -m local.lightsail`."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.endpoints import ROOT

AWS = Path(sys.executable).parent / "aws"
Aws = Callable[..., Any]


class CliError(Exception):
    """Raised with what the CLI printed to standard error."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The emulator as a program, with snapshots that are ready at once and two items to a page."""
    options = ["--port", "0", "--snapshot-seconds", "0", "--page-size", "2"]
    command = [sys.executable, "-m", "local.lightsail", *options]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE) as program:  # noqa: S603 - our own
        assert program.stdout is not None
        yield re.findall(r"http://\S+", program.stdout.readline())[0]
        program.terminate()


@pytest.fixture
def aws(endpoint: str, tmp_path: Path) -> Aws:
    """Runs `aws lightsail`; what it prints, parsed."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_ENDPOINT_URL_LIGHTSAIL": endpoint,
        "AWS_MAX_ATTEMPTS": "1",
    }

    def run(*arguments: str, region: str = "eu-central-1") -> Any:
        command = [sys.executable, str(AWS), "--region", region, "--output", "json", "lightsail", *arguments]
        ended = subprocess.run(  # noqa: S603 - our own words
            command, env=environment, capture_output=True, text=True, check=False, timeout=30
        )
        if ended.returncode:
            raise CliError(ended.stderr.strip())
        return json.loads(ended.stdout)

    return run


def create_instance(aws: Aws, name: str) -> None:
    """An instance in the first zone of eu-central-1."""
    zone, blueprint, bundle = "eu-central-1a", "ubuntu_24_04", "nano_3_0"
    where = ["--availability-zone", zone, "--blueprint-id", blueprint, "--bundle-id", bundle]
    aws("create-instances", "--instance-names", name, *where)


def create_snapshot(aws: Aws, instance: str, name: str) -> Any:
    """A snapshot with one tag that has a value and one that has none."""
    tags = ["--tags", "key=env,value=prod", "key=keep"]
    return aws("create-instance-snapshot", "--instance-name", instance, "--instance-snapshot-name", name, *tags)


def test_a_snapshot_is_made_read_copied_and_deleted(aws: Aws) -> None:
    create_instance(aws, "web-1")
    assert len(create_snapshot(aws, "web-1", "snap-1")["operations"]) == 2
    made = aws("get-instance-snapshot", "--instance-snapshot-name", "snap-1")["instanceSnapshot"]
    assert made["state"] == "available"
    assert made["tags"] == [{"key": "env", "value": "prod"}, {"key": "keep"}]

    source = ["--source-snapshot-name", "snap-1", "--source-region", "eu-central-1"]
    aws("copy-snapshot", *source, "--target-snapshot-name", "snap-1", region="eu-west-1")
    (copy,) = aws("get-instance-snapshots", region="eu-west-1")["instanceSnapshots"]
    assert (copy["name"], copy["tags"], copy["fromInstanceName"]) == ("snap-1", [], "web-1")

    (gone,) = aws("delete-instance-snapshot", "--instance-snapshot-name", "snap-1")["operations"]
    assert gone["isTerminal"]
    names = aws("get-instance-snapshots", "--query", "instanceSnapshots[].name")
    assert "snap-1" not in names


def test_lists_come_whole_over_several_pages(aws: Aws) -> None:
    create_instance(aws, "pages")
    for number in range(5):
        create_snapshot(aws, "pages", f"page-{number}")
    found = aws("get-instance-snapshots", "--query", "instanceSnapshots[?fromInstanceName=='pages'].name")
    assert found == [f"page-{number}" for number in range(5)]


def test_an_instance_is_read_tagged_stopped_and_deleted(aws: Aws) -> None:
    create_instance(aws, "web-2")
    aws("tag-resource", "--resource-name", "web-2", "--tags", "key=backup,value=daily")
    assert aws("get-instance", "--instance-name", "web-2")["instance"]["tags"] == [{"key": "backup", "value": "daily"}]
    aws("stop-instance", "--instance-name", "web-2")
    assert aws("get-instance-state", "--instance-name", "web-2")["state"] == {"code": 80, "name": "stopped"}
    aws("delete-instance", "--instance-name", "web-2")
    with pytest.raises(CliError, match=r"NotFoundException.*does not exist: web-2"):
        aws("get-instance", "--instance-name", "web-2")


def test_a_name_in_use_is_told_in_the_services_words(aws: Aws) -> None:
    create_instance(aws, "web-3")
    with pytest.raises(CliError, match=r"InvalidInputException.*Some names are already in use: web-3"):
        create_instance(aws, "web-3")


def test_regions_can_be_listed(aws: Aws) -> None:
    assert "eu-west-3" in aws("get-regions", "--query", "regions[].name")
