"""Keeps the user's own AWS settings and proxies out of the demo and the tests."""

import os
from collections.abc import MutableMapping


def ignore_user_settings(environment: MutableMapping[str, str] = os.environ) -> None:
    """Remove profiles, keys, Regions and endpoints, and let nothing on this machine be called through a proxy."""
    for name in [name for name in environment if name.startswith("AWS_")]:
        del environment[name]
    environment.update(
        AWS_CONFIG_FILE=os.devnull,
        AWS_SHARED_CREDENTIALS_FILE=os.devnull,
        AWS_EC2_METADATA_DISABLED="true",
        NO_PROXY="127.0.0.1,localhost",
        no_proxy="127.0.0.1,localhost",
    )
