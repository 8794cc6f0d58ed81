"""`fan_out`: one `Instance Snapshot Requested` for each instance that a Fleet request selects.

It lists the instances of each Region once, page by page, and then puts a request for each selected one. P pages and N
selected instances need P GetInstances and N / 10 PutEvents, rounded up: the API allows no fewer. Only throttled calls,
lost responses and rejected entries need more. Ten thousand requests are some 30 MB in memory.

Ten thousand instances in four Regions, 20 on a page, need 500 GetInstances and 1,000 PutEvents, one after the other. In
the function's fifteen minutes each call may take 0.6 seconds, several times what it takes. So one invocation handles
all Regions of a request.

A retry is safe at any time: the same request asks for the same snapshot names.
"""

import os
from datetime import timedelta
from typing import Any

from aws_lambda_powertools import single_metric
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.lightsail import lightsail_regions, single_attempt
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_REQUESTED
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.fleet_snapshot_requested import FleetRequest, parse_fleet_request
from lightsail_snapshots.observability import logger
from lightsail_snapshots.reader import Problem, format_duration
from lightsail_snapshots.reporting import RegionsFailedError, reject_event
from lightsail_snapshots.settings import Settings

LARGE_FLEET = 1000
"""Instances of a Region whose requests are retried for longer than others, if Lightsail throttles: each adds time."""
TIME_FOR_EACH = timedelta(seconds=20)
"""At 1 call per second, the lowest rate of docs/decisions/0006-pace.md, a fleet needs half of it."""

TIME_TO_PUT = 180
"""Seconds that are kept for putting the requests: for ten thousand, each call may take 0.18 seconds."""

# Made in Lambda's init phase, where the CPU is not throttled.
settings = Settings.from_environment(os.environ)
event_bus = EventBus(settings.event_bus_name, settings.region)
single_attempt(settings.region)


@logger.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Take one Fleet request; return how many instances it selected, by Region.

    Raises RegionsFailedError or an AwsError if Lambda should retry it.
    """
    try:
        request = parse_fleet_request(
            event,
            default_region=settings.region,
            regions=settings.regions,
            copy_regions=settings.copy_regions,
            is_lightsail_region=lambda region: region in lightsail_regions(),
        )
    except InvalidRequestError as error:
        return reject_event(event_bus, event, context.aws_request_id, error)
    with logger.append_context_keys(correlation_id=request.request_id, plan=request.plan):
        selected = _fan_out(request, context)
    if not any(selected.values()) and not request.plan:  # a plan's has an alarm
        text = f"matches no instance in {', '.join(request.regions)}: check tags and names"
        nothing = InvalidRequestError([Problem(("detail", "select"), text)], request.request_id)
        return reject_event(event_bus, event, context.aws_request_id, nothing)
    return {"selected": selected}


def _fan_out(request: FleetRequest, context: LambdaContext) -> dict[str, int]:
    """Request the snapshots; return how many instances were selected, by Region.

    Nothing is put before all Regions are listed: else `create` would compete with the listings for Lightsail's calls.
    """
    details: list[dict[str, Any]] = []
    selected = dict.fromkeys(request.regions, 0)
    failures: dict[str, str] = {}
    for region in request.regions:
        try:
            listed = _requests(request, region, context)
        except AwsError as error:
            logger.exception("A Region failed; the others go on", region=region)
            failures[region] = str(error)
        else:
            selected[region] = len(listed)
            details += listed
    event_bus.put_all(INSTANCE_SNAPSHOT_REQUESTED, details)
    if failures:
        raise RegionsFailedError(failures)
    is_empty = not any(selected.values())
    if request.plan:
        with single_metric("EmptySelections", MetricUnit.Count, int(is_empty)) as of_the_plan:
            of_the_plan.add_dimension("plan", request.plan)
    if is_empty:
        logger.warning(
            "Selected no instances; check tags and names",
            select=request.select.as_detail(),
            regions=list(request.regions),
        )
    else:
        logger.info("Requested a snapshot of each selected instance", selected=selected)
    return selected


def _requests(request: FleetRequest, region: str, context: LambdaContext) -> list[dict[str, Any]]:
    """Return the requests of a Region, whose listing is complete; a page may repeat an instance of an earlier one."""
    listing = single_attempt(region).instances(lambda: context.get_remaining_time_in_millis() > 1000 * TIME_TO_PUT)
    instances = {instance.name: instance for page in listing for instance in page}
    details = []
    for instance in instances.values():
        if request.select.matches(instance.name, instance.tags):
            detail, dropped = request.for_instance(instance, region)
            details.append(detail)
            if dropped:
                text = "Dropped instance tags that are reserved, invalid or over the limit"
                logger.warning(text, instance_name=instance.name, dropped_tags=dropped)
    if len(details) > LARGE_FLEET:
        retry_for = format_duration(len(details) * TIME_FOR_EACH)
        details = [{**detail, "retryFor": retry_for} for detail in details]
    return details
