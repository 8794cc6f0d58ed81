"""Rules of people on our bus: it cannot be deleted while it has any."""

from typing import NamedTuple

import boto3

from lightsail_snapshots.aws import CONFIG
from lightsail_snapshots.aws.errors import NotFoundError
from lightsail_snapshots_cli.deployment import NAME, stack_resources
from lightsail_snapshots_cli.errors import explain_errors

_RULE = "AWS::Events::Rule"


class BusRule(NamedTuple):
    """A rule on our bus that the stack did not make."""

    name: str


def find_own_rules(region: str) -> list[BusRule]:
    """Return the rules on the bus that are neither the stack's nor AWS's own; none if there is no bus."""
    client = boto3.client("events", region_name=region, config=CONFIG)
    with explain_errors("while listing the rules of the bus"):
        try:
            stack = {each.id.rpartition("|")[2] for each in stack_resources(region) if each.type == _RULE}
        except NotFoundError:
            stack = set()
        try:
            pages = list(client.get_paginator("list_rules").paginate(EventBusName=NAME))
        except client.exceptions.ResourceNotFoundException:
            return []
    rules = (rule for page in pages for rule in page["Rules"] if "ManagedBy" not in rule)
    return [BusRule(rule["Name"]) for rule in rules if rule["Name"] not in stack]


def remove_rule(region: str, rule: BusRule) -> None:
    """Delete a rule and its targets: one that has targets cannot be deleted."""
    client = boto3.client("events", region_name=region, config=CONFIG)
    with explain_errors(f"while deleting the rule {rule.name}"):
        pages = client.get_paginator("list_targets_by_rule").paginate(Rule=rule.name, EventBusName=NAME)
        if targets := [target["Id"] for page in pages for target in page["Targets"]]:
            client.remove_targets(Rule=rule.name, EventBusName=NAME, Ids=targets)
        client.delete_rule(Name=rule.name, EventBusName=NAME)
