"""Monitoring: the alarms, the dashboard and the saved queries. It only composes."""

from collections.abc import Sequence

from aws_cdk import aws_events as events
from aws_cdk import aws_sns as sns
from constructs import Construct

from infra.capability import Capability
from infra.monitoring.alarms import Alarms, dead_letter_alarm
from infra.monitoring.dashboard import Dashboard
from infra.monitoring.heartbeat import Heartbeat
from infra.monitoring.queries import SavedQueries
from infra.queues import Queue
from lightsail_snapshots_plans.plans import Plans


class Monitoring(Construct):
    """Shows which instances have no recent snapshot, and watches the stack itself."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bus: events.IEventBus,
        capabilities: Sequence[Capability],
        schedules_dead_letters: Queue,
        plans: Plans,
        topic: sns.ITopic,
        runbook: str,
    ) -> None:
        super().__init__(scope, construct_id)
        dead_letters = {name: queue for each in capabilities for name, queue in each.dead_letter_queues.items()}
        dead_letters |= {"schedules": schedules_dead_letters}
        alarms = Alarms(
            self,
            "Alarms",
            definitions=[
                *(definition for each in capabilities for definition in each.alarms),
                *(dead_letter_alarm(name, queue) for name, queue in dead_letters.items()),
            ],
            topic=topic,
            runbook=runbook,
        )
        Dashboard(
            self,
            "Dashboard",
            plans=plans.plans,
            audit_interval=plans.audit_interval,
            alarms=alarms.all,
            capabilities=capabilities,
            dead_letters=dead_letters,
        )
        if plans.heartbeat:
            Heartbeat(self, "Heartbeat", bus=bus, endpoint=plans.heartbeat)
        SavedQueries(self, "Queries", log_groups=[each.log_group for each in capabilities])
