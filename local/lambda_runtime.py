"""A function as Lambda runs it: the asset, by AWS's own runtime client, in a process of its own.

`Function.invoke` speaks the Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html) with
awslambdaric, which imports the handler and calls it as on AWS. The process sees the asset and awslambdaric, and no
site-packages. As on AWS, one environment takes one invocation after the other; one that did not initialize, ended, or
took too long is gone, and the next invocation starts anew.
"""

import compileall
import json
import os
import select
import shutil
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import distribution
from pathlib import Path
from py_compile import PycInvalidationMode
from typing import Any, Self
from uuid import uuid4

from local.subprocesses import started

INIT_LIMIT = 30.0
"""Seconds until a process must have asked for its first event. Lambda gives 10; a busy test machine may need more."""

FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:create"

RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")

_API = "/2018-06-01/runtime"


class Outcome(StrEnum):
    """How an invocation came to its end."""

    ANSWERED = "answered"
    FAILED = "failed"
    INIT_FAILED = "init failed"
    TIMED_OUT = "timed out"
    EXITED = "exited"


@dataclass(frozen=True)
class Reply:
    """What a caller of the function gets: its JSON, or Lambda's `{"errorType": …, "errorMessage": …}`.

    `error_type` is what the runtime client sent beside its error, as CloudWatch and X-Ray see it.
    """

    how: Outcome
    payload: Any
    error_type: str | None = None


def install(folder: Path, distributions: Sequence[str] = RUNTIME_CLIENT) -> None:
    """Copy installed distributions, whole and compiled, into the empty directory `folder`.

    By default the runtime client: what Lambda has in /var/runtime.
    """
    for name in distributions:
        dist = distribution(name)
        for file in dist.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                target = folder / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(Path(str(dist.locate_file(file))), target)
    compileall.compile_dir(folder, quiet=1, invalidation_mode=PycInvalidationMode.UNCHECKED_HASH)


class Function:
    """One function, as a context manager; it holds at most one process, and ends it when the block is left.

    `timeout` is in seconds; `log` gets what the process writes, as the function's log stream would.
    """

    def __init__(  # noqa: PLR0913 - a function's settings are plain keyword arguments
        self,
        *,
        asset: Path,
        runtime_client: Path,
        handler: str,
        environment: Mapping[str, str],
        log: Path,
        timeout: float = 30.0,
    ) -> None:
        self._asset = asset
        # -S: no site-packages. -m puts the working directory, which is the asset, first on sys.path.
        self._command = [sys.executable, "-S", "-m", "awslambdaric", handler]
        self._variables = _lambda_variables(asset, runtime_client, handler) | dict(environment)
        self._log = log
        self._timeout = timeout
        self._environment: _Environment | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def invoke(self, event: object, *, killed_when: Callable[[], bool] = lambda: False) -> Reply:
        """Hand over one event and wait for what becomes of it.

        The process is killed as soon as `killed_when` says so, as Lambda does with one that is out of memory.
        """
        if self._environment is None:
            self._environment = _Environment(self._command, self._variables, self._asset, self._log)
        reply = self._environment.invoke(json.dumps(event).encode(), self._timeout, killed_when)
        if reply.how not in (Outcome.ANSWERED, Outcome.FAILED):
            self.end()
        return reply

    def end(self) -> None:
        """End the process, as Lambda does with an environment that it does not need any more."""
        if self._environment:
            self._environment.close()
            self._environment = None


class _Environment:
    """One process and the Runtime API that it alone talks to.

    No threads: the runtime client asks one thing after the other, and what it asks between two invocations, its next
    event, waits in the socket's backlog.
    """

    def __init__(self, command: Sequence[str], variables: Mapping[str, str], directory: Path, log: Path) -> None:
        with ExitStack() as stack:
            self._api = stack.enter_context(_RuntimeApi())
            address = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_port}"}
            self._process = stack.enter_context(started(command, {**variables, **address}, directory, log))
            self.close = stack.pop_all().close

    def invoke(self, event: bytes, timeout: float, killed_when: Callable[[], bool]) -> Reply:
        api = self._api
        api.event, api.timeout_seconds, api.reply = event, timeout, None
        api.request_id = str(uuid4())
        self._serve(lambda: api.event is None or api.reply is not None, INIT_LIMIT)
        if api.event is None:
            self._serve(lambda: api.reply is not None or killed_when(), timeout)
        if api.reply:
            return api.reply
        if killed_when():
            self._process.kill()
            self._process.wait()
        if (status := self._process.poll()) is not None:
            ended = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
            return _sandbox_error(Outcome.EXITED, api, "Runtime.ExitError", f"Runtime exited with error: {ended}")
        return _sandbox_error(Outcome.TIMED_OUT, api, "Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds")

    def _serve(self, done: Callable[[], bool], seconds: float) -> None:
        """Answer the process until `done`, or until it ended, or until the time is up."""
        until = time.monotonic() + seconds
        while not done() and time.monotonic() < until:
            ended = self._process.poll() is not None  # before the look at the socket: its last words count
            if select.select([self._api], [], [], 0.05)[0]:
                self._api.handle_request()
            elif ended:
                return


class _RuntimeApi(HTTPServer):
    """The events that go in and the reply that comes out, one at a time."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Conversation)
        self.event: bytes | None = None
        self.request_id = ""
        self.timeout_seconds = 0.0
        self.reply: Reply | None = None


class _Conversation(BaseHTTPRequestHandler):
    server: _RuntimeApi
    timeout = 5  # seconds that the rest of a request may take
    wbufsize = -1  # one packet an answer: the second of two would wait for the acknowledgement of the first

    def do_GET(self) -> None:
        """Hand over the event: `/runtime/invocation/next` is all that is ever fetched."""
        event, self.server.event = self.server.event or b"", None
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Lambda-Runtime-Aws-Request-Id", self.server.request_id)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + self.server.timeout_seconds) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN)
        self._end_with(event)

    def do_POST(self) -> None:
        """Take what became of it: a response, the function's error, or that of its init phase."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        how = {"response": Outcome.ANSWERED, "init/error": Outcome.INIT_FAILED}.get(
            self.path.removeprefix(f"{_API}/").removeprefix(f"invocation/{self.server.request_id}/"), Outcome.FAILED
        )
        self.server.reply = Reply(how, json.loads(body), self.headers.get("Lambda-Runtime-Function-Error-Type"))
        self.send_response(202)
        self._end_with(b"")

    def _end_with(self, body: bytes) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name that http.server gives it
        """Say nothing: the function's log is the function's."""


def _sandbox_error(how: Outcome, api: _RuntimeApi, error_type: str, message: str) -> Reply:
    """What Lambda itself answers where the function does not."""
    payload = {"errorType": error_type, "errorMessage": f"RequestId: {api.request_id} Error: {message}"}
    return Reply(how, payload, error_type)


def _lambda_variables(asset: Path, runtime_client: Path, handler: str) -> dict[str, str]:
    """The variables that Lambda sets (its guide: "Defined runtime environment variables"), and what stands for them."""
    return {
        "_HANDLER": handler,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.13",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_NAME": "create",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "HOME": "/nonexistent",  # no ~/.aws, on Lambda as here
        "LAMBDA_RUNTIME_DIR": str(runtime_client),
        "LAMBDA_TASK_ROOT": str(asset),
        "LANG": "en_US.UTF-8",
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only
        "PYTHONPATH": str(runtime_client),
        "TZ": ":UTC",
    }
