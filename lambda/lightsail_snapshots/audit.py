"""`audit`: which instances could I not restore?

It lists the instances and the snapshots of each Region once for all plans, one Region after the other. Of the snapshots
it keeps one time for each instance and Region.

If a Region cannot be listed, the metrics of its plans are missing, and the function fails at the end. So a good figure
is true, and too few completed audits raise an alarm.

The daily report (`report` in the request) has the whole lists, and looks at all Lightsail Regions for instances that no
plan selects. It is worth having late: it then takes its own time for now.
"""

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots.aws.alarms import alarms_not_in_alarm
from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots.aws.event_bus import EventBus
from lightsail_snapshots.aws.lightsail import lightsail, lightsail_regions
from lightsail_snapshots.events import (
    AUDIT_COMPLETED,
    INSTANCES_UNPROTECTED,
    RECOVERY_POINT_OVERDUE,
    RESTORE_PROOF_OVERDUE,
)
from lightsail_snapshots.events.audit_completed import completed_detail
from lightsail_snapshots.events.audit_requested import AuditRequest, parse_audit_request
from lightsail_snapshots.events.envelope import InvalidRequestError
from lightsail_snapshots.events.instances_unprotected import unprotected_detail
from lightsail_snapshots.events.recovery_point_overdue import MOST_LISTED, hours, overdue_detail, should_notify
from lightsail_snapshots.events.restore_proof_overdue import proof_overdue_detail, should_notify_of_proofs
from lightsail_snapshots.instance import Instance
from lightsail_snapshots.observability import logger, metrics
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.recovery_points import PlanReport, newest_recovery_points, report
from lightsail_snapshots.reporting import RegionsFailedError, reject_event
from lightsail_snapshots.restore_proofs import clones_left, newest_proofs, report_proofs
from lightsail_snapshots.settings import AuditSettings
from lightsail_snapshots.unprotected import PlanSnapshot, find_unprotected, newest_plan_snapshots

MAX_REPORT_AGE = timedelta(days=1)
"""As long as Scheduler retries. Later, the next report has the same lists, with newer plans."""

# Made in Lambda's init phase, where the CPU is not throttled.
settings = AuditSettings.from_environment(os.environ)
event_bus = EventBus(settings.event_bus_name, settings.region)
lightsail(settings.region)


@dataclass
class _Listing:
    """The Regions that could be listed, and why the others could not."""

    instances: dict[str, list[Instance]] = field(default_factory=dict)
    newest: dict[tuple[str, str], datetime] = field(default_factory=dict)
    proofs: dict[str, datetime] = field(default_factory=dict)
    plan_snapshots: dict[str, PlanSnapshot] = field(default_factory=dict)
    """Only in the daily report."""
    failures: dict[str, str] = field(default_factory=dict)
    """By Region."""


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Audit all plans of one request; return how many instances are overdue, by plan.

    Raises RegionsFailedError or an AwsError if Lambda should retry it.
    """
    metrics.add_metric("AuditsCompleted", MetricUnit.Count, 0)
    try:
        request = parse_audit_request(event, default_region=settings.region)
    except InvalidRequestError as error:
        return reject_event(event_bus, event, context.aws_request_id, error)
    with logger.append_context_keys(correlation_id=request.request_id):
        lateness = datetime.now(UTC) - request.now
        if lateness <= request.every:
            return _audit(request)
        if request.report and lateness <= MAX_REPORT_AGE:
            return _audit(replace(request, now=request.now + lateness))
        # Every age would be too small by that much.
        logger.warning("Skipped: the request is older than one audit interval", scheduled_time=request.now)
        return {"state": "late"}


def _audit(request: AuditRequest) -> dict[str, Any]:
    listing = _list_regions(request)
    reports = [
        report(plan, listing.instances, listing.newest, request.now)
        for plan in request.plans
        if listing.failures.keys().isdisjoint((*plan.regions, *plan.copy_to))
    ]
    for each in reports:
        _report_plan(each)
    _publish_overdue(reports, request)
    _report_proofs([each.plan for each in reports], request, listing)
    if listing.failures:
        raise RegionsFailedError(listing.failures)
    unprotected = _report_unprotected(request, listing) if request.report else None
    event_bus.put(AUDIT_COMPLETED, completed_detail(reports, request, unprotected))
    metrics.add_metric("AuditsCompleted", MetricUnit.Count, 1)
    overdue = {each.plan.name: each.instances_overdue for each in reports}
    logger.info("Completed the audit", overdue=overdue)
    return {"state": "completed", "overdue": overdue}


def _list_regions(request: AuditRequest) -> _Listing:
    """List each Region once; go on with the others if one fails. The daily report looks at all Lightsail Regions."""
    listing = _Listing()
    with_instances = {*settings.regions, *(region for plan in request.plans for region in plan.regions)}
    # A drill of a copy makes its clone there.
    with_instances |= {region for plan in request.plans if plan.drill for region in plan.copy_to}
    with_copies = {region for plan in request.plans for region in plan.copy_to}
    for region in sorted(with_instances | with_copies):
        try:
            if region in with_instances:
                listing.instances[region] = _all(lightsail(region).instances())
            snapshots = lightsail(region).snapshots()
        except AwsError as error:
            logger.exception("A Region failed; the others go on", region=region)
            listing.failures[region] = str(error)
            continue
        listing.newest |= newest_recovery_points(snapshots)
        for arn, at in newest_proofs(snapshots).items():
            listing.proofs[arn] = max(at, listing.proofs.get(arn, at))
        if request.report:
            for arn, found in newest_plan_snapshots(snapshots).items():
                listing.plan_snapshots[arn] = max(found, listing.plan_snapshots.get(arn, found))
    if request.report:
        _list_elsewhere(listing, with_instances)
    return listing


def _list_elsewhere(listing: _Listing, configured: Collection[str]) -> None:
    """List the instances of all other Regions, those of copies included; skip one that the account has not enabled."""
    for region in lightsail_regions():
        if region not in configured:
            try:
                listing.instances[region] = _all(lightsail(region).instances())
            except AwsError as error:
                logger.info("Skipped a Region that is not configured", region=region, error=str(error))


def _all(pages: Iterable[list[Instance]]) -> list[Instance]:
    """Return all instances, each once: a page may repeat instances of an earlier one."""
    return list({instance.arn: instance for page in pages for instance in page}.values())


def _report_plan(found: PlanReport) -> None:
    """Write a plan's metrics and log lines."""
    figures: dict[str, float] = {}
    if found.plan.max_age:  # without it nothing is ever overdue, and a 0 would sound like a promise
        figures["InstancesOverdue"] = found.instances_overdue
    with_plan = EphemeralMetrics()
    with_plan.add_dimension("plan", found.plan.name)
    for name, count in figures.items():
        with_plan.add_metric(name, MetricUnit.Count, count)
    for name, age in (("RecoveryPointAgeMax", found.oldest), ("CopyAgeMax", found.oldest_copy)):
        if age is not None:
            figures[name] = hours(age)
            with_plan.add_metric(name, MetricUnit.NoUnit, figures[name])
    if figures:
        with_plan.flush_metrics()
    for status in found.overdue[:MOST_LISTED]:
        logger.warning(
            "Overdue",
            plan=found.plan.name,
            instance_name=status.instance.name,
            region=status.region,
            copy_region=status.copy_region,
            overdue_since=status.overdue_since,
            recovery_point_at=status.recovery_point_at,
        )
    logger.info("Audited a plan", plan=found.plan.name, instances_protected=found.instances_protected, figures=figures)


def _publish_overdue(reports: Sequence[PlanReport], request: AuditRequest) -> None:
    """Publish the list of each plan that has news, or whose alarm is about to go off."""
    overdue = [each for each in reports if each.overdue]
    without_news = [each for each in overdue if not should_notify(each, request)]
    about_to_go_off = _alarms_not_in_alarm(without_news)
    for each in overdue:
        if each.plan.overdue_alarm in about_to_go_off or should_notify(each, request):
            event_bus.put(RECOVERY_POINT_OVERDUE, overdue_detail(each, request, settings.runbook))


def _report_proofs(plans: Sequence[Plan], request: AuditRequest, listing: _Listing) -> None:
    """Write how old the proofs of plans with drills are, publish the overdue ones, and count clones past their time."""
    found = [report_proofs(plan, listing.instances, listing.proofs, request.now) for plan in plans]
    reports = [each for each in found if each]
    for each in reports:
        if each.oldest is not None:
            with_plan = EphemeralMetrics()
            with_plan.add_dimension("plan", each.plan.name)
            with_plan.add_metric("RestoreProofAge", MetricUnit.NoUnit, hours(each.oldest))
            with_plan.flush_metrics()
        if should_notify_of_proofs(each, request):
            event_bus.put(RESTORE_PROOF_OVERDUE, proof_overdue_detail(each, request))
    if reports:
        left = clones_left(listing.instances, request.now)
        metrics.add_metric("DrillClonesLeft", MetricUnit.Count, len(left))
        if left:
            logger.warning("Clones of drills are past their time", drill_instance_names=left)


def _alarms_not_in_alarm(reports: Sequence[PlanReport]) -> set[str]:
    """Return the alarms of these plans that have not gone off; none if CloudWatch cannot say it."""
    if not reports:
        return set()
    try:
        return alarms_not_in_alarm([each.plan.overdue_alarm for each in reports], settings.region)
    except AwsError as error:
        logger.warning("Could not read the alarms; the daily report has the whole list", error=str(error))
        return set()


def _report_unprotected(request: AuditRequest, listing: _Listing) -> int:
    """Count, log and publish the instances that no plan selects, and return how many there are."""
    found = find_unprotected(request.plans, listing.instances, listing.plan_snapshots, request.unprotected)
    metrics.add_metric("InstancesUnprotected", MetricUnit.Count, len(found))
    if found:
        detail = unprotected_detail(found, request)
        for entry in detail["instances"]:
            logger.warning(
                "No plan selects the instance",
                instance_name=entry["instanceName"],
                region=entry["region"],
                because=entry["because"],
                plan=entry.get("plan"),
                tag=entry.get("tag"),
                meant=entry.get("meant"),
                newest_snapshot_at=entry.get("newestSnapshotAt"),
            )
        event_bus.put(INSTANCES_UNPROTECTED, detail)
    return len(found)
