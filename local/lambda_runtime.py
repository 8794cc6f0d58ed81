"""Runs a function as Lambda does: the asset in a process of its own, under AWS's runtime client awslambdaric.

`Function.invoke` serves the Runtime API (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html), from which
awslambdaric fetches the event. The process can import the asset and awslambdaric, but no site-packages. As on AWS, a
process handles one invocation after the other. If it fails to initialize, exits or times out, the next invocation
starts a new one.
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

from local.subprocesses import running

INIT_TIMEOUT = 30.0
"""Seconds until a process must ask for its first event. Lambda allows 10; a busy test machine may need more, and a
wrapper ten times as much."""

FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:create"

RUNTIME_CLIENT = ("awslambdaric", "simplejson", "snapshot-restore-py")

_API = "/2018-06-01/runtime"


class Outcome(StrEnum):
    """How an invocation ended."""

    ANSWERED = "answered"
    FAILED = "failed"
    INIT_FAILED = "init failed"
    TIMED_OUT = "timed out"
    EXITED = "exited"


@dataclass(frozen=True)
class Reply:
    """The answer to an invocation: the function's JSON, or Lambda's `{"errorType": …, "errorMessage": …}`.

    `error_type` is the error that the runtime client reports to Lambda.
    """

    outcome: Outcome
    payload: Any
    error_type: str | None = None


def install(folder: Path, distributions: Sequence[str] = RUNTIME_CLIENT) -> None:
    """Copy installed distributions into the empty directory `folder` and compile them.

    The default is the runtime client, which Lambda has in /var/runtime.
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
    """A function with at most one process; as a context manager, it ends the process when the block is left.

    `timeout` is in seconds; `log` gets the output of the process. A `wrapper` is a command that runs the process and is
    slow, such as valgrind.
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
        wrapper: Sequence[str] = (),
    ) -> None:
        self._asset = asset
        # -S excludes site-packages. -m puts the working directory, which is the asset, first on sys.path.
        self._command = [*wrapper, sys.executable, "-S", "-m", "awslambdaric", handler]
        self._variables = _lambda_variables(asset, runtime_client, handler) | dict(environment)
        self._log = log
        self._timeout = timeout
        self._init_timeout = INIT_TIMEOUT * (10 if wrapper else 1)
        self._environment: _Environment | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def invoke(self, event: object, *, kill_if: Callable[[], bool] = lambda: False) -> Reply:
        """Invoke the function with an event and wait for its answer.

        As soon as `kill_if` returns True, the process is killed, as Lambda does if it runs out of memory.
        """
        if self._environment is None:
            self._environment = _Environment(self._command, self._variables, self._asset, self._log, self._init_timeout)
        reply = self._environment.invoke(json.dumps(event).encode(), self._timeout, kill_if)
        if reply.outcome not in (Outcome.ANSWERED, Outcome.FAILED):
            self.end()
        return reply

    def end(self) -> None:
        """End the process, as Lambda does with an environment that it no longer needs."""
        if self._environment:
            self._environment.close()
            self._environment = None


class _Environment:
    """One process and its Runtime API.

    No threads are needed: the runtime client sends one request at a time. Between two invocations its request for the
    next event waits in the socket's backlog.
    """

    def __init__(
        self, command: Sequence[str], variables: Mapping[str, str], directory: Path, log: Path, init_timeout: float
    ) -> None:
        self._init_timeout = init_timeout
        with ExitStack() as stack:
            self._api = stack.enter_context(_RuntimeApi())
            address = {"AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._api.server_port}"}
            self._process = stack.enter_context(running(command, {**variables, **address}, directory, log))
            self.close = stack.pop_all().close

    def invoke(self, event: bytes, timeout: float, kill_if: Callable[[], bool]) -> Reply:
        api = self._api
        api.event, api.timeout_seconds, api.reply = event, timeout, None
        api.request_id = str(uuid4())
        self._serve(lambda: api.event is None or api.reply is not None, self._init_timeout)
        if api.event is None:
            self._serve(lambda: api.reply is not None or kill_if(), timeout)
        if api.reply:
            return api.reply
        if kill_if():
            self._process.kill()
            self._process.wait()
        if (status := self._process.poll()) is not None:
            ended = f"signal: {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
            return _sandbox_error(Outcome.EXITED, api, "Runtime.ExitError", f"Runtime exited with error: {ended}")
        return _sandbox_error(Outcome.TIMED_OUT, api, "Sandbox.Timedout", f"Task timed out after {timeout:.2f} seconds")

    def _serve(self, done: Callable[[], bool], seconds: float) -> None:
        """Answer the process until `done`, until it ends, or until the time is up."""
        until = time.monotonic() + seconds
        while not done() and time.monotonic() < until:
            ended = self._process.poll() is not None  # read first, so that the last request is still answered
            if select.select([self._api], [], [], 0.05)[0]:
                self._api.handle_request()
            elif ended:
                return


class _RuntimeApi(HTTPServer):
    """Holds the event to hand out and the reply to it, one at a time."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _RequestHandler)
        self.event: bytes | None = None
        self.request_id = ""
        self.timeout_seconds = 0.0
        self.reply: Reply | None = None


class _RequestHandler(BaseHTTPRequestHandler):
    server: _RuntimeApi
    timeout = 5  # seconds to read the rest of a request
    wbufsize = -1  # one packet for each answer: a second one would wait until the first is acknowledged

    def do_GET(self) -> None:
        """Answer with the event; the runtime client sends GET requests only to `/runtime/invocation/next`."""
        event, self.server.event = self.server.event or b"", None
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Lambda-Runtime-Aws-Request-Id", self.server.request_id)
        self.send_header("Lambda-Runtime-Deadline-Ms", str(int((time.time() + self.server.timeout_seconds) * 1000)))
        self.send_header("Lambda-Runtime-Invoked-Function-Arn", FUNCTION_ARN)
        self._end_with(event)

    def do_POST(self) -> None:
        """Accept the function's response, its error, or the error of its init phase."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        outcome = {"response": Outcome.ANSWERED, "init/error": Outcome.INIT_FAILED}.get(
            self.path.removeprefix(f"{_API}/").removeprefix(f"invocation/{self.server.request_id}/"), Outcome.FAILED
        )
        self.server.reply = Reply(outcome, json.loads(body), self.headers.get("Lambda-Runtime-Function-Error-Type"))
        self.send_response(202)
        self._end_with(b"")

    def _end_with(self, body: bytes) -> None:
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name comes from http.server
        """Log nothing, because the log belongs to the function."""


def _sandbox_error(outcome: Outcome, api: _RuntimeApi, error_type: str, message: str) -> Reply:
    """Return the answer of Lambda itself if the function gives none."""
    payload = {"errorType": error_type, "errorMessage": f"RequestId: {api.request_id} Error: {message}"}
    return Reply(outcome, payload, error_type)


def _lambda_variables(asset: Path, runtime_client: Path, handler: str) -> dict[str, str]:
    """Return the variables that Lambda sets (Lambda guide: "Defined runtime environment variables")."""
    return {
        "_HANDLER": handler,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_NAME": "create",
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": "JSON",
        "AWS_LAMBDA_LOG_LEVEL": "INFO",
        "AWS_REGION": "us-east-1",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_SESSION_TOKEN": "test",
        "HOME": "/nonexistent",  # Lambda has no ~/.aws
        "LAMBDA_RUNTIME_DIR": str(runtime_client),
        "LAMBDA_TASK_ROOT": str(asset),
        "LANG": "en_US.UTF-8",
        "PATH": os.defpath,
        "PYTHONDONTWRITEBYTECODE": "1",  # /var/task is read-only
        "PYTHONPATH": str(runtime_client),
        "TZ": ":UTC",
    }
