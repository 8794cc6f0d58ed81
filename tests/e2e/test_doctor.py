"""`doctor` as an IAM user, on the deployed stack: with its own policy it checks everything, and leaves nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from unittest.mock import patch

import boto3
import pytest
from click.testing import CliRunner, Result

from lightsail_snapshots.aws.lightsail import lightsail
from lightsail_snapshots_cli import clock
from lightsail_snapshots_cli.main import main
from lightsail_snapshots_cli.permissions import by_command, policy
from local.aws import ACCOUNT
from tests.e2e.deployment import Deployment

OTHERWISE = {
    "snapshotsWhileChanging": True,
    "deletesPendingSnapshots": False,
    "copiesPendingSnapshots": True,
    "copyCarriesTags": True,
    "createNeedsTagResource": True,
    "restoreNeedsTagResource": True,
    "keyOnlyTags": False,
}
NAMES = "lightsail-snapshots-doctor"


@dataclass(frozen=True)
class Person:
    """A person with an IAM user."""

    stack: Deployment
    environment: dict[str, str]

    def run(self, *arguments: str, without: str = "") -> Result:
        """Run `doctor` with its own policy, but for one action."""
        permissions = [each for each in by_command()["doctor"] if each.action != without]
        document = json.dumps(policy(permissions))
        self.stack.aws.client("iam").put_user_policy(UserName=NAMES, PolicyName="own", PolicyDocument=document)
        boto3.DEFAULT_SESSION = None
        lightsail.cache_clear()
        sleep, monotonic = clock.sleep, clock.monotonic
        with (
            patch.dict("os.environ", self.environment),
            patch("lightsail_snapshots_cli.clock.sleep", lambda seconds: sleep(seconds / 20)),
            patch("lightsail_snapshots_cli.clock.monotonic", lambda: 20 * monotonic()),
            patch("lightsail_snapshots_cli.clock.now", self.now),  # other tests move it
            patch("lightsail_snapshots_cli.doctor.role._SECONDS_TO_SPREAD", 2),
            patch("lightsail_snapshots_cli.listing.lightsail_regions", lambda: ["us-east-1", "us-west-2"]),
        ):
            shown = CliRunner().invoke(main, ["doctor", "--yes", "--json", *arguments])
        boto3.DEFAULT_SESSION = None
        lightsail.cache_clear()
        return shown

    def now(self) -> datetime:
        """Return the time of Lightsail."""
        return datetime.fromisoformat(self.stack.aws.control("GET", "/_lightsail/state")["time"])

    def left(self) -> list[str]:
        """Return what is there of doctor."""
        state = self.stack.aws.control("GET", "/_lightsail/state")["accounts"][ACCOUNT]
        kinds = [names for region in state.values() for names in (region["instances"], region["instanceSnapshots"])]
        roles = self.stack.aws.client("iam").list_roles()["Roles"]
        names = [*(name for each in kinds for name in each), *(role["RoleName"] for role in roles)]
        return [name for name in names if name.startswith(NAMES)]


@pytest.fixture(scope="module")
def user(deployed: Deployment) -> dict[str, str]:
    iam = deployed.aws.client("iam")
    iam.create_user(UserName=NAMES)
    key = iam.create_access_key(UserName=NAMES)["AccessKey"]
    own = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    return {**deployed.aws.environment, **own}


@pytest.fixture
def person(stack: Deployment, user: dict[str, str]) -> Iterator[Person]:
    before = stack.aws.control("GET", "/_lightsail/settings")
    stack.aws.control("POST", "/_lightsail/settings", {"instanceSeconds": 1})
    yield Person(stack, user)
    stack.aws.control("POST", "/_lightsail/settings", before)


def verdicts(shown: Result) -> dict[str, Any]:
    return {each["id"]: each["verdict"] for each in json.loads(shown.stdout)["answers"]}


def test_doctor_checks_everything_with_its_own_policy(person: Person) -> None:
    person.stack.invoke("AuditFunction", {"detail-type": "Audit Requested"})  # its log has a line
    shown = person.run()
    found = verdicts(shown)
    assert "your credentials lack" not in shown.stderr
    # The local AWS does not evaluate the policy of a bus, and has no CloudWatch metrics of log lines.
    of_local_aws = {"bus-source": "DIFFERS", "stack-metrics": found["stack-metrics"]}
    wrong = {belief: verdict for belief, verdict in found.items() if verdict in {"DIFFERS", "NOT CHECKED"}}
    assert wrong.items() <= of_local_aws.items(), shown.stdout
    assert {found[each] for each in found if each.startswith("iam-")} == {"as assumed"}
    assert (shown.exit_code, person.left()) == (1, [])
    assert ACCOUNT not in shown.output


def test_doctor_finds_the_other_answers(person: Person) -> None:
    person.stack.aws.control("POST", "/_lightsail/settings", OTHERWISE)
    shown = person.run()
    found = verdicts(shown)
    handled = ("pending-instance", "delete-pending", "copy-pending", "copy-tags", "key-only-tags", "iam-create-tags")
    assert {found[each] for each in handled} == {"other, handled"}, shown.stdout
    assert found["iam-restore-tags"] == "DIFFERS"
    assert person.left() == []


@pytest.mark.parametrize("action", ["iam:CreateRole", "sts:AssumeRole"])
def test_doctor_ends_with_7_and_names_the_action_that_is_missing(person: Person, action: str) -> None:
    shown = person.run(without=action)
    assert shown.exit_code == 7, shown.output
    assert f"your credentials lack {action}" in shown.stderr
    assert person.left() == []
