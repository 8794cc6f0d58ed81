"""The `create` construct: what must hold for a request never to be lost, doubled or run by a stranger; its rights."""

import json
from typing import Any

from infra.create import MAX_RECEIVE_COUNT
from infra.queue_function import FUNCTION_TIMEOUT, VISIBILITY_TIMEOUT
from lightsail_snapshots.naming import MANAGED_BY, MANAGED_BY_KEY
from lightsail_snapshots.settings import ReconcilerSettings
from tests.infra.simulation import statements_of
from tests.infra.synthesized import ACCOUNT, FOUR_DAYS, FOURTEEN_DAYS, REGION, Synthesized

QUEUE = "AWS::SQS::Queue"
WITH_OUR_TAG = {"StringEquals": {"aws:RequestTag/managed-by": "lightsail-snapshots"}}


def target(template: Synthesized) -> dict[str, Any]:
    """Return the one target of the rule of `create`."""
    (only,) = template.only("AWS::Events::Rule", "Create")["Targets"]
    return dict(only)


def test_a_request_from_any_source_on_our_bus_goes_to_the_queue(template: Synthesized) -> None:
    rule = template.only("AWS::Events::Rule", "Create")
    assert rule["EventPattern"] == {"detail-type": ["Instance Snapshot Requested"]}
    assert rule["EventBusName"] == template.bus
    assert rule["State"] == "ENABLED"
    assert target(template)["Arn"] == template.named("CreateQueue")[0]


def test_the_queue_gets_the_bare_event(template: Synthesized) -> None:
    assert {"Input", "InputPath", "InputTransformer"}.isdisjoint(target(template))


def test_an_event_that_cannot_be_delivered_is_retried_for_a_day_and_then_kept(template: Synthesized) -> None:
    assert target(template)["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    assert target(template)["DeadLetterConfig"] == {"Arn": template.named("CreateDeadLetterQueue")[0]}


def test_a_request_that_never_converges_is_kept(template: Synthesized) -> None:
    _, queue = template.named("CreateQueue")
    assert queue["RedrivePolicy"] == {
        "deadLetterTargetArn": template.named("CreateDeadLetterQueue")[0],
        "maxReceiveCount": MAX_RECEIVE_COUNT,
    }


def test_an_asynchronous_invocation_that_fails_is_retried_twice_and_then_kept(template: Synthesized) -> None:
    function = template.only("AWS::Lambda::Function", "Create")
    assert function["DeadLetterConfig"] == {"TargetArn": template.named("CreateDeadLetterQueue")[0]}
    invoke = template.only("AWS::Lambda::EventInvokeConfig", "Create")
    assert (invoke["MaximumRetryAttempts"], invoke["MaximumEventAgeInSeconds"]) == (2, 21_600)


def test_a_request_outlives_all_its_deliveries_in_the_queue(template: Synthesized) -> None:
    _, queue = template.named("CreateQueue")
    assert queue["MessageRetentionPeriod"] == FOUR_DAYS
    assert MAX_RECEIVE_COUNT * VISIBILITY_TIMEOUT.to_seconds() < FOUR_DAYS


def test_a_snapshot_has_about_six_hours_to_become_usable() -> None:
    assert MAX_RECEIVE_COUNT * VISIBILITY_TIMEOUT.to_seconds() == 6 * 3600


def test_dead_letters_are_kept_as_long_as_sqs_can(template: Synthesized) -> None:
    assert template.named("CreateDeadLetterQueue")[1]["MessageRetentionPeriod"] == FOURTEEN_DAYS


def test_a_slow_batch_is_not_delivered_a_second_time_while_it_runs(template: Synthesized) -> None:
    timeout = template.only("AWS::Lambda::Function", "Create")["Timeout"]
    assert timeout == FUNCTION_TIMEOUT.to_seconds()
    assert template.named("CreateQueue")[1]["VisibilityTimeout"] >= 6 * timeout


def test_only_the_failed_requests_of_a_batch_come_back(template: Synthesized) -> None:
    mapping = template.only("AWS::Lambda::EventSourceMapping")
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["EventSourceArn"] == template.named("CreateQueue")[0]
    assert mapping["BatchSize"] == 10


def test_lightsail_is_called_by_two_functions_at_most(template: Synthesized) -> None:
    assert template.only("AWS::Lambda::EventSourceMapping")["ScalingConfig"] == {"MaximumConcurrency": 2}


def test_the_concurrency_is_a_setting(everything: Synthesized) -> None:
    mapping = everything.only("AWS::Lambda::EventSourceMapping", "Create")
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 7}


def test_the_queues_are_encrypted(template: Synthesized) -> None:
    queues = [template.named(name)[1] for name in ("CreateQueue", "CreateDeadLetterQueue")]
    assert [queue["SqsManagedSseEnabled"] for queue in queues] == [True, True]


def test_only_the_rule_may_send_to_the_queues_and_only_over_tls(template: Synthesized) -> None:
    rule = template.arn(template.id_of("AWS::Events::Rule", "Create"))
    policies = template.of_type("AWS::SQS::QueuePolicy")
    assert {queue for policy in policies.values() for queue in policy["Queues"]} == set(template.of_type(QUEUE))
    for policy in (policy for name, policy in policies.items() if name.startswith("Create")):
        (queue,) = policy["Queues"]
        deny, allow = policy["PolicyDocument"]["Statement"]
        assert deny == {
            "Effect": "Deny",
            "Principal": {"AWS": "*"},
            "Action": "sqs:*",
            "Resource": template.arn(queue),
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
        assert allow["Effect"] == "Allow"
        assert allow["Principal"] == {"Service": "events.amazonaws.com"}
        assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": [rule]}}
        assert allow["Resource"] == template.arn(queue)


def test_nobody_may_invoke_the_function_but_its_queue(template: Synthesized) -> None:
    permissions = template.of_type("AWS::Lambda::Permission").values()
    function = template.arn(template.id_of("AWS::Lambda::Function", "Create"))
    assert [permission for permission in permissions if permission["FunctionName"] == function] == []
    assert template.of_type("AWS::Lambda::Url") == {}


def test_the_function_runs_what_is_tested(template: Synthesized) -> None:
    function = template.only("AWS::Lambda::Function", "Create")
    assert function["Handler"] == "lightsail_snapshots.create.handler"
    assert function["Runtime"] == "python3.13"
    assert function["Architectures"] == ["arm64"]
    assert function["MemorySize"] == 512


def test_the_function_is_told_its_regions_the_bus_and_when_the_queue_gives_up(two_regions: Synthesized) -> None:
    variables = two_regions.only("AWS::Lambda::Function", "Create")["Environment"]["Variables"]
    settings = ReconcilerSettings.from_environment({**variables, "AWS_REGION": REGION})
    assert settings.event_bus_name == two_regions.bus
    assert settings.regions == ("eu-central-1", "us-east-1")
    assert settings.max_receive_count == MAX_RECEIVE_COUNT


def test_logs_and_metrics_bear_our_names(template: Synthesized) -> None:
    variables = template.only("AWS::Lambda::Function", "Create")["Environment"]["Variables"]
    assert variables["POWERTOOLS_SERVICE_NAME"] == "lightsail-snapshots"
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "LightsailSnapshots"


def test_logs_are_json_at_info_in_a_group_that_expires(template: Synthesized) -> None:
    log_group = template.id_of("AWS::Logs::LogGroup", "Create")
    function = template.only("AWS::Lambda::Function", "Create")
    assert function["LoggingConfig"] == {"LogFormat": "JSON", "ApplicationLogLevel": "INFO", "LogGroup": log_group}
    assert function["Environment"]["Variables"]["POWERTOOLS_LOG_LEVEL"] == "INFO"
    assert template.only("AWS::Logs::LogGroup", "Create")["RetentionInDays"] == 90


def test_lightsail_is_granted_by_these_statements_alone(two_regions: Synthesized) -> None:
    statements = statements_of(two_regions, "Create")
    granted = [statement for statement in statements if "lightsail" in json.dumps(statement["Action"])]
    assert granted == [
        {
            "Sid": "CreateWithOurTag",
            "Effect": "Allow",
            "Action": "lightsail:CreateInstanceSnapshot",
            "Resource": [
                f"arn:aws:lightsail:eu-central-1:{ACCOUNT}:Instance/*",
                f"arn:aws:lightsail:us-east-1:{ACCOUNT}:Instance/*",
            ],
            "Condition": WITH_OUR_TAG,
        },
        {
            "Sid": "TagWithOurTag",
            "Effect": "Allow",
            "Action": "lightsail:TagResource",
            "Resource": [
                f"arn:aws:lightsail:eu-central-1:{ACCOUNT}:InstanceSnapshot/*",
                f"arn:aws:lightsail:us-east-1:{ACCOUNT}:InstanceSnapshot/*",
            ],
            "Condition": WITH_OUR_TAG,
        },
        {
            "Sid": "Read",
            "Effect": "Allow",
            "Action": ["lightsail:GetInstance", "lightsail:GetInstanceSnapshot"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestedRegion": ["eu-central-1", "us-east-1"]}},
        },
    ]


def test_only_lightsails_reads_are_granted_on_every_resource(two_regions: Synthesized) -> None:
    statements = statements_of(two_regions, "Create")
    assert [statement["Sid"] for statement in statements if "*" in statement["Resource"][:1]] == ["Read"]


def test_the_role_sends_to_the_dead_letter_queue_and_receives_from_the_other(two_regions: Synthesized) -> None:
    resources = {
        json.dumps(statement["Action"]): statement["Resource"]
        for statement in statements_of(two_regions, "Create")
        if "sqs:" in json.dumps(statement["Action"])
    }
    assert resources.pop('"sqs:SendMessage"') == two_regions.named("CreateDeadLetterQueue")[0]
    assert list(resources.values()) == [two_regions.named("CreateQueue")[0]]


def test_the_role_has_no_managed_policy_and_is_for_lambda_alone(two_regions: Synthesized) -> None:
    role = two_regions.only("AWS::IAM::Role", "Create")
    assert {"ManagedPolicyArns", "Policies"}.isdisjoint(role)
    (trust,) = role["AssumeRolePolicyDocument"]["Statement"]
    assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}
    arn = two_regions.arn(two_regions.id_of("AWS::IAM::Role", "Create"))
    assert two_regions.only("AWS::Lambda::Function", "Create")["Role"] == arn


def test_policy_and_code_mean_the_same_tag() -> None:
    assert {f"aws:RequestTag/{MANAGED_BY_KEY}": MANAGED_BY} == WITH_OUR_TAG["StringEquals"]
