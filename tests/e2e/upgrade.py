"""`make upgrade-test`: versions of the stack follow each other in the local AWS, and no request is lost or doubled.

An earlier commit is deployed, then today's over it, with requests in every state: done, pending in Lightsail, waiting,
copying, dead. Then plans are renamed and removed, a deployment fails half-way, the earlier commit comes back, and the
stack is destroyed and deployed again. The real CDK CLI deploys the unmodified apps, with what is installed here.
"""

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import ZipFile

from local import cdk
from local.aws import REGION, ROOT, LocalAws, local_aws
from local.demo.console import Screen
from local.run_schedule import GROUP, put_schedule_event
from local.speed_up import speed_up
from local.subprocesses import CommandFailedError
from local.topic_subscriber import TopicSubscriber, subscribe
from local.user_settings import ignore_user_settings
from tests.e2e.deployment import Deployment
from tests.e2e.upgrade_books import COPIED_TO, RELEASE, RELEASED, Books, Slot, stamp

AWAY = "eu-central-1"
ADDED = "us-west-2"
BEFORE = """
notify = ["ops@example.com"]
regions = ["us-east-1", "eu-central-1"]
[plans.daily]
schedule = "cron(15 3 * * ? *)"
select   = { tags = { backup = "daily" } }
keep     = { last = 50 }
max_age  = "26h"
copy_to  = ["eu-west-1"]
[plans.weekly]
schedule = "cron(15 4 ? * SUN *)"
select   = { tags = { backup = "weekly" } }
keep     = { last = 2 }
[plans.old]
schedule = "cron(15 5 * * ? *)"
select   = { tags = { backup = "old" } }
keep_for = "P14D"
[plans.releases]
on       = { source = ["my.ci"], detail-type = ["Release"] }
select   = { names = ["rel-*"] }
keep_for = "P14D"
"""
AFTER = (
    BEFORE.replace('"eu-central-1"]\n[plans.daily]', '"eu-central-1", "us-west-2"]\n[plans.daily]')
    .replace('copy_to  = ["eu-west-1"]\n', "")
    .replace("[plans.weekly]", '[plans.sundays]\nwas = ["weekly"]')
    .replace(BEFORE[BEFORE.index("[plans.old]") : BEFORE.index("[plans.releases]")], "")
)
"""A plan is renamed and one removed, a Region is added, and nothing is copied any longer."""
BLOCKED = AFTER + '[plans.extra]\nschedule = "rate(1 day)"\nselect = { names = ["extra-*"] }\n'
"""With a plan whose schedule cannot be made, since its name is taken."""

DAILY = [(REGION, "daily-1"), (AWAY, "daily-2")]
WEEKLY = [(REGION, "weekly-1")]
INSTANCES = {
    BEFORE: {"daily": DAILY, "weekly": WEEKLY, "old": [(REGION, "old-1")]},
    AFTER: {"daily": [*DAILY, (ADDED, "daily-3")], "sundays": WEEKLY},
}
"""What the plans with a schedule select."""
PERSONS = [(REGION, "person-1"), (AWAY, "person-2")]
OUTAGE = "service-unavailable"
DEAD_LETTERS = ("CreateDeadLetterQueue", "CopyDeadLetterQueue", "FanOutFailures", "NotifyFailures")
TIMEOUT_SECONDS = 20 * 60
"""A request that is in doubt, such as a copy to a Region that no plan has any longer, takes ten minutes to fail."""


class UpgradeFailedError(Exception):
    """Raised if something was lost, doubled, blocked or wrongly deleted; the text says what."""


class Upgrade:
    """One account, in which versions of the stack follow each other."""

    def __init__(self, aws: LocalAws, screen: Screen) -> None:
        self.aws, self.screen = aws, screen
        self.stack = Deployment(aws, {})
        self.books = Books(aws)
        self.plans = BEFORE
        self.is_earlier = False
        self._slot = datetime.now(UTC).replace(microsecond=0)
        self._lock = threading.Lock()
        self._stopped_at: float | None = None
        self._topic = ""
        self._subscriber: TopicSubscriber | None = None
        self._heard_since = ""
        for region, name in [*INSTANCES[AFTER]["daily"], *PERSONS, (REGION, RELEASED), (REGION, "old-1"), *WEEKLY]:
            aws.make_instance(name, region, {"backup": name.rpartition("-")[0]})
        self._make_snapshots_of_others()

    # What is deployed

    def synthesize(self, plans: str, app: Path = ROOT) -> Path:
        """Synthesize an app with a plans.toml."""
        path = Path(tempfile.mkdtemp(dir=self.aws.directory), "plans.toml")
        path.write_text(plans, encoding="utf-8")
        return cdk.synthesize(self.aws, path, app)

    def deploy(self, assembly: Path, plans: str, *, is_earlier: bool = False) -> None:
        """Deploy today's version or an earlier one, and let everything go fast again."""
        self.is_earlier = is_earlier
        before = self.stack.resources
        cdk.deploy_assembly(self.aws, assembly)
        self.plans, self.stack.resources = plans, cdk.resources(self.aws)
        speed_up(self.aws, self.stack.resources, retry_seconds=2, snapshot_seconds=1)
        if not before:
            self.books.open()
        self._subscribe(bool(before))

    def _subscribe(self, is_upgrade: bool) -> None:
        """Subscribe to the topic, if it is a new one."""
        [topic] = [each["TopicArn"] for each in self.aws.client("sns").list_topics()["Topics"]]
        if topic == self._topic:
            return
        if is_upgrade:
            self.screen.say("  The topic was replaced: until its subscribers confirm again, nobody is told.", "yellow")
        self._topic, self._subscriber = topic, subscribe(self.aws, topic)
        self._heard_since = f"{datetime.now(UTC):%FT%TZ}"

    def destroy(self, assembly: Path) -> None:
        """Destroy the stack; what is in its queues is lost, as the documents say."""
        self.books.close()
        cdk.destroy(self.aws, assembly)
        self.stack.resources = {}
        self.books.look()
        self.books.excused = self.books.in_flight

    # What is requested

    def run_everything(self) -> set[Slot]:
        """Run each plan, and let a person ask for snapshots; return the slots of those that have a schedule."""
        slot = self._next_slot()
        asked = {Slot(region, name, stamp(slot)) for region, name in PERSONS}
        for plan, instances in INSTANCES[self.plans].items():
            put_schedule_event(self.aws, f"plan-{plan}", slot)
            asked |= {Slot(region, name, stamp(slot)) for region, name in instances}
        self._ask(slot)
        self.books.expected |= asked
        self._release()
        return asked

    def _ask(self, slot: datetime) -> None:
        """Ask for snapshots as a person does, one with a copy."""
        details: list[dict[str, Any]] = [
            {"instanceName": name, "region": region, "scheduledTime": f"{slot:%FT%TZ}"} for region, name in PERSONS
        ]
        if "copy_to" in self.plans:
            details[0]["copyTo"] = [COPIED_TO]
        self.stack.put("Instance Snapshot Requested", *details)

    def _release(self) -> None:
        """Trigger the plan `releases`. Two in a second would have the same slot."""
        with self._lock:
            time.sleep(1.01)
            self.stack.put(RELEASE, {}, source="my.ci", bus="default")

    @contextmanager
    def requests_arriving(self) -> Iterator[None]:
        """Ask for snapshots all the time until the block is left."""
        is_over = threading.Event()

        def ask() -> None:
            while not is_over.wait(0.3):
                slot = self._next_slot()
                self._ask(slot)
                self.books.expected |= {Slot(region, name, stamp(slot)) for region, name in PERSONS}
                self._release()

        thread = threading.Thread(target=ask)
        thread.start()
        try:
            yield
        finally:
            is_over.set()
            thread.join()

    def _next_slot(self) -> datetime:
        with self._lock:
            self._slot = max(self._slot + timedelta(seconds=1), datetime.now(UTC).replace(microsecond=0))
            return self._slot

    # What is in flight

    def leave_in_flight(self) -> None:
        """Leave requests in every state: copying, pending in Lightsail, and with nothing made."""
        self._fault(OUTAGE, "CopySnapshot")
        copying = self.run_everything()
        self._until("snapshots that are not copied", lambda: all(self.books.verdicts(slot) for slot in copying))
        self._stop_clock()
        pending = self.run_everything()
        self._until("pending snapshots", lambda: all(self.books.snapshots(slot) for slot in pending))
        self._fault(OUTAGE, "CreateInstanceSnapshot")
        waiting = self.run_everything()
        self._until("requests that wait", lambda: waiting <= set(self.books.requests.values()))

    def _stop_clock(self) -> None:
        """From now on, no snapshot is finished."""
        self._stopped_at = time.monotonic()
        self.aws.control("POST", "/_lightsail/settings", {"speed": 0})

    def _start_clock(self) -> None:
        if self._stopped_at is not None:
            self.aws.control("POST", "/_lightsail/clock", {"advance": time.monotonic() - self._stopped_at})
            self.aws.control("POST", "/_lightsail/settings", {"speed": 1})
        self._stopped_at = None

    def leave_dead_letters(self) -> None:
        """Leave a run of a plan that failed three times, and a request that could not be delivered."""
        self._fault("access-denied", "GetInstances", region=REGION)
        slot = self._next_slot()
        put_schedule_event(self.aws, "plan-daily", slot)
        self.books.expected |= {Slot(region, name, stamp(slot)) for region, name in INSTANCES[self.plans]["daily"]}
        self._until("dead letter of fan_out", lambda: self.stack.depth("FanOutFailures"))
        self.aws.control("DELETE", "/_lightsail/faults")
        undelivered = self.books.repeat(self._next_slot())
        self.stack.sqs.send_message(
            QueueUrl=self.stack.resources["CreateDeadLetterQueue"], MessageBody=json.dumps(undelivered)
        )

    def _replay(self) -> None:
        """Send dead letters again, as the documents say. MiniStack makes some itself, when too many functions run."""
        if not self.is_earlier and any(map(self.stack.depth, DEAD_LETTERS)):
            self.aws.run(["lightsail-snapshots", "replay", "--yes"])

    def settle(self) -> None:
        """Let Lightsail work again, and wait until every request has an outcome and the queues are empty."""
        self.aws.control("DELETE", "/_lightsail/faults")
        self._start_clock()
        self._until("outcomes", lambda: not self.books.in_flight, fails=False)
        self._until("empty queues", lambda: not any(map(self.stack.depth, ("CreateQueue", "CopyQueue"))))

    def check(self) -> None:
        """Prune, and raise UpgradeFailedError if anything is not as it should be.

        An earlier version deletes by its own rules, which are not tested here.
        """
        self.settle()
        if not self.is_earlier:
            self._prune()
        self.books.look()
        self._until("messages", lambda: not self._unheard(), fails=False)
        problems = [*self.books.problems(), *self._unheard()]
        self.screen.say("  " + ", ".join(f"{number} {name}" for name, number in self.books.figures().items()), "dim")
        if problems:
            raise UpgradeFailedError("\n  ".join([f"{len(problems)} problems:", *problems]))

    def _prune(self) -> None:
        target = self.aws.client("scheduler").get_schedule(Name="prune", GroupName=GROUP)["Target"]
        now = f"{datetime.now(UTC):%FT%TZ}"
        detail = target["Input"].replace("<aws.scheduler.scheduled-time>", now)
        text = f'{{"id": "prune-{now}", "source": "lightsail-snapshots", "time": "{now}", "detail": {detail}}}'
        answer = self.aws.client("lambda").invoke(FunctionName=self.stack.resources["PruneFunction"], Payload=text)
        if "FunctionError" in answer:
            raise UpgradeFailedError(f"prune failed: {answer['Payload'].read().decode()}")

    def _unheard(self) -> list[str]:
        """Return the failures of which no message told a person."""
        messages = [each.text + each.subject for each in self._subscriber.poll()] if self._subscriber else []
        failed = [
            event["detail"]
            for events in self.books.outcomes.values()
            for event in events
            if "reason" in event["detail"] and event["time"] > self._heard_since
        ]
        unheard = {each["instanceName"] for each in failed if "instanceName" in each}
        return [f"nobody was told about {name}" for name in unheard if not any(name in each for each in messages)]

    def _fault(self, fault: str, operation: str, **more: Any) -> None:
        self.aws.control("POST", "/_lightsail/faults", {"fault": fault, "operation": operation, **more})

    def _until(self, what: str, is_so: Callable[[], object], *, fails: bool = True) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        self.books.look()
        while not is_so():
            if time.monotonic() > deadline:
                if fails:
                    raise UpgradeFailedError(f"{what}: not within {TIMEOUT_SECONDS // 60} minutes")
                return
            time.sleep(1)
            self._replay()
            self.books.look()

    def _make_snapshots_of_others(self) -> None:
        """Make what no version may touch."""
        lightsail = self.aws.client("lightsail")
        for name, tags in (
            ("by-hand", {}),
            ("of-another-tool", {"managed-by": "another-tool", "snapshot-of": "weekly-1", "snapshot-plan": "weekly"}),
            ("handed-on", {"managed-by": "lightsail-snapshots", "snapshot-of": "weekly-1", "snapshot-plan": "weekly"}),
        ):
            described = [{"key": key, "value": value} for key, value in tags.items()]
            lightsail.create_instance_snapshot(instanceSnapshotName=name, instanceName="weekly-1", tags=described)


class CommitMissingError(Exception):
    """Raised if this clone does not have the commit; the text says what to do."""


def check_out(commit: str, folder: Path) -> str:
    """Write the files of a commit into a folder, and return its subject; raises CommitMissingError."""

    def git(*arguments: str) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, check=False)  # noqa: S603, S607

    shown = git("show", "--no-patch", "--format=%h %s", f"{commit}^{{commit}}")
    if shown.returncode:
        is_shallow = git("rev-parse", "--is-shallow-repository").stdout.strip() == b"true"
        remedy = "git fetch --unshallow" if is_shallow else "git fetch --tags, or FROM=COMMIT for another one"
        raise CommitMissingError(f"The commit {commit} is not in this clone. Run: {remedy}")
    with ZipFile(BytesIO(git("archive", "--format=zip", commit).stdout)) as archive:
        archive.extractall(folder)
    return shown.stdout.decode().strip()


def run(aws: LocalAws, screen: Screen, earlier: Path) -> None:
    """Run the whole scenario; raises UpgradeFailedError or CommandFailedError."""
    upgrade = Upgrade(aws, screen)
    with screen.step("Synthesize both apps, today's with three plans.toml"):
        cdk.bootstrap(aws)
        old, new = upgrade.synthesize(BEFORE, earlier), upgrade.synthesize(BEFORE)
        changed, blocked = upgrade.synthesize(AFTER), upgrade.synthesize(BLOCKED)
    with screen.step("Deploy the earlier version"):
        upgrade.deploy(old, BEFORE, is_earlier=True)
        upgrade.run_everything()
        upgrade.check()
    with screen.step("Deploy today's version over it, with requests in flight, dead and arriving"):
        upgrade.leave_dead_letters()
        upgrade.leave_in_flight()
        with upgrade.requests_arriving():
            upgrade.deploy(new, BEFORE)
        upgrade.check()
    with screen.step("Rename a plan, remove one, add a Region, stop copying"):
        _replace(upgrade, changed, AFTER)
    with screen.step("Deploy plans that fail half-way, so that CloudFormation rolls back"):
        _fail(upgrade, blocked)
    with screen.step("Go back to the earlier version"):
        upgrade.leave_in_flight()
        upgrade.books.handed_back = upgrade.books.in_flight
        with upgrade.requests_arriving():
            upgrade.deploy(old, BEFORE, is_earlier=True)
        upgrade.check()
    with screen.step("Deploy today's version again"):
        _replace(upgrade, new, BEFORE)
    with screen.step("Destroy the stack, and deploy it again"):
        upgrade.leave_in_flight()
        upgrade.destroy(new)
        upgrade.deploy(new, BEFORE)
        upgrade.run_everything()
        upgrade.check()


def _replace(upgrade: Upgrade, assembly: Path, plans: str) -> None:
    upgrade.leave_in_flight()
    with upgrade.requests_arriving():
        upgrade.deploy(assembly, plans)
    upgrade.settle()
    upgrade.run_everything()
    upgrade.check()


def _fail(upgrade: Upgrade, blocked: Path) -> None:
    """Deploy a plan while a person's own schedule has the name of its schedule; then remove that one."""
    scheduler = upgrade.aws.client("scheduler")
    taken = scheduler.get_schedule(Name="plan-daily", GroupName=GROUP)
    same = {name: taken[name] for name in ("ScheduleExpression", "FlexibleTimeWindow", "Target")}
    scheduler.create_schedule(Name="plan-extra", GroupName=GROUP, **same)
    upgrade.leave_in_flight()
    try:
        with upgrade.requests_arriving():
            cdk.deploy_assembly(upgrade.aws, blocked)
    except CommandFailedError as error:
        if "plan-extra" not in error.tail:
            raise
    else:
        raise UpgradeFailedError("The deployment should have failed")
    upgrade.check()
    scheduler.delete_schedule(Name="plan-extra", GroupName=GROUP)


def main() -> int:
    """Run the scenario and return its exit status."""
    parser = argparse.ArgumentParser(prog="make upgrade-test", description=__doc__)
    parser.add_argument("earlier", help="a commit or tag")
    commit = parser.parse_args().earlier
    screen = Screen()
    try:
        with tempfile.TemporaryDirectory(prefix="earlier-") as folder, local_aws() as aws:
            screen.say(f"From {check_out(commit, Path(folder))}")
            run(aws, screen, Path(folder))
    except (CommitMissingError, UpgradeFailedError) as error:
        screen.failure(str(error))
        return 1
    except CommandFailedError as error:
        screen.failure(str(error), error.tail)
        return 1
    except KeyboardInterrupt:
        screen.say("\nStopped. Nothing is left behind.")
        return 128 + signal.SIGINT
    screen.say("Nothing was lost, doubled or blocked, and no snapshot was deleted that should stay.")
    return 0


if __name__ == "__main__":
    ignore_user_settings()
    sys.exit(main())
