"""Runs `doctor` on the fake AWS: its waits take no time, and it looks at three Regions."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest.mock import patch

import boto3
from botocore.client import BaseClient
from botocore.exceptions import ClientError
from click.testing import Result

from lightsail_snapshots_cli.doctor.names import ROLE
from local.lightsail.control import change_settings
from local.lightsail.emulator import Emulator
from tests.support.command_line import CommandLine
from tests.support.direct_lightsail import DirectClient, direct_lightsail
from tests.support.fake_aws import client, fake_aws
from tests.support.sessions import client_maker, denial

REGIONS = ["eu-west-1", "us-east-1", "us-east-2"]
RUN = "lightsail-snapshots-doctor-0a0a0a0a"
"""What all names begin with."""
NOTHING: dict[str, list[str]] = {"us-east-1": ["web-1"]}
"""The names that are there before and after."""


@dataclass(frozen=True)
class DoctorFake:
    """The account, and the command."""

    commands: CommandLine
    folder: Path

    def run(self, *arguments: str) -> Result:
        return self.commands.run("doctor", "--yes", "--json", *arguments)

    def set(self, **settings: Any) -> None:
        """Change settings of the emulator, by their names in its control API."""
        change_settings(self.commands.aws.emulator, settings)

    def fault(self, fault: str, **details: Any) -> None:
        self.commands.aws.emulator.faults.add(fault, **details)

    def names(self) -> dict[str, list[str]]:
        """Return the names of all resources, by Region; and of the role, if it is there."""
        regions = self.commands.aws.emulator.accounts["123456789012"]
        found = {region: list(state.names) for region, state in regions.items() if state.names}
        try:
            client("iam").get_role(RoleName=ROLE)
        except ClientError:
            return found
        return {**found, "iam": [ROLE]}


@contextmanager
def doctor_fake(folder: Path) -> Iterator[DoctorFake]:
    """Make the account, with an instance web-1 of somebody, and without a stack."""
    with fake_aws(at=None) as aws, ExitStack() as patches:
        commands = CommandLine(aws, is_deployed=False)
        commands.while_waiting = lambda: aws.emulator.clock.advance(20)
        replacements: Mapping[str, Any] = {
            **commands.replacements(),
            "clock.now": aws.emulator.clock.now,
            "listing.lightsail_regions": lambda: REGIONS,
            "doctor.role.make_client": client_maker(aws.emulator),
            "doctor.names.secrets.token_hex": lambda _: RUN[-8:],
        }
        for target, replacement in replacements.items():
            patches.enter_context(patch(f"lightsail_snapshots_cli.{target}", replacement))
        change_settings(aws.emulator, {"instanceSeconds": 30})
        yield DoctorFake(commands, folder)


def answers(shown: Result) -> dict[str, tuple[str, str]]:
    """Return verdict and finding by belief."""
    return {each["id"]: (each["verdict"], each["found"]) for each in json.loads(shown.stdout)["answers"]}


@contextmanager
def denied(action: str, emulator: Emulator) -> Iterator[None]:
    """Let IAM deny an action to everybody, also to the sessions of the role."""
    service, _, operation = action.partition(":")
    if service == "lightsail":
        emulator.faults.add("access-denied", operation=operation)
        yield
        return
    real: Any = BaseClient._make_api_call  # type: ignore[attr-defined]  # what every method of a client calls

    def call(client: Any, name: str, parameters: Any) -> Any:
        if name == operation:
            raise denial(action, name, "x because no identity-based policy allows it")
        return real(client, name, parameters)

    with patch.object(BaseClient, "_make_api_call", call):
        yield


class KilledError(BaseException):
    """Stands for the end of the process."""


@contextmanager
def direct_clients(emulator: Emulator) -> Iterator[None]:
    """Let the clients of Lightsail call the emulator directly, which takes a tenth of the time, and without IAM."""
    real = cache(boto3.client)

    def make(service: str, **settings: Any) -> Any:
        return DirectClient(emulator, settings["region_name"]) if service == "lightsail" else real(service, "us-east-1")

    def make_session(region: str, *_: object) -> DirectClient:
        return DirectClient(emulator, region)

    with (
        direct_lightsail(emulator),
        patch("boto3.client", make),
        patch("lightsail_snapshots_cli.doctor.region_checks.lightsail_regions", lambda: REGIONS),
        patch("lightsail_snapshots_cli.doctor.command.find_region", lambda: "us-east-1"),
        patch("lightsail_snapshots_cli.doctor.role.make_client", make_session),
    ):
        yield


@contextmanager
def killed_after(writes: int, only: str = "") -> Iterator[None]:
    """End the process after so many writes, or writes of one operation: nothing that it does then reaches AWS."""
    made: list[str] = []

    def wrap(real: Any, name_of: Callable[..., str]) -> Any:
        def call(*args: Any) -> Any:
            if len(made) >= writes:
                raise KilledError
            answer = real(*args)
            name = name_of(*args)
            if name == only or not (only or name.startswith(("Get", "List", "Receive", "AssumeRole"))):
                made.append(name)
            if len(made) >= writes:
                raise KilledError
            return answer

        return call

    with (
        patch.object(BaseClient, "_make_api_call", wrap(BaseClient._make_api_call, lambda _, name, *__: str(name))),  # type: ignore[attr-defined]
        patch.object(Emulator, "handle", wrap(Emulator.handle, lambda _, request: str(request.operation))),
    ):
        yield
