"""What AWS bills for the requests of a fleet, except their snapshots."""

from dataclasses import dataclass

from benchmarks.costs import LAMBDA_REQUESTS, LAMBDA_TIME, LOGS, SQS

LINE_BYTES = 850
"""Of a log line of `create` with names of usual length, and its share of what Lambda logs of each invocation."""


@dataclass(frozen=True)
class Usage:
    """What is billed."""

    sqs_requests: int
    invocations: int
    gb_seconds: float
    log_lines: int

    @property
    def usd(self) -> float:
        """The price, with nothing free."""
        return (
            SQS.usd * self.sqs_requests / 1e6
            + LAMBDA_REQUESTS.usd * self.invocations / 1e6
            + LAMBDA_TIME.usd * self.gb_seconds
            + LOGS.usd * self.log_lines * LINE_BYTES / 1e9
        )
