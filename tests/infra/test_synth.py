"""Synthesis as the CDK CLI does it: it runs app.py, with what the command line sets in the environment."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from aws_cdk import Environment

from tests.infra import plans
from tests.infra.synthesized import ACCOUNT, CONTEXT, REGION, ROOT, Synthesized, detail_of, synthesize
from tests.support.plan_text import plan_toml

TEMPLATE = "LightsailSnapshots.template.json"
KNOWN = Environment(account=ACCOUNT, region=REGION)
SIGNED_IN = {"CDK_DEFAULT_ACCOUNT": ACCOUNT, "CDK_DEFAULT_REGION": REGION}


def run_app(folder: Path, text: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run app.py in a strange folder, for a plans.toml with this text, with no HOME and no AWS variables."""
    (folder / "mine.toml").write_text(text, encoding="utf-8")
    environment |= {
        "PATH": str(Path(sys.executable).parent),  # Node.js, and nothing of the machine
        "CDK_OUTDIR": str(folder),
        "CDK_CONTEXT_JSON": json.dumps(CONTEXT | {"plans": "mine.toml"}),
    }
    return subprocess.run(  # noqa: S603 - our own app, without a shell
        [sys.executable, ROOT / "app.py"],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )


def manifest(folder: Path) -> dict[str, Any]:
    return dict(json.loads((folder / "manifest.json").read_text(encoding="utf-8")))


def without_asset(document: dict[str, Any]) -> str:
    """Write a template without the asset's key: unbundled, it is the hash of what is in lambda/ at the moment."""
    functions = [item for item in document["Resources"].values() if item["Type"] == "AWS::Lambda::Function"]
    (key,) = {function["Properties"]["Code"]["S3Key"] for function in functions}
    return json.dumps(document, indent=1).replace(key, "asset")


def test_template_is_for_any_account_and_region_when_the_cli_knows_none(
    tmp_path: Path, two_regions: Synthesized
) -> None:
    assert run_app(tmp_path, plans.TWO_REGIONS).returncode == 0
    written = json.loads((tmp_path / TEMPLATE).read_text(encoding="utf-8"))
    assert without_asset(written) == without_asset(dict(two_regions.document))
    stack = manifest(tmp_path)["artifacts"]["LightsailSnapshots"]
    assert stack["environment"] == "aws://unknown-account/unknown-region"
    assert stack["properties"]["tags"] == {"project": "lightsail-snapshots"}, "for cost reports"


def test_template_is_for_the_account_and_region_of_the_cli_and_needs_no_lookup(tmp_path: Path) -> None:
    assert run_app(tmp_path, plans.EVERYTHING, **SIGNED_IN).returncode == 0
    written = json.loads((tmp_path / TEMPLATE).read_text(encoding="utf-8"))
    in_process = synthesize(plans.EVERYTHING, env=KNOWN)
    assert without_asset(written) == without_asset(dict(in_process.document))
    assert manifest(tmp_path)["artifacts"]["LightsailSnapshots"]["environment"] == f"aws://{ACCOUNT}/{REGION}"
    assert "missing" not in manifest(tmp_path)


def test_known_region_changes_neither_logical_ids_nor_rights(template: Synthesized) -> None:
    known = synthesize(env=KNOWN)
    assert known.document["Resources"].keys() == template.document["Resources"].keys()
    for resource_type in ("AWS::IAM::Policy", "AWS::IAM::Role", "AWS::SQS::QueuePolicy", "AWS::SNS::TopicPolicy"):
        assert known.of_type(resource_type) == template.of_type(resource_type)
    assert detail_of(known.schedule("plan-daily"))["regions"] == [REGION]


def test_mistake_in_the_plans_is_printed_and_ends_the_synth(tmp_path: Path) -> None:
    text = '[plans.daily]\nschedule = "cron(15 3 * * *)"\ncopy_to = ["eu-central-1"]\n'
    ended = run_app(tmp_path, text, **SIGNED_IN)
    assert ended.returncode == 1
    assert "mine.toml:2: plans.daily.schedule" in ended.stderr
    assert "has 5 fields, six are needed" in ended.stderr
    assert "selects nothing" in ended.stderr
    assert "eu-central-1 is a Region of the plan itself" in ended.stderr, "the stack's own Region is known"
    assert "Traceback" not in ended.stderr
    assert not (tmp_path / TEMPLATE).exists()


def test_suspicious_plan_is_a_warning_of_the_cdk(tmp_path: Path) -> None:
    assert run_app(tmp_path, plan_toml(max_age='"24h"')).returncode == 0
    stack = manifest(tmp_path)["artifacts"]["LightsailSnapshots"]
    entries = stack.get("metadata") or json.loads((tmp_path / stack["additionalMetadataFile"]).read_text("utf-8"))
    file, plan = (entry["data"] for entry in entries["/LightsailSnapshots"] if entry["type"] == "aws:cdk:warning")
    assert "nobody is notified" in file
    assert "runs are up to 24 hours apart" in plan
