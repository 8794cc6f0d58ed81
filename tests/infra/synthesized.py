"""The synthesized template, as the account and Region of a deployment would see it."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_cdk import App, Environment

from infra.stack import LightsailSnapshotsStack
from lightsail_snapshots_plans.plans import read_plans

ROOT = Path(__file__).parents[2]
ACCOUNT = "123456789012"
REGION = "eu-central-1"
PSEUDO_PARAMETERS = {"AWS::Partition": "aws", "AWS::AccountId": ACCOUNT, "AWS::Region": REGION}
ARNS = {
    "AWS::CloudWatch::Alarm": f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:",
    "AWS::Events::ApiDestination": f"arn:aws:events:{REGION}:{ACCOUNT}:api-destination/",
    "AWS::Events::Archive": f"arn:aws:events:{REGION}:{ACCOUNT}:archive/",
    "AWS::Events::Connection": f"arn:aws:events:{REGION}:{ACCOUNT}:connection/",
    "AWS::Events::EventBus": f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/",
    "AWS::Events::Rule": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/",
    "AWS::IAM::Role": f"arn:aws:iam::{ACCOUNT}:role/",
    "AWS::KMS::Key": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/",
    "AWS::Lambda::Function": f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:",
    "AWS::Logs::LogGroup": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:",
    "AWS::Scheduler::ScheduleGroup": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule-group/",
    "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:",
    "AWS::SQS::Queue": f"arn:aws:sqs:{REGION}:{ACCOUNT}:",
}
ARN_ENDS = {"AWS::Logs::LogGroup": ":*"}
SLOT = "2026-11-23T01:30:00Z"
"""The scheduled time of every schedule's event."""
FOURTEEN_DAYS = 1_209_600
CONTEXT = {**json.loads((ROOT / "cdk.json").read_text(encoding="utf-8"))["context"], "aws:cdk:bundling-stacks": []}
"""The feature flags, which only the CDK CLI reads by itself. The asset is not built."""


@dataclass(frozen=True)
class Synthesized:
    """One template: `document` as it was written, and its parts with every reference resolved."""

    document: Mapping[str, Any]

    def of_type(self, resource_type: str) -> dict[str, dict[str, Any]]:
        """Return the resolved properties of all resources of a type, by logical id."""
        return {
            logical_id: self._resolved(resource.get("Properties", {}))
            for logical_id, resource in self.document["Resources"].items()
            if resource["Type"] == resource_type
        }

    def only(self, resource_type: str, start: str = "") -> dict[str, Any]:
        """Return the resolved properties of the one resource of a type, or with this start of its logical id."""
        return self.of_type(resource_type)[self.id_of(resource_type, start)]

    def id_of(self, resource_type: str, start: str = "") -> str:
        """Return the logical id of the one resource of a type, or of the one whose logical id starts so."""
        (logical_id,) = (name for name in self.of_type(resource_type) if name.startswith(start))
        return logical_id

    @property
    def bus(self) -> str:
        """The logical id of the event bus, which is its name too."""
        return self.id_of("AWS::Events::EventBus")

    def queue(self, name: str) -> tuple[str, dict[str, Any]]:
        """Return the ARN and resolved properties of the one queue with this logical id, apart from the CDK's hash."""
        queues = self.of_type("AWS::SQS::Queue").items()
        ((logical_id, properties),) = [item for item in queues if without_hash(item[0]) == name]
        return self.arn(logical_id), properties

    def schedule(self, name: str) -> dict[str, Any]:
        """Return the resolved properties of the schedule with this name."""
        (schedule,) = (one for one in self.of_type("AWS::Scheduler::Schedule").values() if one["Name"] == name)
        return schedule

    def environment_of(self, construct: str) -> dict[str, str]:
        """Return the environment variables of a capability's function, with the one that Lambda adds."""
        variables = self.only("AWS::Lambda::Function", construct)["Environment"]["Variables"]
        return {**variables, "AWS_REGION": REGION}

    def arn(self, logical_id: str) -> str:
        """Return the ARN of a resource, whose name is its logical id."""
        resource_type = self.document["Resources"][logical_id]["Type"]
        return f"{ARNS[resource_type]}{logical_id}{ARN_ENDS.get(resource_type, '')}"

    @property
    def outputs(self) -> dict[str, str]:
        """The resolved values of the stack's outputs, by name."""
        return {name: self._resolved(output["Value"]) for name, output in self.document["Outputs"].items()}

    def _resolved(self, value: Any) -> Any:
        match value:
            case {"Ref": name}:
                is_topic = self.document["Resources"].get(name, {}).get("Type") == "AWS::SNS::Topic"
                return self.arn(name) if is_topic else PSEUDO_PARAMETERS.get(name, name)
            case {"Fn::GetAtt": [logical_id, attribute]}:
                return logical_id if attribute.endswith("Name") else self.arn(logical_id)
            case {"Fn::Join": [separator, parts]}:
                return separator.join(self._resolved(part) for part in parts)
            case dict():
                return {key: self._resolved(item) for key, item in value.items()}
            case list():
                return [self._resolved(item) for item in value]
            case _:
                return value


def without_hash(logical_id: str) -> str:
    """Return a logical id without the eight digits that the CDK adds."""
    return logical_id[:-8]


def detail_of(schedule: dict[str, Any]) -> dict[str, Any]:
    """Return the detail of a schedule's event, with the time that Scheduler would put in."""
    return dict(json.loads(schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", SLOT)))


def synthesize(plans: str | None = None, *, env: Environment | None = None, **context: str) -> Synthesized:
    """Synthesize the stack for the text of a plans.toml, or for the one that ships."""
    with built(plans, env=env, **context) as app:
        app.synth()
        template = Path(app.outdir, "LightsailSnapshots.template.json")
        return Synthesized(json.loads(template.read_text(encoding="utf-8")))


@contextmanager
def built(plans: str | None = None, *, env: Environment | None = None, **context: str) -> Iterator[App]:
    """Build the app as app.py does, without its asset."""
    with tempfile.TemporaryDirectory() as outdir:
        path = ROOT / "plans.toml"
        if plans is not None:
            path = Path(outdir, "plans.toml")
            path.write_text(plans, encoding="utf-8")
        app = App(context={**CONTEXT, **context}, outdir=outdir)
        read = read_plans(path, region=env.region if env else None)
        LightsailSnapshotsStack(app, "LightsailSnapshots", plans=read, env=env)
        yield app
