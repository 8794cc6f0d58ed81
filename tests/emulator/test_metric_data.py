"""GetInstanceMetricData: the status checks of an instance."""

from datetime import timedelta
from typing import Any

from tests.emulator.builders import error_from, make_instance
from tests.emulator.endpoints import Endpoint, Lightsail


def checks(lightsail: Lightsail, **request: Any) -> list[float]:
    """Return the status checks of web-1 in its first ten minutes: 0 is good."""
    made = lightsail.get_instance(instanceName="web-1")["instance"]["createdAt"]
    times = {"startTime": made, "endTime": made + timedelta(minutes=10)}
    wanted = {"metricName": "StatusCheckFailed", "period": 60, "unit": "Count", "statistics": ["Maximum"]}
    answer = lightsail.get_instance_metric_data(**{"instanceName": "web-1"} | wanted | times | request)
    assert answer["metricName"] == "StatusCheckFailed"
    return [each["maximum"] for each in answer["metricData"]]


def test_running_instance_has_a_status_check_each_minute(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", instanceSeconds=60, statusCheckSeconds=60)
    make_instance(lightsail)
    assert checks(lightsail) == []
    endpoint.control("clock", advance=118)
    assert checks(lightsail) == []
    endpoint.control("clock", advance=63)
    assert checks(lightsail) == [0, 0]


def test_status_checks_fail_while_the_fault_is_set(endpoint: Endpoint, lightsail: Lightsail) -> None:
    make_instance(lightsail)
    endpoint.control("clock", advance=61)
    endpoint.control("faults", fault="status-fails", name="web-1", times=1)
    assert checks(lightsail) == [1, 1]
    assert checks(lightsail) == [0, 0]


def test_other_metrics_and_instances_are_rejected(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    assert error_from(checks, lightsail=lightsail, metricName="CPUUtilization")["code"] == "UnsupportedOperation"
    assert error_from(checks, lightsail=lightsail, instanceName="web-9")["name"] == "NotFoundException"
