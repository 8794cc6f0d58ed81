"""Synthesis as the CDK CLI does it: by running app.py, with what the command line sets in the environment."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest
from aws_cdk import Stack
from aws_cdk.assertions import Annotations, Match

from lightsail_snapshots_plans.file import InvalidPlansError
from tests.infra import plans
from tests.infra.synthesized import Synthesized, built

APP = Path(__file__).resolve().parents[2] / "app.py"


@pytest.fixture(scope="module")
def assembly(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `cdk synth -c plans=...` writes where there are no AWS variables, no git, no HOME, in a strange folder."""
    outdir = tmp_path_factory.mktemp("cdk.out")
    (outdir / "mine.toml").write_text(plans.TWO_REGIONS, encoding="utf-8")
    environment = {
        "PATH": str(Path(sys.executable).parent),  # Node.js, and nothing of the machine
        "CDK_OUTDIR": str(outdir),
        "CDK_CONTEXT_JSON": json.dumps({"aws:cdk:bundling-stacks": [], "plans": "mine.toml"}),
    }
    subprocess.run(  # noqa: S603 - our own app, without a shell
        [sys.executable, APP], cwd=outdir, env=environment, check=True, timeout=120
    )
    return outdir


def without_asset(document: dict[str, Any]) -> str:
    """Write a template without the asset's address: unbundled, it is the hash of whatever lies in lambda/ just now."""
    functions = [item for item in document["Resources"].values() if item["Type"] == "AWS::Lambda::Function"]
    (key,) = {function["Properties"]["Code"]["S3Key"] for function in functions}
    return json.dumps(document, indent=1).replace(key, "asset")


def test_a_bare_environment_gives_the_same_template(assembly: Path, two_regions: Synthesized) -> None:
    written = json.loads((assembly / "LightsailSnapshots.template.json").read_text(encoding="utf-8"))
    assert without_asset(written) == without_asset(dict(two_regions.document))


def test_the_stack_is_for_any_account_and_looks_up_none(assembly: Path) -> None:
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["artifacts"]["LightsailSnapshots"]["environment"] == "aws://unknown-account/unknown-region"
    assert "missing" not in manifest


def test_a_mistake_in_the_plans_is_printed_and_nothing_is_synthesized(tmp_path: Path) -> None:
    (tmp_path / "plans.toml").write_text('[plans.daily]\nschedule = "cron(15 3 * * *)"\n', encoding="utf-8")
    outdir = tmp_path / "cdk.out"
    ended = subprocess.run(  # noqa: S603 - as above
        [sys.executable, APP],
        cwd=tmp_path,
        env={"CDK_OUTDIR": str(outdir), "CDK_CONTEXT_JSON": json.dumps({"plans": "plans.toml"})},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ended.returncode == 1
    assert "plans.toml:2: plans.daily.schedule" in ended.stderr
    assert "has 5 fields, six are needed" in ended.stderr
    assert "selects nothing" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert not outdir.exists() or list(outdir.glob("*.template.json")) == []


def test_plans_that_do_not_fit_the_region_of_the_cli_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    copies = '[plans.daily]\nschedule = "rate(1 day)"\nselect = { all = true }\ncopy_to = ["eu-west-1"]\n'
    monkeypatch.setenv("CDK_DEFAULT_REGION", "eu-central-1")
    with built(copies) as app:
        assert app.node.try_find_child("LightsailSnapshots")
    monkeypatch.setenv("CDK_DEFAULT_REGION", "eu-west-1")
    with pytest.raises(InvalidPlansError, match="eu-west-1 is a Region of the plan itself"), built(copies):
        pass


def test_what_is_suspicious_in_the_plans_is_a_warning_of_the_cdk() -> None:
    with built('[plans.daily]\nschedule = "rate(1 day)"\nselect = { all = true }\n') as app:
        warnings = Annotations.from_stack(cast("Stack", app.node.find_child("LightsailSnapshots"))).find_warning(
            "*", Match.any_value()
        )
    (warning,) = [json.dumps(message.entry.data) for message in warnings]
    assert "its snapshots are never deleted" in warning


def test_every_resource_is_tagged_for_cost_reports(assembly: Path) -> None:
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["artifacts"]["LightsailSnapshots"]["properties"]["tags"] == {"project": "lightsail-snapshots"}
