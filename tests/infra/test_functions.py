"""Every function of the stack: what it runs, what it is told, its logs and the trust of its role."""

from collections.abc import Iterator, Mapping
from importlib.metadata import version

import pytest

from lightsail_snapshots.settings import AuditSettings, NotifySettings, PruneSettings, ReconcilerSettings, Settings
from lightsail_snapshots_cli.deployment import VERSION_VARIABLE
from tests.infra.synthesized import REGION, Synthesized

FUNCTION = "AWS::Lambda::Function"
SETTINGS: dict[str, type[Settings]] = {
    "Audit": AuditSettings,
    "Copy": ReconcilerSettings,
    "Create": ReconcilerSettings,
    "FanOut": Settings,
    "Notify": NotifySettings,
    "Prune": PruneSettings,
}
OPTIONAL = {"CHAT_PARAMETER"}
POWERTOOLS = {
    "POWERTOOLS_SERVICE_NAME": "lightsail-snapshots",
    "POWERTOOLS_METRICS_NAMESPACE": "LightsailSnapshots",
    "POWERTOOLS_LOG_LEVEL": "INFO",
}
FOR_PEOPLE = {VERSION_VARIABLE: version("lightsail-snapshots")}
"""What only the command line reads."""
CAPABILITIES = {  # handler, seconds, megabytes
    "Audit": ("lightsail_snapshots.audit.handler", 600, 1024),
    "Copy": ("lightsail_snapshots.copy.handler", 30, 512),
    "Create": ("lightsail_snapshots.create.handler", 30, 512),
    "FanOut": ("lightsail_snapshots.fan_out.handler", 900, 512),
    "Notify": ("lightsail_snapshots.notify.handler", 60, 512),
    "Prune": ("lightsail_snapshots.prune.handler", 900, 1024),
}


class Recorder(Mapping[str, str]):
    """Environment variables that record which of them are read."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.read.add(name)
        return self.variables[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.variables)

    def __len__(self) -> int:
        return len(self.variables)


def test_stack_has_one_function_for_each_capability(with_copies: Synthesized) -> None:
    functions = with_copies.of_type(FUNCTION).values()
    assert len(functions) == len(CAPABILITIES)
    for construct, expected in CAPABILITIES.items():
        function = with_copies.only(FUNCTION, construct)
        assert (function["Handler"], function["Timeout"], function["MemorySize"]) == expected
    assert len({str(function["Code"]) for function in functions}) == 1, "all share one asset"
    assert {(function["Runtime"], *function["Architectures"]) for function in functions} == {("python3.13", "arm64")}


@pytest.mark.parametrize("construct", SETTINGS)
def test_environment_has_what_the_code_reads_and_no_more(construct: str, with_copies: Synthesized) -> None:
    environment = Recorder(with_copies.environment_of(construct))
    settings = SETTINGS[construct].from_environment(environment)
    assert environment.keys() == (environment.read - OPTIONAL) | POWERTOOLS.keys() | FOR_PEOPLE.keys()
    assert (POWERTOOLS | FOR_PEOPLE).items() <= environment.variables.items()
    assert settings.event_bus_name == with_copies.bus
    assert settings.regions == ("eu-central-1", "us-west-2")
    assert settings.copy_regions == ("eu-west-1", "us-east-1")


def test_environment_has_every_region_of_the_file_and_its_plans(everything: Synthesized) -> None:
    settings = Settings.from_environment(everything.environment_of("FanOut"))
    assert settings.regions == (REGION, "eu-central-1", "us-east-1")  # the stack's own, and those of each plan
    assert settings.copy_regions == ("eu-west-1",)


def test_logs_are_json_in_a_group_that_expires(with_copies: Synthesized) -> None:
    for construct in CAPABILITIES:
        group = with_copies.id_of("AWS::Logs::LogGroup", construct)
        logging = {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "LogGroup": group}
        assert with_copies.only(FUNCTION, construct)["LoggingConfig"] == logging
        assert with_copies.only("AWS::Logs::LogGroup", construct)["RetentionInDays"] == 90


def test_role_is_for_lambda_only_and_has_no_managed_policy(with_copies: Synthesized) -> None:
    for construct in CAPABILITIES:
        role = with_copies.only("AWS::IAM::Role", construct)
        assert {"ManagedPolicyArns", "Policies"}.isdisjoint(role)
        (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
        arn = with_copies.arn(with_copies.id_of("AWS::IAM::Role", construct))
        assert with_copies.only(FUNCTION, construct)["Role"] == arn
