"""Every EventBridge rule of the stack is made here."""

from collections.abc import Mapping
from typing import Any

from aws_cdk import aws_events as events
from constructs import Construct

from infra.queues import Queue

_DeadLetters, _Transformer = events.CfnRule.DeadLetterConfigProperty, events.CfnRule.InputTransformerProperty
_RetryPolicy = events.CfnRule.RetryPolicyProperty

NOT_REPLAYED = {"replay-name": [{"exists": False}]}
"""The part of a pattern that excludes replayed events: only those have the field."""


def add_rule(
    scope: Construct,
    construct_id: str,
    *,
    description: str,
    bus: events.IEventBus | None,
    pattern: Mapping[str, Any],
    target_arn: str,
    undelivered: Queue | None = None,
    role_arn: str | None = None,
    retry_seconds: int = 24 * 60 * 60,
    template: str | None = None,
    paths: Mapping[str, str] | None = None,
) -> str:
    """Send events of a bus (None: the account's default bus) to one target; return the rule's ARN.

    If there is a `template`, the target gets it instead of the event, with the event's value at `paths[name]` in place
    of `<name>`. An event that could not be delivered for `retry_seconds` goes to `undelivered`, if there is one. The
    caller must allow the rule to use the target, or give it a role.
    """
    target = events.CfnRule.TargetProperty(
        id="target",
        arn=target_arn,
        input_transformer=_Transformer(input_template=template, input_paths_map=paths) if template else None,
        role_arn=role_arn,
        dead_letter_config=_DeadLetters(arn=undelivered.queue_arn) if undelivered else None,
        retry_policy=_RetryPolicy(maximum_event_age_in_seconds=retry_seconds, maximum_retry_attempts=185),
    )
    rule = events.CfnRule(
        scope,
        construct_id,
        description=description,
        event_bus_name=bus and bus.event_bus_name,
        event_pattern=dict(pattern),
        state="ENABLED",
        targets=[target],
    )
    if undelivered:
        undelivered.allow_rule(rule.attr_arn)
    return rule.attr_arn
