"""Settings of all tests."""

import os

import pytest
from hypothesis import HealthCheck, settings

from local.user_settings import ignore_user_settings

ignore_user_settings()

# How fast a machine draws or decides must not decide whether a test passes.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=3000)
settings.load_profile("default")

# Without a Python 3.13 on this machine, the tests build assets without bytecode rather than fetch one.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")

SHARED = {"tests/infra": "templates", "tests/runtime": "asset"}
"""Folders whose tests share something that takes seconds to make."""


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the names
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Name the tests that pytest-xdist must run in one process: those that share a deployment, a folder, or a file."""
    for item in items:
        file = item.nodeid.partition("::")[0]
        shared = (
            "deployment" if "deployed" in getattr(item, "fixturenames", ()) else SHARED.get(file.rpartition("/")[0])
        )
        item.add_marker(pytest.mark.xdist_group(shared or file))
