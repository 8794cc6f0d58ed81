"""MiniStack's door: the caller's policy decides, on the resource, its tags and those of the request."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import boto3
import pytest

from tests.emulator.builders import CREATE, error_of, make_instance, make_snapshot, snapshot, snapshot_names
from tests.emulator.endpoints import KEYS, REGION, HttpEndpoint, Lightsail, client

ACCOUNT = "123456789012"
OURS = [{"key": "managed-by", "value": "us"}]
As = Callable[..., Lightsail]
_numbers = count()


@pytest.fixture
def root(ministack_endpoint: HttpEndpoint) -> Lightsail:
    """The account's root, who may do all."""
    return client(ministack_endpoint)


@pytest.fixture
def as_user(ministack_endpoint: HttpEndpoint) -> Iterator[As]:
    """Makes a client of a user who may do what the statement allows, less what `deny` denies, and nothing else."""
    make: Any = boto3.client  # the stubs want every keyword spelt out
    iam = make("iam", "us-east-1", endpoint_url=ministack_endpoint.url, **KEYS)

    def user(actions: str | list[str], resource: str = "*", **more: Any) -> Lightsail:
        name = f"user-{next(_numbers)}"
        region, deny = more.pop("region", REGION), more.pop("deny", "sqs:*")
        iam.create_user(UserName=name)
        statements = [
            {"Effect": "Allow", "Action": actions, "Resource": resource, **more},
            {"Effect": "Deny", "Action": deny, "Resource": "*"},
        ]
        policy = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        return client(ministack_endpoint, region, **keys)

    yield user
    iam.close()


def create(lightsail: Lightsail, **request: Any) -> str | None:
    """The name of the error that creating snap-1 ends in."""
    try:
        return str(error_of(lightsail.create_instance_snapshot, **(CREATE | request))["name"])
    except AssertionError:
        return None


def delete(lightsail: Lightsail, name: str) -> str | None:
    """The name of the error that deleting a snapshot ends in."""
    try:
        return str(error_of(lightsail.delete_instance_snapshot, instanceSnapshotName=name)["name"])
    except AssertionError:
        return None


def test_what_no_policy_allows_is_denied_in_lightsails_words(root: Lightsail, as_user: As) -> None:
    instance = make_instance(root)
    lightsail = as_user("lightsail:GetInstance")
    error = error_of(lightsail.create_instance_snapshot, **CREATE)
    assert (error["name"], error["status"]) == ("AccessDeniedException", 403)
    assert error["message"].startswith(f"User: arn:aws:iam::{ACCOUNT}:user/user-")
    wanted = f"is not authorized to perform: lightsail:CreateInstanceSnapshot on resource: {instance['arn']}"
    assert wanted in error["message"]
    assert snapshot_names(root) == []


def test_a_create_is_about_the_instances_arn(root: Lightsail, as_user: As) -> None:
    instance = make_instance(root)
    other = make_instance(root, "web-2")
    assert create(as_user("lightsail:CreateInstanceSnapshot", other["arn"])) == "AccessDeniedException"
    assert create(as_user("lightsail:CreateInstanceSnapshot", instance["arn"])) is None


def test_an_arn_of_another_region_does_not_allow_a_create(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    elsewhere = f"arn:aws:lightsail:us-east-1:{ACCOUNT}:Instance/*"
    assert create(as_user("lightsail:CreateInstanceSnapshot", elsewhere)) == "AccessDeniedException"


def test_a_create_can_be_made_to_need_a_tag(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    tagged = {"StringEquals": {"aws:RequestTag/managed-by": "us"}}
    lightsail = as_user("lightsail:CreateInstanceSnapshot", Condition=tagged)
    theirs = [{"key": "managed-by", "value": "them"}]
    assert create(lightsail) == create(lightsail, tags=theirs) == "AccessDeniedException"
    assert create(lightsail, tags=OURS) is None


def test_a_create_can_be_held_to_certain_tag_keys(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["managed-by"]}}
    lightsail = as_user("lightsail:CreateInstanceSnapshot", Condition=only)
    assert create(lightsail, tags=[*OURS, {"key": "env"}]) == "AccessDeniedException"
    assert create(lightsail, tags=OURS) is None


def test_a_create_can_be_held_to_instances_with_a_tag(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    tagged = {"StringEquals": {"aws:ResourceTag/backup": "yes"}}
    lightsail = as_user("lightsail:CreateInstanceSnapshot", Condition=tagged)
    assert create(lightsail) == "AccessDeniedException"
    root.tag_resource(resourceName="web-1", tags=[{"key": "backup", "value": "yes"}])
    assert create(lightsail) is None


def test_calls_can_be_held_to_a_region(ministack_endpoint: HttpEndpoint, as_user: As) -> None:
    make_instance(client(ministack_endpoint, "us-east-1"))
    make_instance(client(ministack_endpoint))
    here = {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}
    allowed = {"actions": "lightsail:CreateInstanceSnapshot", "Condition": here}
    assert create(as_user(**allowed, region="us-east-1")) == "AccessDeniedException"
    assert create(as_user(**allowed)) is None


def test_a_missing_instance_is_not_found_by_who_may_snapshot_all_and_denied_to_who_may_one(
    root: Lightsail, as_user: As
) -> None:
    instance = make_instance(root)
    all_of_them = f"arn:aws:lightsail:*:{ACCOUNT}:Instance/*"
    lightsail = as_user("lightsail:CreateInstanceSnapshot", all_of_them)
    assert create(lightsail, instanceName="nope") == "NotFoundException"
    lightsail = as_user("lightsail:CreateInstanceSnapshot", instance["arn"])
    assert create(lightsail, instanceName="nope") == "AccessDeniedException"


def test_a_delete_is_about_the_snapshots_arn_and_its_tags(root: Lightsail, as_user: As) -> None:
    make_instance(root, tags=OURS)  # the instance's tags say nothing about its snapshots
    make_snapshot(root, "strangers")
    make_snapshot(root, "ours", tags=OURS)
    lightsail = as_user(
        "lightsail:DeleteInstanceSnapshot",
        f"arn:aws:lightsail:eu-central-1:{ACCOUNT}:InstanceSnapshot/*",
        Condition={"StringEquals": {"aws:ResourceTag/managed-by": "us"}},
    )
    assert delete(lightsail, "strangers") == "AccessDeniedException"
    assert delete(lightsail, "gone") == "AccessDeniedException"
    assert delete(lightsail, "ours") is None
    assert snapshot_names(root) == ["strangers"]


def test_tagging_is_about_the_resource_that_is_tagged(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    make_snapshot(root)
    snapshots = f"arn:aws:lightsail:*:{ACCOUNT}:InstanceSnapshot/*"
    lightsail = as_user(["lightsail:TagResource", "lightsail:UntagResource"], snapshots)
    lightsail.tag_resource(resourceName="snap-1", tags=OURS)
    assert snapshot(root)["tags"] == OURS
    lightsail.untag_resource(resourceName="snap-1", tagKeys=["managed-by"])
    assert error_of(lightsail.tag_resource, resourceName="web-1", tags=OURS)["name"] == "AccessDeniedException"


@pytest.mark.parametrize("resource", [f"arn:aws:lightsail:*:{ACCOUNT}:*", "*"])
def test_reads_and_copies_are_about_everything_or_are_denied(root: Lightsail, as_user: As, resource: str) -> None:
    make_instance(root)
    lightsail = as_user("lightsail:*", resource)
    copy = {"sourceSnapshotName": "nope", "sourceRegion": "us-east-1", "targetSnapshotName": "copy-1"}
    names = {
        error_of(lightsail.get_instance, instanceName="nope")["name"],
        error_of(lightsail.copy_snapshot, **copy)["name"],
    }
    assert names == {"NotFoundException" if resource == "*" else "AccessDeniedException"}


def test_a_denied_read_names_the_account_and_region(as_user: As) -> None:
    message = error_of(as_user("sqs:*").get_instances)["message"]
    assert f"lightsail:GetInstances on resource: arn:aws:lightsail:eu-central-1:{ACCOUNT}:*" in message


def test_an_explicit_deny_wins(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    assert create(as_user("lightsail:*", deny="lightsail:Create*")) == "AccessDeniedException"


def test_another_action_in_the_query_does_not_change_what_is_authorised(
    ministack_endpoint: HttpEndpoint, root: Lightsail, as_user: As
) -> None:
    make_instance(root)
    reader = as_user("lightsail:GetInstances")
    reader.meta.events.register("before-sign", lambda request, **_: request.params.update(Action="GetInstances"))
    assert create(reader) == "AccessDeniedException"
    assert ministack_endpoint.tell("state", "GET")["accounts"][ACCOUNT]["eu-central-1"]["instanceSnapshots"] == {}


def test_a_wrong_signature_is_refused(ministack_endpoint: HttpEndpoint, as_user: As) -> None:
    user: Any = as_user("lightsail:*")
    assert user.get_instances()["instances"] == []
    known = user._request_signer._credentials.access_key
    impostor = client(ministack_endpoint, aws_access_key_id=known, aws_secret_access_key="guessed")
    assert error_of(impostor.get_instances)["name"] == "InvalidSignatureException"


def test_a_request_without_a_signature_is_refused(ministack_endpoint: HttpEndpoint) -> None:
    target = {"X-Amz-Target": "Lightsail_20161128.GetInstances"}
    status, body = ministack_endpoint.ask("POST", "/", "{}", **target)
    assert (status, json.loads(body)["__type"]) == (401, "UnauthenticatedException")


def test_an_operation_that_the_emulator_lacks_is_refused_by_name_to_everybody(as_user: As) -> None:
    assert "GetDisks" in error_of(as_user("sqs:*").get_disks)["message"]


def test_ministacks_own_reset_forgets_lightsails_resources(ministack_endpoint: HttpEndpoint, root: Lightsail) -> None:
    make_instance(root)
    assert ministack_endpoint.ask("POST", "/_ministack/reset")[0] == 200
    assert root.get_instances()["instances"] == []
