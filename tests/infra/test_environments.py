"""Each function is given what its code reads, and nothing else."""

from collections.abc import Iterator, Mapping

import pytest

from lightsail_snapshots.settings import AuditSettings, ReconcilerSettings, Settings
from tests.infra.synthesized import REGION, Synthesized

SETTINGS: dict[str, type[Settings]] = {
    "Audit": AuditSettings,
    "Copy": ReconcilerSettings,
    "Create": ReconcilerSettings,
    "FanOut": Settings,
    "Prune": Settings,
}
POWERTOOLS = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}


class Recorder(Mapping[str, str]):
    """A function's environment that notes what is read from it."""

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


def test_there_is_no_other_function(with_copies: Synthesized) -> None:
    functions = with_copies.of_type("AWS::Lambda::Function")
    assert {name for name in functions if not name.startswith(tuple(SETTINGS))} == set()


@pytest.mark.parametrize("construct", SETTINGS)
def test_the_environment_is_what_the_code_reads(construct: str, with_copies: Synthesized) -> None:
    variables = with_copies.only("AWS::Lambda::Function", construct)["Environment"]["Variables"]
    environment = Recorder({**variables, "AWS_REGION": REGION})
    SETTINGS[construct].from_environment(environment)
    assert variables.keys() == environment.read - {"AWS_REGION"} | POWERTOOLS
