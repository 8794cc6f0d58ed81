"""The deployment in the caller's account and Region: its functions, its Regions and its plans."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from importlib.metadata import version
from typing import Any, NamedTuple

import boto3

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots.aws.errors import NotFoundError, translate_errors
from lightsail_snapshots.plan import Plan, read_plans
from lightsail_snapshots.reader import InvalidValueError
from lightsail_snapshots_cli.account import signed_in_region
from lightsail_snapshots_cli.errors import FAILED, NO_DEPLOYMENT, NOT_SIGNED_IN, CommandError

STACK = "LightsailSnapshots"
NAME = "lightsail-snapshots"
"""Of the event bus and of the schedule group."""


VERSION_VARIABLE = "LIGHTSAIL_SNAPSHOTS_VERSION"
"""The environment variable of each function that has the version that was deployed."""


class Resource(NamedTuple):
    """One resource of the stack."""

    type: str
    name: str
    """Its logical id, without the eight digits that the CDK adds."""
    id: str
    """Its physical id: a URL for a queue; a name for a function, a log group or a rule."""


@dataclass(frozen=True, kw_only=True)
class Deployment:
    """The stack as it is deployed."""

    region: str
    """Of the stack."""
    regions: tuple[str, ...]
    """The Regions whose instances it protects."""
    copy_regions: tuple[str, ...] = ()
    plans: tuple[Plan, ...]
    """Each with its Regions."""
    resources: tuple[Resource, ...]
    details: Mapping[str, Mapping[str, Any]]
    """The details of the events that the schedules `prune` and `audit` put on the bus."""

    @property
    def all_regions(self) -> tuple[str, ...]:
        """All Regions that may have snapshots of ours, without repeats."""
        return tuple(dict.fromkeys((*self.regions, *self.copy_regions)))

    def resources_of_type(self, resource_type: str) -> dict[str, str]:
        """Return the ids of all resources of a type, such as `AWS::SQS::Queue`, by name."""
        return {each.name: each.id for each in self.resources if each.type == resource_type}

    def function(self, capability: str) -> str:
        """Return the name of the function of a capability, such as `FanOut`."""
        return _function(self.resources, capability)


def find_region() -> str:
    """Return the Region of the environment, where the deployment is; end the command if there is none."""
    region = signed_in_region()
    if region is None:
        raise CommandError("In which Region is the stack? Set AWS_REGION, or run `aws configure`.", NOT_SIGNED_IN)
    return region


def read_deployment() -> Deployment:
    """Read the deployment from AWS; end the command if there is none. Raises AwsError."""
    region = find_region()
    try:
        with translate_errors():
            resources = tuple(stack_resources(region))
            variables = _variables(region, _function(resources, "Audit"))
            details = {name: read_schedule(region, name)[1] for name in ("prune", "audit")}
    except (NotFoundError, KeyError) as error:
        raise CommandError(
            f"There is no deployment in {region}: set AWS_REGION to the Region of the stack {STACK}, or deploy it there"
            " with `make deploy`.",
            NO_DEPLOYMENT,
        ) from error
    _check_version(variables.get(VERSION_VARIABLE, ""))
    return Deployment(
        region=region,
        regions=tuple(variables["SNAPSHOT_REGIONS"].split(",")),
        copy_regions=tuple(filter(None, variables.get("COPY_REGIONS", "").split(","))),
        plans=_plans(details["audit"], region),
        resources=resources,
        details=details,
    )


def stack_resources(region: str) -> Iterable[Resource]:
    """Return all resources of the stack. Raises an error of botocore, or NotFoundError if there is no stack."""
    with translate_errors():
        yield from _resources(region)


def _resources(region: str) -> Iterable[Resource]:
    client = boto3.client("cloudformation", region_name=region, config=CONFIG)
    for page in client.get_paginator("list_stack_resources").paginate(StackName=STACK):
        for each in page["StackResourceSummaries"]:
            name = re.sub("[0-9A-F]{8}$", "", each["LogicalResourceId"])
            yield Resource(each["ResourceType"], name, each.get("PhysicalResourceId", ""))


def _function(resources: Iterable[Resource], capability: str) -> str:
    """Return the name of a function; raise KeyError if the stack has none such."""
    return {each.name: each.id for each in resources}[f"{capability}Function"]


def _check_version(deployed: str) -> None:
    """End the command if the deployment is of another version; the third number does not matter."""
    own = version(NAME)
    if deployed.split(".")[:2] != own.split(".")[:2]:
        raise CommandError(
            f"The deployment is of version {deployed or 'unknown'}, and this command of {own}: install the version that"
            " is deployed, or deploy this one with `make deploy`.",
            FAILED,
        )


def _variables(region: str, function: str) -> Mapping[str, str]:
    client = boto3.client("lambda", region_name=region, config=CONFIG)
    answer = client.get_function_configuration(FunctionName=function)
    return dict(answer["Environment"]["Variables"])


def read_schedule(region: str, name: str) -> tuple[str, dict[str, Any]]:
    """Return the detail-type and the detail of the event that a schedule puts on the bus, without `scheduledTime`.

    Raises an error of botocore.
    """
    client = boto3.client("scheduler", region_name=region, config=CONFIG)
    target = client.get_schedule(Name=name, GroupName=NAME)["Target"]
    detail = dict(json.loads(target["Input"]))
    detail.pop("scheduledTime", None)
    return target["EventBridgeParameters"]["DetailType"], detail


def _plans(detail: Mapping[str, Any], region: str) -> tuple[Plan, ...]:
    try:
        plans = read_plans(detail["plans"])
    except (InvalidValueError, KeyError) as error:
        raise CommandError(
            f"The deployed plans cannot be read: deploy again, or use the version that is deployed. {error}", FAILED
        ) from error
    return tuple(replace(plan, regions=plan.regions or (region,)) for plan in plans)
