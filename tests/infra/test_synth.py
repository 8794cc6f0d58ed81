"""Synthesis as the CDK CLI does it: by running app.py, with what the command line sets in the environment."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.infra import plans
from tests.infra.synthesized import Synthesized

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


def test_every_resource_is_tagged_for_cost_reports(assembly: Path) -> None:
    manifest = json.loads((assembly / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["artifacts"]["LightsailSnapshots"]["properties"]["tags"] == {"project": "lightsail-snapshots"}
