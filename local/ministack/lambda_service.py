"""Teaches MiniStack two things that Lambda does for a function: to keep all that it logs, and to try again.

MiniStack takes a function's lines until 5 ms pass without one. On a busy machine the rest waits for the function's next
invocation, which may never come. And what EventBridge invokes is invoked once, throttled or failed: on AWS it is an
asynchronous invocation, which Lambda tries three times, and then sends to the function's on-failure destination.

The names used here are MiniStack's private ones, hence its exact pin in requirements-dev.in.
"""

import json
import logging
import queue
from typing import Any

from ministack.core import lambda_runtime  # type: ignore[import-untyped]  # MiniStack has no types
from ministack.services import eventbridge, lambda_svc  # type: ignore[import-untyped]

QUIET = 25
"""How often in a row there must be no line, a millisecond apart. Counted and not timed: a machine that stands still for
a while has then looked only once."""

MOST_LINES = 100_000

logger = logging.getLogger(__name__)


def register() -> None:
    """Puts both in place; to be called once, before MiniStack serves."""
    lambda_runtime.Worker._drain_stderr_bounded = lines
    eventbridge._dispatch_to_lambda = _invoke


def lines(worker: Any) -> str:
    """Returns what a function has written since its last invocation, once it has answered."""
    found: list[str] = []
    misses = 0
    while misses < QUIET and len(found) < MOST_LINES:
        try:
            found.append(worker._stderr_queue.get(timeout=0.001))
            misses = 0
        except queue.Empty:
            misses += 1
    return "\n".join(found)


def _invoke(arn: str, payload: str) -> None:
    """Invokes a rule's target as `InvocationType=Event` does: MiniStack tries again after one and two seconds."""
    function, configuration, name = lambda_svc._get_func_record_for_ref(arn)
    if configuration is None:
        logger.error("EventBridge: there is no function %s", name)
        return
    record = lambda_svc._execution_record_for_config(function, configuration)
    lambda_svc.invoke_async_with_retry(record, json.loads(payload))
