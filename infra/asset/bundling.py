"""The asset and the runtime of every function, for the CDK. The asset is built at synth, without docker."""

import sys
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from infra.asset import build
from infra.asset.bytecode import PYTHON_VERSION

RUNTIME = lambda_.Runtime(f"python{PYTHON_VERSION}", lambda_.RuntimeFamily.PYTHON)


def lambda_code() -> lambda_.Code:
    """The code of every function of the stack. The synth fails if this environment cannot build it."""
    return lambda_.Code.from_asset(
        str(build.ROOT / "lambda"),
        bundling=BundlingOptions(image=DockerImage.from_registry("unused"), local=_LocalBundling()),
        asset_hash_type=AssetHashType.OUTPUT,
    )


@jsii.implements(ILocalBundling)
class _LocalBundling:
    def try_bundle(self, output_dir: str, *_: Any, **__: Any) -> bool:
        """Build the asset into `output_dir`. Always return True: on False, the CDK would look for docker."""
        if not build.build_asset(Path(output_dir)):
            sys.stderr.write(
                f"Note: the functions are not precompiled, because Python {PYTHON_VERSION} was not found and uv could"
                " not fetch it. Each cold start takes about 2.4 times as long; nothing else differs."
                f" To precompile them, install Python {PYTHON_VERSION} and deploy again.\n"
            )
        return True
