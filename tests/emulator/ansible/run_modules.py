"""Runs modules of community.aws one after the other: their names and arguments from stdin, their results to stdout."""

import contextlib
import importlib
import io
import json
import sys
from typing import Any

from ansible.module_utils.testing import patch_module_args  # type: ignore[import-not-found]  # in build/ansible


def run(module: str, arguments: dict[str, Any]) -> Any:
    """Run a module, and return the JSON that it prints before it exits."""
    main = importlib.import_module(f"ansible_collections.community.aws.plugins.modules.{module}").main
    printed = io.StringIO()
    with patch_module_args(arguments), contextlib.redirect_stdout(printed), contextlib.suppress(SystemExit):
        main()
    return json.loads(printed.getvalue())


if __name__ == "__main__":
    json.dump([run(*step) for step in json.load(sys.stdin)], sys.stdout)
