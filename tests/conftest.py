"""Settings of all tests."""

import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]  # it has no types

from local.user_settings import ignore_user_settings

ignore_user_settings()

# How fast a machine draws or decides must not decide whether a test passes.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
settings.register_profile("thorough", settings.get_profile("default"), max_examples=3000)
settings.load_profile("default")

# Without a Python 3.13 on this machine, the tests build assets without bytecode rather than fetch one.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")

SHARED = {"tests/e2e", "tests/infra", "tests/runtime"}
"""Folders whose tests share something that takes seconds to make: a deployment, templates, an asset."""
ALONE = "tests/e2e/test_demo.py"
"""It makes a local AWS of its own."""


class OneProcess(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    """Run the tests of a shared folder, and otherwise those of a file, in one process of pytest-xdist."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        folder = file.rpartition("/")[0]
        return folder if folder in SHARED and file != ALONE else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> OneProcess:
    """Choose how tests are distributed. pytest-xdist's own groups do not work with pytest 9.2."""
    return OneProcess(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let every report reach the main process, also with half of a surrogate pair in it: that is no UTF-8."""
    report = yield
    report.sections = [(title, _encodable(text)) for title, text in report.sections]
    if report.longrepr and _encodable(str(report.longrepr)) != str(report.longrepr):
        report.longrepr = _encodable(str(report.longrepr))
    return report


def _encodable(text: str) -> str:
    return text.encode(errors="backslashreplace").decode()
