"""The `prune` capability: Prune Requested, from its schedule or anybody -> Lambda -> DeleteInstanceSnapshot of ours."""

import json
from collections.abc import Sequence
from typing import Any

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

from infra.capability import StackContext
from infra.event_function import EventFunction
from infra.schedules import Schedules
from lightsail_snapshots.events import (
    INSTANCE_SNAPSHOT_DELETED,
    INSTANCE_SNAPSHOT_FAILED,
    PRUNE_REFUSED,
    PRUNE_REQUESTED,
)
from lightsail_snapshots.naming import HOLD_KEY, MANAGED_BY, MANAGED_BY_KEY
from lightsail_snapshots_plans.file import InvalidPlansError
from lightsail_snapshots_plans.models import Plans, policy

MAX_INPUT = 256 * 1024
"""Bytes that a schedule's input may have: EventBridge Scheduler API reference, Target."""
INPUT_BESIDE = 1024
"""Of which so many are left for what a schedule adds to the detail."""


class Prune(EventFunction):
    """Deletes the snapshots that the plans do not keep any more."""

    def __init__(self, scope: Construct, construct_id: str, shared: StackContext) -> None:
        super().__init__(
            scope,
            construct_id,
            shared,
            module="prune",
            description="Deletes the snapshots of Lightsail instances that no plan keeps any more.",
            publishes=[INSTANCE_SNAPSHOT_DELETED, PRUNE_REFUSED, INSTANCE_SNAPSHOT_FAILED],
            timeout=Duration.minutes(15),  # the most that Lambda gives; what is left then is for the next run
            memory=1024,  # all snapshots of all Regions at once: a hundred thousand take some hundred megabytes
        )
        self._allow(shared.all_regions)
        self.rule(
            "Rule",
            bus=shared.bus,
            description="Requests to delete what the plans do not keep any more, but for replayed ones.",
            # An event from the archive has the plans of its own day: stricter ones, perhaps, than today's.
            pattern={"detail-type": [PRUNE_REQUESTED], "replay-name": [{"exists": False}]},
        )

    def _allow(self, regions: Sequence[str]) -> None:
        """Allow to list the snapshots of these Regions, and to delete those that have our tag and no hold."""
        self.role.add_to_policy(
            iam.PolicyStatement(
                sid="DeleteOurs",
                actions=["lightsail:DeleteInstanceSnapshot"],
                resources=self.arns("InstanceSnapshot", regions),
                conditions={
                    "StringEquals": {f"aws:ResourceTag/{MANAGED_BY_KEY}": MANAGED_BY},
                    # A hold that somebody sets between our last look and the deletion holds too.
                    "Null": {f"aws:ResourceTag/{HOLD_KEY}": "true"},
                },
            )
        )
        self.allow_reads("Read", ["lightsail:GetInstanceSnapshot", "lightsail:GetInstanceSnapshots"], regions)
        reasons = {
            "InstanceSnapshot": "A snapshot's ARN ends in a random id; the condition asks for our tag.",
        }
        self.acknowledge(reasons, regions)


def schedule_prune(schedules: Schedules, plans: Plans) -> None:
    """Put `Prune Requested` with all plans on the bus, as often as they say.

    Raises InvalidPlansError where they do not fit into one event.
    """
    schedules.put_event(
        "Prune",
        name="prune",
        description="Deletes what the plans do not keep any more.",
        schedule=plans.prune_schedule,
        detail_type=PRUNE_REQUESTED,
        detail=_detail(plans),
    )


def _detail(plans: Plans) -> dict[str, Any]:
    detail = {"plans": [policy(plan) for plan in plans.plans]}
    size = len(json.dumps(detail).encode())
    if size > MAX_INPUT - INPUT_BESIDE:
        raise InvalidPlansError(
            f"The {len(plans.plans)} plans take {size:,} bytes, and a schedule can carry {MAX_INPUT:,}: "
            "say the same with fewer plans, or with shorter lists of names and tags."
        )
    return detail
