"""What the functions report, as CloudWatch has it: the tests compare this with what they really emit."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

NAMESPACE = "LightsailSnapshots"
SERVICE = "lightsail-snapshots"
"""Powertools adds it to every metric as the dimension `service`."""


def our_metric(
    name: str, *, period: Duration, plan: str | None = None, statistic: str = "Sum", label: str | None = None
) -> cloudwatch.Metric:
    """Return one of our metrics; that of one plan, where it is counted by plan.

    With a label, the CDK writes an alarm as metric math: alarms go without.
    """
    by_plan = {} if plan is None else {"plan": plan}
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={**by_plan, "service": SERVICE},
        statistic=statistic,
        period=period,
        label=label,
    )
