"""The Lambda asset as the CDK takes it: built at synth, in this process, without docker."""

import sys
from pathlib import Path
from typing import Any

import jsii
from aws_cdk import AssetHashType, BundlingOptions, DockerImage, ILocalBundling
from aws_cdk import aws_lambda as lambda_

from infra.asset import build


def lambda_code() -> lambda_.Code:
    """The code of every function of the stack. An environment that cannot build it fails the synth."""
    return lambda_.Code.from_asset(
        str(build.ROOT / "lambda"),
        bundling=BundlingOptions(image=DockerImage.from_registry("unused"), local=_LocalBundling()),
        asset_hash_type=AssetHashType.OUTPUT,
    )


@jsii.implements(ILocalBundling)
class _LocalBundling:
    def try_bundle(self, output_dir: str, *_: Any, **__: Any) -> bool:
        """Build the asset into `output_dir`. Never False, which would make the CDK look for docker."""
        if not build.build_asset(Path(output_dir)):
            sys.stderr.write(
                f"Note: this is Python {sys.version_info.major}.{sys.version_info.minor}, and the functions run on"
                " 3.13: the asset is not precompiled, and cold starts take about twice as long. Nothing else"
                " differs. To precompile it, synthesize with Python 3.13.\n"
            )
        return True
