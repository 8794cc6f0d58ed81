"""The stand-in for Lambda, when a function fails in the ways that a good one never does."""

from pathlib import Path

import pytest

from local.lambda_runtime import Outcome
from tests.runtime.conftest import Start

HANDLERS = """
import os
import time

class OwnError(Exception):
    pass

def process_id(event, context):
    return os.getpid()

def raises(event, context):
    raise OwnError(f"about {event}")

def never_ends(event, context):
    time.sleep(600)

def exits_at_first(event, context):
    return os._exit(3) if event == "exit" else os.getpid()

def time_left(event, context):
    return context.get_remaining_time_in_millis()

def unserializable(event, context):
    return {1, 2}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An asset with handlers that end in every way."""
    folder = tmp_path / "handlers"
    folder.mkdir()
    (folder / "own.py").write_text(HANDLERS)
    (folder / "broken.py").write_text("raise LookupError('at import')")
    return folder


def test_one_process_serves_one_invocation_after_the_other(start: Start, folder: Path) -> None:
    function = start({}, "own.process_id", folder)
    assert len({function.invoke(None).payload for _ in range(3)}) == 1


def test_error_of_the_handler_is_reported_with_its_type(start: Start, folder: Path) -> None:
    reply = start({}, "own.raises", folder).invoke("web-1")
    assert reply.outcome is Outcome.FAILED
    assert (reply.payload["errorType"], reply.payload["errorMessage"]) == ("OwnError", "about web-1")


def test_answer_that_is_not_json_is_a_marshal_error(start: Start, folder: Path) -> None:
    reply = start({}, "own.unserializable", folder).invoke(None)
    assert (reply.outcome, reply.payload["errorType"]) == (Outcome.FAILED, "Runtime.MarshalError")


def test_error_at_import_is_an_init_error_each_time(start: Start, folder: Path) -> None:
    function = start({}, "broken.handler", folder)
    for _ in range(2):
        reply = function.invoke(None)
        assert (reply.outcome, reply.error_type) == (Outcome.INIT_FAILED, "LookupError")
        assert reply.payload["errorMessage"] == "at import"


def test_missing_handler_is_an_init_error(start: Start, folder: Path) -> None:
    replies = [start({}, handler, folder).invoke(None) for handler in ("missing.handler", "own.missing")]
    assert [reply.error_type for reply in replies] == ["Runtime.ImportModuleError", "Runtime.HandlerNotFound"]


def test_function_knows_its_remaining_time(start: Start, folder: Path) -> None:
    left = start({}, "own.time_left", folder, timeout=900).invoke(None).payload
    assert 800_000 < left <= 900_000


def test_function_is_killed_at_its_timeout(start: Start, folder: Path) -> None:
    reply = start({}, "own.never_ends", folder, timeout=0.2).invoke(None)
    assert (reply.outcome, reply.error_type) == (Outcome.TIMED_OUT, "Sandbox.Timedout")
    assert reply.payload["errorMessage"].endswith("Task timed out after 0.20 seconds")


def test_exit_is_an_error_and_the_next_invocation_gets_a_new_process(start: Start, folder: Path) -> None:
    function = start({}, "own.exits_at_first", folder)
    first = function.invoke(None).payload
    ended = function.invoke("exit")
    assert (ended.outcome, ended.error_type) == (Outcome.EXITED, "Runtime.ExitError")
    assert ended.payload["errorMessage"].endswith("Runtime exited with error: exit status 3")
    assert function.invoke(None).payload != first
