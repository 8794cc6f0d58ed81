"""Carries metrics to the local CloudWatch, which AWS does by itself: MiniStack extracts none and makes none for SQS.

What the functions write in CloudWatch's embedded metric format becomes metrics, and so does the depth of each queue.
MiniStack then looks at its alarms at once, and publishes to the topic of one that changes. What it does otherwise than
AWS: it adds up all metrics of a name whatever their dimensions, and an alarm never sees that data are missing.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from local.aws import LocalAws

DEPTH = "ApproximateNumberOfMessages"
MAX_METRICS = 1000
"""Of one PutMetricData: CloudWatch API reference."""


class MetricsBridge:
    """Carries each log line once, however often it is called."""

    def __init__(self, aws: LocalAws) -> None:
        self._logs, self._sqs, self._cloudwatch = (aws.client(name) for name in ("logs", "sqs", "cloudwatch"))
        self._carried: set[tuple[str, int, str]] = set()

    def carry(self) -> None:
        """Carries what is new in the logs, and how deep the queues are now."""
        by_namespace: dict[str, list[dict[str, Any]]] = {"AWS/SQS": list(self._depths())}
        for timestamp, record in self._new_lines():
            for namespace, metric in from_emf(record, datetime.fromtimestamp(timestamp / 1000, UTC)):
                by_namespace.setdefault(namespace, []).append(metric)
        for namespace, metrics in by_namespace.items():
            for start in range(0, len(metrics), MAX_METRICS):
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=metrics[start : start + MAX_METRICS])

    def _new_lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for group in self._logs.describe_log_groups()["logGroups"]:
            pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            for event in (event for page in pages for event in page["events"]):
                known = (event["logStreamName"], event["timestamp"], event["message"])
                if known in self._carried or '"_aws"' not in event["message"]:
                    continue
                self._carried.add(known)
                yield event["timestamp"], json.loads(event["message"])

    def _depths(self) -> Iterator[dict[str, Any]]:
        for url in self._sqs.list_queues().get("QueueUrls", []):
            answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[DEPTH])
            yield {
                "MetricName": f"{DEPTH}Visible",
                "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
                "Value": float(answer["Attributes"][DEPTH]),
                "Unit": "Count",
            }


def from_emf(record: Mapping[str, Any], when: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Reads a line as the CloudWatch user guide has it ("Embedded metric format specification").

    Yields namespace and metric, the latter as PutMetricData takes it.
    """
    for directive in record["_aws"]["CloudWatchMetrics"]:
        for dimensions in directive["Dimensions"]:
            for metric in directive["Metrics"]:
                value = record[metric["Name"]]
                yield (
                    directive["Namespace"],
                    {
                        "MetricName": metric["Name"],
                        "Dimensions": [{"Name": name, "Value": record[name]} for name in dimensions],
                        "Values": value if isinstance(value, list) else [value],
                        "Unit": metric.get("Unit", "None"),
                        "Timestamp": when,
                    },
                )
