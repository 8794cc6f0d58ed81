"""Modules of other packages that the asset has without their content.

A cold start imports them, because other modules name a class of theirs, and no function uses them. All of them together
would take a tenth of it. A stub has the names that are imported, as classes that can be made and do nothing.
"""

from collections.abc import Mapping

STUBS: Mapping[str, tuple[str, ...]] = {
    # `boto3.resource`, which we do not call; its documentation goes with it
    "boto3/resources/factory.py": ("ResourceFactory",),
    # the texts that `help(client.method)` shows
    "botocore/docs/__init__.py": (),
    "botocore/docs/docstring.py": ("ClientMethodDocstring", "PaginatorDocstring", "WaiterDocstring"),
    # transfers to S3: boto3.compat looks whether TransferConfig has UNSET_DEFAULT
    "s3transfer/__init__.py": (),
    "s3transfer/manager.py": ("TransferConfig",),
    # HTTP/2, with importlib.metadata for the version of h2, which is not installed
    "urllib3/http2/__init__.py": (),
    # X-Ray, with a loader of its SDK
    "aws_lambda_powertools/tracing/__init__.py": ("Tracer",),
    # correlation_id_path of the logger, which we do not use; the only one that needs typing_extensions
    "aws_lambda_powertools/utilities/jmespath_utils/__init__.py": (),
}
"""Path in the asset -> names that other modules import from there."""


def stub(names: tuple[str, ...]) -> str:
    """Return the source of a module with these classes."""
    classes = (f"\n\nclass {name}:\n    def __init__(self, *_, **__):\n        pass\n" for name in names)
    return '"""Emptied: no function uses this module. See infra/asset/stubs.py of lightsail-snapshots."""\n' + "".join(
        classes
    )
