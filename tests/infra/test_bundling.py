"""The asset, as the CDK builds it."""

from pathlib import Path

import pytest
from aws_cdk import App, Stack
from aws_cdk import aws_lambda as lambda_

from infra.asset import build
from infra.asset.bundling import RUNTIME, lambda_code


def synthesized(outdir: Path) -> list[Path]:
    """The assets of a stack with one function."""
    app = App(outdir=str(outdir), analytics_reporting=False)
    lambda_.Function(
        Stack(app, "Example"),
        "Function",
        code=lambda_code(),
        handler="lightsail_snapshots.create.handler",
        runtime=RUNTIME,
    )
    app.synth()
    return list(outdir.glob("asset.*"))


def test_two_syntheses_give_one_asset_hash(tmp_path: Path) -> None:
    [first], [second] = synthesized(tmp_path / "first"), synthesized(tmp_path / "second")
    assert first.name == second.name
    assert (first / "lightsail_snapshots" / "create.py").is_file()


@pytest.mark.parametrize(("precompiled", "said"), [(True, ""), (False, "the functions are not precompiled")])
def test_synth_notes_an_asset_that_is_not_precompiled_and_goes_on(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    precompiled: bool,
    said: str,
) -> None:
    def fake_build(output: Path) -> bool:
        (output / "built").touch()
        return precompiled

    monkeypatch.setattr(build, "build_asset", fake_build)
    [output] = synthesized(tmp_path)
    assert [path.name for path in output.iterdir()] == ["built"]
    noted = [line for line in capsys.readouterr().err.splitlines() if line.startswith("Note: ")]
    assert len(noted) == (1 if said else 0)
    assert said in "".join(noted)


def test_synth_fails_with_the_reason_when_the_asset_cannot_be_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake_build(_: Path) -> bool:
        raise build.BundleError("boto3 0.0.1 is installed")

    monkeypatch.setattr(build, "build_asset", fake_build)
    with pytest.raises(RuntimeError, match=r"boto3 0\.0\.1 is installed"):
        synthesized(tmp_path)
