"""The alarms of CloudWatch."""

from collections.abc import Collection

from lightsail_snapshots.aws.clients import make_client
from lightsail_snapshots.aws.errors import translate_errors

MAX_ALARMS = 100
"""Alarms in one answer: CloudWatch API reference, DescribeAlarms."""


def alarms_not_in_alarm(names: Collection[str], region: str) -> set[str]:
    """Return those of these alarms, at most MAX_ALARMS, that exist and are not in the ALARM state."""
    client = make_client("cloudwatch", region)
    with translate_errors():
        answer = client.describe_alarms(AlarmNames=list(names), MaxRecords=MAX_ALARMS)
    return {alarm["AlarmName"] for alarm in answer["MetricAlarms"] if alarm["StateValue"] != "ALARM"}
