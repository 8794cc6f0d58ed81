"""Sends metrics to the local CloudWatch, because MiniStack reads none from logs and has none for SQS.

It sends the metrics that functions log in CloudWatch's embedded metric format, and the depth of each queue. MiniStack
then evaluates its alarms at once and publishes those that change to their topics. Unlike AWS, it adds up all metrics
with the same name and ignores their dimensions, and its alarms never see missing data.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from local.aws import LocalAws

DEPTH = "ApproximateNumberOfMessages"
MAX_METRICS = 1000
"""The limit of one PutMetricData call (CloudWatch API reference)."""


class MetricsBridge:
    """Sends the metrics of each log line once."""

    def __init__(self, aws: LocalAws) -> None:
        self._logs, self._sqs, self._cloudwatch = (aws.client(name) for name in ("logs", "sqs", "cloudwatch"))
        self._sent: set[tuple[str, int, str]] = set()

    def send(self) -> None:
        """Send the metrics of new log lines, and the depth of each queue."""
        by_namespace: dict[str, list[dict[str, Any]]] = {"AWS/SQS": list(self._queue_depths())}
        for timestamp, record in self._new_lines():
            for namespace, metric in read_metrics(record, datetime.fromtimestamp(timestamp / 1000, UTC)):
                by_namespace.setdefault(namespace, []).append(metric)
        for namespace, metrics in by_namespace.items():
            for start in range(0, len(metrics), MAX_METRICS):
                self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=metrics[start : start + MAX_METRICS])

    def _new_lines(self) -> Iterator[tuple[int, dict[str, Any]]]:
        for group in self._logs.describe_log_groups()["logGroups"]:
            pages = self._logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
            for event in (event for page in pages for event in page["events"]):
                key = (event["logStreamName"], event["timestamp"], event["message"])
                if key in self._sent or '"_aws"' not in event["message"]:
                    continue
                self._sent.add(key)
                yield event["timestamp"], json.loads(event["message"])

    def _queue_depths(self) -> Iterator[dict[str, Any]]:
        for url in self._sqs.list_queues().get("QueueUrls", []):
            answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[DEPTH])
            yield {
                "MetricName": f"{DEPTH}Visible",
                "Dimensions": [{"Name": "QueueName", "Value": url.rpartition("/")[2]}],
                "Value": float(answer["Attributes"][DEPTH]),
                "Unit": "Count",
            }


def read_metrics(record: Mapping[str, Any], timestamp: datetime) -> Iterator[tuple[str, dict[str, Any]]]:
    """Read a line in the embedded metric format; yield namespaces with metrics as PutMetricData takes them.

    The CloudWatch user guide describes the format ("Embedded metric format specification").
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
                        "Timestamp": timestamp,
                    },
                )
