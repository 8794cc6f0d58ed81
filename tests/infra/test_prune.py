"""The `prune` construct: what triggers it, and what its role may do in Lightsail."""

import json

from lightsail_snapshots_plans.checks import lightsail_regions
from tests.infra.roles.prune import DELETE, IS_OURS
from tests.infra.simulation import statements_of
from tests.infra.synthesized import ACCOUNT, Synthesized


def test_our_own_request_triggers_it_unless_it_is_replayed(template: Synthesized) -> None:
    rule = template.only("AWS::Events::Rule", "PruneRule")
    assert rule["EventPattern"] == {
        "source": ["lightsail-snapshots"],
        "detail-type": ["Prune Requested"],
        "replay-name": [{"exists": False}],
    }
    assert rule["EventBusName"] == template.bus
    (target,) = rule["Targets"]
    assert target["Arn"] == template.arn(template.id_of("AWS::Lambda::Function", "Prune"))
    assert {"Input", "InputPath", "InputTransformer"}.isdisjoint(target)


def test_role_has_these_statements_about_lightsail_only(with_copies: Synthesized) -> None:
    regions = ["eu-central-1", "us-west-2", "eu-west-1", "us-east-1"]
    statements = statements_of(with_copies, "Prune")
    assert [one for one in statements if "lightsail:" in json.dumps(one["Action"])] == [
        {
            "Sid": "DeleteOurs",
            "Effect": "Allow",
            "Action": "lightsail:DeleteInstanceSnapshot",
            "Resource": [f"arn:aws:lightsail:{region}:{ACCOUNT}:InstanceSnapshot/*" for region in sorted(regions)],
            "Condition": {"StringEquals": IS_OURS, "Null": {"aws:ResourceTag/snapshot-hold": "true"}},
        },
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": [
                "lightsail:GetInstanceSnapshot",
                "lightsail:GetInstanceSnapshots",
                "lightsail:GetInstances",
            ],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": list(lightsail_regions())}},
        },
    ]


def test_no_other_role_may_delete_a_snapshot(everything: Synthesized) -> None:
    policies = everything.of_type("AWS::IAM::Policy").values()
    deleting = [one["Roles"] for one in policies if DELETE in json.dumps(one) or "lightsail:*" in json.dumps(one)]
    ((role,),) = deleting
    assert role.startswith("PruneRole")


def test_role_reads_no_log_but_its_own(template: Synthesized) -> None:
    own = template.id_of("AWS::Logs::LogGroup", "Prune")
    [statement] = [one for one in statements_of(template, "Prune") if one["Action"] == "logs:FilterLogEvents"]
    assert statement["Resource"] == template.arn(own)
    assert template.environment_of("Prune")["LOG_GROUP"] == own
