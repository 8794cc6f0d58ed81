"""GetInstanceMetricData: the status checks of an instance, one data point a minute from when it has run for a while."""

from datetime import UTC, datetime, timedelta
from typing import Any

from local.lightsail.errors import invalid, unsupported
from local.lightsail.region import Region
from local.lightsail.resources import Instance

MINUTE = timedelta(minutes=1)
METRIC = "StatusCheckFailed"


def get_instance_metric_data(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """The data points of StatusCheckFailed: 0 is good, 1 is bad. With the fault status-fails all are bad."""
    instance = region.instance(request["instanceName"])
    if request["metricName"] != METRIC or request["statistics"] != ["Maximum"]:
        raise unsupported(f"The emulator has only the Maximum of {METRIC}.")
    if request["period"] % 60 or request["period"] < 60:
        raise invalid("period must be a multiple of 60.")
    failed = region.faults.take(["status-fails"], "GetInstanceMetricData", region.name, [instance.name]) is not None
    points = _minutes(region, instance, _time(request["startTime"]), _time(request["endTime"]))
    value = float(failed)
    return {
        "metricName": METRIC,
        "metricData": [{"timestamp": at, "maximum": value, "unit": "Count"} for at in points],
    }


def _minutes(region: Region, instance: Instance, start: datetime, end: datetime) -> list[datetime]:
    if instance.state_at(region.now) != "running":
        return []
    running_at = instance.created_at if instance.state == "running" else instance.next_state_at
    first = max(running_at + timedelta(seconds=region.settings.status_check_seconds), start)
    last = min(end, region.now)
    return [first + number * MINUTE for number in range(int((last - first) / MINUTE) + 1)] if first <= last else []


def _time(value: object) -> datetime:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else datetime.fromisoformat(str(value))
