"""How the local Lambda reads the log of a function, and invokes the target of a rule."""

import queue

import pytest

from local.ministack import lambda_service


class SlowPipe:
    """The log of a function, with pauses: None is a read without a line."""

    def __init__(self, *reads: str | None) -> None:
        self._stderr_queue = self
        self._reads = list(reads)

    def get(self, timeout: float) -> str:
        if self._reads and (line := self._reads.pop(0)) is not None:
            return line
        raise queue.Empty(timeout)


def test_error_is_logged_when_the_function_of_a_rule_does_not_exist(caplog: pytest.LogCaptureFixture) -> None:
    lambda_service._invoke("arn:aws:lambda:us-east-1:123456789012:function:gone", "{}")
    assert caplog.messages == ["EventBridge: there is no function gone"]


def test_late_lines_are_in_the_log_of_their_own_invocation() -> None:
    pause = [None] * (lambda_service.MAX_MISSES - 1)
    assert (
        lambda_service.read_log_lines(SlowPipe("begun", *pause, "Pruned", *pause, '{"_aws": {}}'))
        == 'begun\nPruned\n{"_aws": {}}'
    )
