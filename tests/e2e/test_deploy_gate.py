"""The gates of docs/deploy-gate.md: the GitHub Action, a shell and CodeBuild, each run as it stands."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it has no types

from local.aws import ROOT
from tests.e2e.deployment import TIMEOUT_SECONDS, Deployment, tags_of

ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
PAGE = (ROOT / "docs" / "deploy-gate.md").read_text(encoding="utf-8")
SHELL, WORKFLOW, BUILDSPEC = re.findall(r"<!-- tested -->\n```\w+\n(.*?)```", PAGE, re.DOTALL)
_EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")


def bash(stack: Deployment, folder: Path, script: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run a script as GitHub and CodeBuild do."""
    return subprocess.run(  # noqa: S603  our own words
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],  # noqa: S607
        cwd=folder,
        env={**stack.aws.environment, **settings},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def run_action(stack: Deployment, folder: Path, **inputs: str) -> tuple[int, dict[str, str]]:
    """Run the steps of the action; return the exit status of the last one, and the outputs."""
    values = {f"inputs.{name}": str(each.get("default", "")) for name, each in ACTION["inputs"].items()}
    values |= {f"inputs.{name.replace('_', '-')}": value for name, value in inputs.items()}
    values |= {"github.action_path": str(ROOT), "runner.temp": str(folder)}
    files = {"GITHUB_OUTPUT": str(folder / "output"), "GITHUB_PATH": str(folder / "path")}
    done = None
    for step in ACTION["runs"]["steps"]:
        settings = {key: evaluate(text, values) for key, text in step["env"].items()}
        done = bash(stack, folder, step["run"], **settings, **files)
        if done.returncode:
            break
    assert done
    output = folder / "output"
    lines = output.read_text(encoding="utf-8").splitlines() if output.exists() else []
    return done.returncode, dict(line.split("=", 1) for line in lines)


def evaluate(text: str, values: Mapping[str, str]) -> str:
    return _EXPRESSION.sub(lambda found: values[found[1]], text)


def test_action_takes_a_snapshot_and_gives_its_name_and_arn(stack: Deployment, tmp_path: Path) -> None:
    instance = stack.instance()
    status, outputs = run_action(
        stack, tmp_path, instance=instance, keep_for="14d", tags="commit=1a2b3c\nreason=two words\n"
    )
    [snapshot] = stack.snapshots_of(instance)
    assert status == 0
    assert outputs == {"snapshot-name": snapshot["name"], "arn": snapshot["arn"]}
    tags = tags_of(snapshot)
    assert (tags["commit"], tags["reason"], "expires-at" in tags) == ("1a2b3c", "two words", True)


def test_action_fails_and_gives_the_name_when_the_snapshot_is_still_pending(stack: Deployment, tmp_path: Path) -> None:
    instance = stack.instance()
    stack.fault("never-finish", instance)
    status, outputs = run_action(stack, tmp_path, instance=instance, timeout="1s")
    stack.let_pending_ones_finish(instance)
    assert status == 4
    assert outputs["snapshot-name"].startswith(f"{instance}-")
    assert outputs["arn"] == ""


def test_action_fails_when_there_is_no_such_instance(stack: Deployment, tmp_path: Path) -> None:
    assert run_action(stack, tmp_path, instance="no-such-instance") == (5, {})


@pytest.mark.parametrize("name", ["$(touch hacked)", '"; touch hacked; "', "`touch hacked`", "--help\ntouch hacked"])
def test_action_never_runs_what_an_input_says(stack: Deployment, tmp_path: Path, name: str) -> None:
    status, _ = run_action(stack, tmp_path, instance=name, tags=f"a={name}", region=name, keep_for=name, timeout=name)
    assert status == 2
    assert not (tmp_path / "hacked").exists()


def test_action_passes_inputs_through_the_environment_only() -> None:
    assert [step["name"] for step in ACTION["runs"]["steps"] if _EXPRESSION.search(step["run"])] == []


def test_example_workflow_uses_the_action_as_it_is() -> None:
    [job] = yaml.safe_load(WORKFLOW)["jobs"].values()
    [step] = [each for each in job["steps"] if "lightsail-snapshots" in each.get("uses", "")]
    assert step["with"].keys() <= ACTION["inputs"].keys()
    assert {name for name, each in ACTION["inputs"].items() if each["required"]} <= step["with"].keys()
    used = set(re.findall(rf"steps\.{step['id']}\.outputs\.([\w-]+)", WORKFLOW))
    assert used
    assert used <= ACTION["outputs"].keys()


def test_page_lists_every_input_and_output() -> None:
    named = set(re.findall(r"`([\w-]+)`", PAGE))
    assert ACTION["inputs"].keys() | ACTION["outputs"].keys() <= named


def test_shell_gate_deploys_only_when_the_snapshot_is_usable(stack: Deployment, tmp_path: Path) -> None:
    instance = stack.instance()
    done = bash(stack, tmp_path, SHELL, INSTANCE=instance, COMMIT="1a2b3c")
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "deploying"), done.stderr
    assert tags_of(stack.snapshots_of(instance)[0])["commit"] == "1a2b3c"
    failed = bash(stack, tmp_path, SHELL, INSTANCE="no-such-instance", COMMIT="1a2b3c")
    assert (failed.returncode, failed.stdout) == (5, "")


def test_buildspec_stops_the_build_when_there_is_no_snapshot(stack: Deployment, tmp_path: Path) -> None:
    spec = yaml.safe_load(BUILDSPEC)
    assert spec["phases"]["build"]["on-failure"] == "ABORT"
    script = "\n".join(command for phase in spec["phases"].values() for command in phase["commands"])
    instance = stack.instance()
    done = bash(stack, tmp_path, script, INSTANCE=instance, CODEBUILD_BUILD_NUMBER="7")
    assert done.returncode == 0, done.stderr
    assert tags_of(stack.snapshots_of(instance)[0])["build"] == "7"
    assert bash(stack, tmp_path, script, INSTANCE="no-such-instance", CODEBUILD_BUILD_NUMBER="7").returncode == 5
