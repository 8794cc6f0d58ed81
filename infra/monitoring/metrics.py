"""The metrics that the functions emit, as CloudWatch has them: a test compares the two."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infra.names import NAME

NAMESPACE = "LightsailSnapshots"
SERVICE = NAME
"""The dimension `service`, which Powertools adds to every metric."""
HOUR, DAY = Duration.hours(1), Duration.days(1)


def our_metric(
    name: str, *, period: Duration = HOUR, plan: str | None = None, statistic: str = "Sum", label: str | None = None
) -> cloudwatch.Metric:
    """Return a metric of ours, or of one plan. Alarms need one without a label: the CDK would write it as math."""
    by_plan = {} if plan is None else {"plan": plan}
    return cloudwatch.Metric(
        namespace=NAMESPACE,
        metric_name=name,
        dimensions_map={**by_plan, "service": SERVICE},
        statistic=statistic,
        period=period,
        label=label,
    )
