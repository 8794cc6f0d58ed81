"""The AWS CLI against `python -m local.lightsail`."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.emulator.builders import make_instance, make_snapshot, snapshot
from tests.emulator.endpoints import ROOT, HttpEndpoint, client

AWS = Path(sys.executable).parent / "aws"
Aws = Callable[..., Any]


class CliError(Exception):
    """Raised with the CLI's standard error."""


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """The emulator as a program, with snapshots that are available at once and two items a page."""
    options = ["--port", "0", "--snapshot-seconds", "0", "--page-size", "2"]
    command = [sys.executable, "-m", "local.lightsail", *options]
    with subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE) as program:  # noqa: S603 - our own command
        assert program.stdout is not None
        yield re.findall(r"http://\S+", program.stdout.readline())[0]
        program.terminate()


@pytest.fixture
def aws(endpoint: str, tmp_path: Path) -> Aws:
    """Runs `aws lightsail` and parses its output."""
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
        ended = subprocess.run(  # noqa: S603 - our own command
            command, env=environment, capture_output=True, text=True, check=False, timeout=30
        )
        if ended.returncode:
            raise CliError(ended.stderr.strip())
        return json.loads(ended.stdout)

    return run


def test_cli_creates_lists_and_copies_snapshots(aws: Aws, endpoint: str) -> None:
    lightsail = client(HttpEndpoint(endpoint))
    make_instance(lightsail)
    make_snapshot(lightsail, "snap-1")
    make_snapshot(lightsail, "snap-2")

    create = ["create-instance-snapshot", "--instance-name", "web-1", "--instance-snapshot-name", "snap-3"]
    assert len(aws(*create, "--tags", "key=env,value=prod", "key=keep")["operations"]) == 2
    with pytest.raises(CliError, match=r"InvalidInputException.*Some names are already in use: snap-3"):
        aws(*create)
    listed = aws("get-instance-snapshots")["instanceSnapshots"]  # two pages
    assert [one["name"] for one in listed] == ["snap-1", "snap-2", "snap-3"]
    assert listed[2]["tags"] == [{"key": "env", "value": "prod"}, {"key": "keep"}]

    source = ["--source-snapshot-name", "snap-3", "--source-region", "eu-central-1"]
    aws("copy-snapshot", *source, "--target-snapshot-name", "copy-1", region="eu-west-1")
    assert snapshot(client(HttpEndpoint(endpoint), "eu-west-1"), "copy-1")["fromInstanceName"] == "web-1"
