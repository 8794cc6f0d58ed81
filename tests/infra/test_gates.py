"""What public rule sets say about the stack: cfn-lint with warnings as errors, and cdk-nag's AwsSolutions."""

import json

import boto3
import pytest
from aws_cdk import Environment
from cdk_nag import AwsSolutionsChecks
from cfnlint.api import ManualArgs, lint  # type: ignore[import-untyped]  # it has no types

from tests.infra import plans
from tests.infra.synthesized import ACCOUNT, REGION, Synthesized, built, synthesize

IGNORED = [
    "I1022",  # Fn::Join where Fn::Sub would read better: the CDK writes the template, and nobody reads it
    "W3005",  # a DependsOn that a reference implies: the CDK adds it to every function with a role of its own
]
KNOWN = Environment(account=ACCOUNT, region=REGION)


HEARTBEAT = 'heartbeat = { url_parameter = "/backup/heartbeat" }'


def test_heartbeat_is_sound() -> None:
    arguments = ManualArgs(regions=[REGION], include_checks=["I"], ignore_checks=IGNORED)
    assert [str(match) for match in lint(json.dumps(synthesize(HEARTBEAT).document), config=arguments)] == []


def test_template_is_sound_in_every_region_of_lightsail(everything: Synthesized) -> None:
    regions = boto3.session.Session().get_available_regions("lightsail")
    arguments = ManualArgs(regions=regions, include_checks=["I"], ignore_checks=IGNORED)
    assert [str(match) for match in lint(json.dumps(everything.document), config=arguments)] == []


@pytest.mark.parametrize("env", [None, KNOWN], ids=["any Region", "known Region"])
@pytest.mark.parametrize("text", ["", HEARTBEAT, plans.EVERYTHING], ids=["no plans", "heartbeat", "everything"])
def test_each_finding_of_cdk_nag_has_a_reason(text: str, env: Environment | None) -> None:
    with built(text, env=env) as app:
        violations = AwsSolutionsChecks(app).validate_scope(app).violations
    found = [f"{each.rule_name}: {each.violating_resources[0].construct_path}" for each in violations]
    assert found == []


def test_cdk_nag_finds_a_queue_without_a_policy() -> None:
    with built() as app:
        queue = app.node.find_child("LightsailSnapshots").node.find_child("Create").node.find_child("Queue")
        queue.node.try_remove_child("Policy")
        violations = AwsSolutionsChecks(app).validate_scope(app).violations
    assert [violation.rule_name for violation in violations] == ["AwsSolutions-SQS4"]
