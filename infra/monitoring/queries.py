"""The saved CloudWatch Logs Insights queries; docs/operations.md has the same text, to be pasted."""

from collections.abc import Mapping, Sequence

from aws_cdk import aws_logs as logs
from constructs import Construct

from infra.names import NAME

QUERIES: Mapping[str, str] = {
    "failures": "fields @timestamp, instance_name, region, reason, message, request"
    ' | filter state = "failed" | sort @timestamp desc | limit 100',
    "one-request": "fields @timestamp, attempt, state, instance_name, instance_snapshot_name, message, why"
    ' | filter correlation_id = "PASTE-THE-REQUEST-ID" | sort @timestamp asc | limit 1000',
    "one-instance": "fields @timestamp, plan, attempt, state, instance_snapshot_name, message, why"
    ' | filter instance_name = "PASTE-THE-NAME" | sort @timestamp desc | limit 1000',
    "overdue": "fields @timestamp, plan, instance_name, region, copy_region, overdue_since, recovery_point_at"
    ' | filter message = "Overdue" | sort @timestamp desc | limit 100',
    "unprotected": "fields @timestamp, instance_name, region, because, plan, tag, meant, newest_snapshot_at"
    ' | filter message = "No plan selects the instance" | sort @timestamp desc | limit 100',
    "to-review": "fields @timestamp, instance_name, region, because, instance_gone, count"
    ' | filter message = "Snapshots to review" | sort @timestamp desc | limit 100',
    "nothing-selected": "fields @timestamp, plan, select, regions"
    ' | filter message like "Selected no instances" | sort @timestamp desc | limit 20',
    # Three kinds of errors: those that we log; those that nobody caught, which the runtime logs (with `log_level` by
    # clients before 4.0.4); and timeouts or a lack of memory, which only Lambda's report of the invocation has.
    "errors": "fields @timestamp, @log, message, exception, errorType, errorMessage, record.status"
    ' | filter level = "ERROR" or log_level = "ERROR" or record.status in ["timeout", "error", "failure"]'
    " | sort @timestamp desc | limit 100",
    "slowest": "fields @timestamp, seconds_to_available, instance_name, instance_snapshot_name, plan"
    " | filter ispresent(seconds_to_available) | sort seconds_to_available desc | limit 50",
}


class SavedQueries(Construct):
    """The queries, each for the logs of all functions."""

    def __init__(self, scope: Construct, construct_id: str, *, log_groups: Sequence[logs.ILogGroup]) -> None:
        super().__init__(scope, construct_id)
        for name, query in QUERIES.items():
            logs.CfnQueryDefinition(  # the CDK's own construct would quote the query's parts
                self,
                name,
                name=f"{NAME}/{name}",
                query_string=query,
                log_group_names=[group.log_group_name for group in log_groups],
            )
