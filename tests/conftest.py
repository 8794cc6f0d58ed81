"""Settings of all tests."""

import os

from hypothesis import HealthCheck, settings

from local.user_settings import ignore_user_settings

ignore_user_settings()

# How fast a machine draws or decides must not decide whether a test passes.
settings.register_profile("default", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("thorough", settings.get_profile("default"), max_examples=3000)
settings.load_profile("default")

# Without a Python 3.13 on this machine, the tests build assets without bytecode rather than fetch one.
os.environ.setdefault("UV_PYTHON_DOWNLOADS", "never")
