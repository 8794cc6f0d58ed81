"""Makes MiniStack's Lambda keep every log line and retry asynchronous invocations, as AWS does.

MiniStack reads a function's output until 5 ms pass without a line. On a busy machine, later lines would appear only
after the function's next invocation. MiniStack's EventBridge also invokes a function only once, even if it fails or is
throttled. On AWS the invocation is asynchronous: Lambda tries three times, and then sends the event to the function's
on-failure destination.

This module uses private names of MiniStack, which is why requirements-dev.in pins it exactly.
"""

import json
import logging
import queue
from typing import Any

from ministack.core import lambda_runtime  # type: ignore[import-untyped]  # MiniStack has no types
from ministack.services import eventbridge, lambda_svc  # type: ignore[import-untyped]

MAX_MISSES = 25
"""The reader stops after so many attempts in a row, a millisecond apart, without a line. Attempts are counted because
time also passes while a busy machine does nothing."""

MAX_LINES = 100_000

logger = logging.getLogger(__name__)


def register() -> None:
    """Replace both parts of MiniStack; call this once, before MiniStack serves."""
    lambda_runtime.Worker._drain_stderr_bounded = read_log_lines
    eventbridge._dispatch_to_lambda = _invoke


def read_log_lines(worker: Any) -> str:
    """Return the lines that a function has logged since its last invocation; call this after it has answered."""
    found: list[str] = []
    misses = 0
    while misses < MAX_MISSES and len(found) < MAX_LINES:
        try:
            found.append(worker._stderr_queue.get(timeout=0.001))
            misses = 0
        except queue.Empty:
            misses += 1
    return "\n".join(found)


def _invoke(arn: str, payload: str) -> None:
    """Invoke a rule's target asynchronously; MiniStack retries after one and two seconds."""
    function, configuration, name = lambda_svc._get_func_record_for_ref(arn)
    if configuration is None:
        logger.error("EventBridge: there is no function %s", name)
        return
    record = lambda_svc._execution_record_for_config(function, configuration)
    lambda_svc.invoke_async_with_retry(record, json.loads(payload))
