"""Watching: the topic, the alarms and the dashboard, of whatever the stack hands over. It only composes."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from aws_cdk import aws_events as events
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infra.capability import Capability
from infra.monitoring.alarms import Alarms
from infra.monitoring.dashboard import Dashboard
from infra.monitoring.notifications import Notifications
from lightsail_snapshots_plans.models import Plan

FAILURES = {
    "snapshots-failed": "SnapshotsFailed",
    "nothing-selected": "EmptySelections",
    "prune-refused": "PrunesRefused",
}


class Monitoring(Construct):
    """Tells people which instances could not be restored, and of all that keeps the system from its work."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bus: events.IEventBus,
        notify: Sequence[str],
        runbook: str,
        plans: Sequence[Plan],
        audit_every: timedelta,
        capabilities: Mapping[str, Capability],
        direct: Sequence[str],
        working: Mapping[str, sqs.IQueue],
        dead_letters: Mapping[str, sqs.IQueue],
    ) -> None:
        """`capabilities` are all by name, of which `direct` are those without a queue; `working` are their queues."""
        super().__init__(scope, construct_id)
        self.notifications = Notifications(self, "Notifications", bus=bus, notify=notify, runbook=runbook)
        self.topic = self.notifications.topic
        queues = {**dead_letters, "messages": self.notifications.undelivered_queue}
        functions = {name: capability.function for name, capability in capabilities.items()}
        copies = {"copies-failed": "CopiesFailed"} if any(plan.copy_to for plan in plans) else {}
        alarms = Alarms(self, "Alarms", topic=self.topic, runbook=runbook)
        alarms.overdue([plan.name for plan in plans if plan.max_age], audit_every)
        alarms.audit_missing(audit_every)
        alarms.failures(FAILURES | copies)
        alarms.dead_letters(queues)
        alarms.function_errors({name: functions[name] for name in direct})
        Dashboard(
            self,
            "Dashboard",
            plans=plans,
            alarms=alarms.all,
            working=working,
            dead_letters=queues,
            functions=functions,
            log_groups=[capability.log_group for capability in capabilities.values()],
        )
