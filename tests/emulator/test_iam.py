"""The MiniStack endpoint: the caller's policy decides, on the resource, its tags and the request's tags."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import boto3
import pytest

from tests.emulator.builders import CREATE, error_from, make_instance, make_snapshot, snapshot, snapshot_names
from tests.emulator.endpoints import KEYS, REGION, HttpEndpoint, Lightsail, client

ACCOUNT = "123456789012"
OURS = [{"key": "managed-by", "value": "us"}]
As = Callable[..., Lightsail]
_numbers = count()


@pytest.fixture
def root(ministack: HttpEndpoint) -> Lightsail:
    """The account's root user, who can do everything."""
    return client(ministack)


@pytest.fixture
def as_user(ministack: HttpEndpoint) -> Iterator[As]:
    """Creates a user with a policy that allows `actions` and denies `deny`, and returns their client."""
    make: Any = boto3.client  # the stubs do not allow **KEYS
    iam = make("iam", "us-east-1", endpoint_url=ministack.url, **KEYS)

    def user(actions: str | list[str], resource: str | list[str] = "*", **more: Any) -> Lightsail:
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
        return client(ministack, region, **keys)

    yield user
    iam.close()


def create(lightsail: Lightsail, **request: Any) -> str | None:
    """Create snap-1, and return the name of the error or None."""
    try:
        return str(error_from(lightsail.create_instance_snapshot, **(CREATE | request))["name"])
    except AssertionError:
        return None


def delete(lightsail: Lightsail, name: str) -> str | None:
    """Delete a snapshot, and return the name of the error or None."""
    try:
        return str(error_from(lightsail.delete_instance_snapshot, instanceSnapshotName=name)["name"])
    except AssertionError:
        return None


def test_denial_has_lightsails_message(root: Lightsail, as_user: As) -> None:
    instance = make_instance(root)
    lightsail = as_user("lightsail:GetInstance")
    error = error_from(lightsail.create_instance_snapshot, **CREATE)
    assert (error["name"], error["status"]) == ("AccessDeniedException", 403)
    assert error["message"].startswith(f"User: arn:aws:iam::{ACCOUNT}:user/user-")
    wanted = f"is not authorized to perform: lightsail:CreateInstanceSnapshot on resource: {instance['arn']}"
    assert wanted in error["message"]
    assert snapshot_names(root) == []


def test_create_is_authorized_on_the_instance_arn(root: Lightsail, as_user: As) -> None:
    instance = make_instance(root)
    other = make_instance(root, "web-2")
    assert create(as_user("lightsail:CreateInstanceSnapshot", other["arn"])) == "AccessDeniedException"
    assert create(as_user("lightsail:CreateInstanceSnapshot", instance["arn"])) is None


def test_create_is_denied_when_the_policy_names_another_region(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    elsewhere = f"arn:aws:lightsail:us-east-1:{ACCOUNT}:Instance/*"
    assert create(as_user("lightsail:CreateInstanceSnapshot", elsewhere)) == "AccessDeniedException"


def test_create_is_allowed_only_with_the_request_tag_of_the_policy(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    tagged = {"StringEquals": {"aws:RequestTag/managed-by": "us"}}
    lightsail = as_user("lightsail:CreateInstanceSnapshot", Condition=tagged)
    theirs = [{"key": "managed-by", "value": "them"}]
    assert create(lightsail) == create(lightsail, tags=theirs) == "AccessDeniedException"
    assert create(lightsail, tags=OURS) is None


def test_create_is_denied_when_two_tag_keys_differ_only_by_case(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    for operator in ("StringEquals", "StringEqualsIfExists", "StringLike"):
        condition = {operator: {"aws:RequestTag/managed-by": "us*" if operator == "StringLike" else "us"}}
        lightsail = as_user("lightsail:CreateInstanceSnapshot", Condition=condition)
        for value in ("us", "them"):
            both = [*OURS, {"key": "Managed-By", "value": value}]
            assert create(lightsail, tags=both) == "AccessDeniedException"
    assert create(lightsail, tags=[{"key": "Managed-By", "value": "us"}]) is None


def test_delete_ignores_the_case_of_tag_keys_but_denies_two_cases(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    make_snapshot(root, "one-case", tags=[{"key": "Managed-By", "value": "us"}])
    make_snapshot(root, "two-cases", tags=[*OURS, {"key": "Managed-By", "value": "us"}])
    for operator in ("StringEquals", "StringEqualsIfExists"):
        condition = {operator: {"aws:ResourceTag/managed-by": "us"}}
        lightsail = as_user("lightsail:DeleteInstanceSnapshot", Condition=condition)
        assert delete(lightsail, "two-cases") == "AccessDeniedException"
    assert delete(lightsail, "one-case") is None


def test_delete_ignores_the_case_of_the_policys_tag_key(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    make_snapshot(root, "ours", tags=OURS)
    lightsail = as_user(
        "lightsail:DeleteInstanceSnapshot", Condition={"StringEquals": {"AWS:resourcetag/Managed-By": "us"}}
    )
    assert delete(lightsail, "ours") is None


def test_create_is_denied_when_a_tag_key_is_not_in_the_policy(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    only = {"ForAllValues:StringEquals": {"aws:TagKeys": ["managed-by"]}}
    lightsail = as_user("lightsail:CreateInstanceSnapshot", Condition=only)
    assert create(lightsail, tags=[*OURS, {"key": "env"}]) == "AccessDeniedException"
    assert create(lightsail, tags=OURS) is None


def test_create_is_allowed_only_on_instances_with_the_policys_tag(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    tagged = {"StringEquals": {"aws:ResourceTag/backup": "yes"}}
    lightsail = as_user("lightsail:CreateInstanceSnapshot", Condition=tagged)
    assert create(lightsail) == "AccessDeniedException"
    root.tag_resource(resourceName="web-1", tags=[{"key": "backup", "value": "yes"}])
    assert create(lightsail) is None


def test_call_is_denied_outside_the_policys_region(ministack: HttpEndpoint, as_user: As) -> None:
    make_instance(client(ministack, "us-east-1"))
    make_instance(client(ministack))
    here = {"StringEquals": {"aws:RequestedRegion": "eu-central-1"}}
    allowed = {"actions": "lightsail:CreateInstanceSnapshot", "Condition": here}
    assert create(as_user(**allowed, region="us-east-1")) == "AccessDeniedException"
    assert create(as_user(**allowed)) is None


def test_missing_instance_is_denied_when_the_policy_names_one_arn(root: Lightsail, as_user: As) -> None:
    instance = make_instance(root)
    all_of_them = f"arn:aws:lightsail:*:{ACCOUNT}:Instance/*"
    lightsail = as_user("lightsail:CreateInstanceSnapshot", all_of_them)
    assert create(lightsail, instanceName="nope") == "NotFoundException"
    lightsail = as_user("lightsail:CreateInstanceSnapshot", instance["arn"])
    assert create(lightsail, instanceName="nope") == "AccessDeniedException"


def test_delete_is_authorized_on_the_snapshot_arn_and_tags(root: Lightsail, as_user: As) -> None:
    make_instance(root, tags=OURS)  # only the snapshot's own tags count
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


def test_tagging_is_authorized_on_the_tagged_resource(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    make_snapshot(root)
    snapshots = f"arn:aws:lightsail:*:{ACCOUNT}:InstanceSnapshot/*"
    lightsail = as_user(["lightsail:TagResource", "lightsail:UntagResource"], snapshots)
    lightsail.tag_resource(resourceName="snap-1", tags=OURS)
    assert snapshot(root)["tags"] == OURS
    lightsail.untag_resource(resourceName="snap-1", tagKeys=["managed-by"])
    assert error_from(lightsail.tag_resource, resourceName="web-1", tags=OURS)["name"] == "AccessDeniedException"


def test_attach_static_ip_needs_permission_for_both_resources(root: Lightsail, as_user: As) -> None:
    instance = make_instance(root)
    root.allocate_static_ip(staticIpName="ip-1")
    static_ip = root.get_static_ip(staticIpName="ip-1")["staticIp"]
    attach = {"staticIpName": "ip-1", "instanceName": "web-1"}
    for arn in (instance["arn"], static_ip["arn"]):
        lightsail = as_user("lightsail:AttachStaticIp", arn)
        assert error_from(lightsail.attach_static_ip, **attach)["name"] == "AccessDeniedException"
    as_user("lightsail:AttachStaticIp", [instance["arn"], static_ip["arn"]]).attach_static_ip(**attach)
    assert root.get_static_ip(staticIpName="ip-1")["staticIp"]["isAttached"]


def test_ports_are_authorized_on_the_instance(root: Lightsail, as_user: As) -> None:
    instance = make_instance(root)
    put = {"instanceName": "web-1", "portInfos": []}
    other = as_user("lightsail:PutInstancePublicPorts", f"arn:aws:lightsail:*:{ACCOUNT}:StaticIp/*")
    assert error_from(other.put_instance_public_ports, **put)["name"] == "AccessDeniedException"
    as_user("lightsail:PutInstancePublicPorts", instance["arn"]).put_instance_public_ports(**put)


def test_reads_and_copies_need_a_policy_on_all_resources(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    copy = {"sourceSnapshotName": "nope", "sourceRegion": "us-east-1", "targetSnapshotName": "copy-1"}
    for resource, name in (("*", "NotFoundException"), (f"arn:aws:lightsail:*:{ACCOUNT}:*", "AccessDeniedException")):
        lightsail = as_user("lightsail:*", resource)
        assert error_from(lightsail.get_instance, instanceName="nope")["name"] == name
        assert error_from(lightsail.copy_snapshot, **copy)["name"] == name


def test_denied_read_names_the_account_and_region(as_user: As) -> None:
    message = error_from(as_user("sqs:*").get_instances)["message"]
    assert f"lightsail:GetInstances on resource: arn:aws:lightsail:eu-central-1:{ACCOUNT}:*" in message


def test_explicit_deny_overrides_allow(root: Lightsail, as_user: As) -> None:
    make_instance(root)
    assert create(as_user("lightsail:*", deny="lightsail:Create*")) == "AccessDeniedException"


def test_authorization_ignores_an_action_in_the_query(ministack: HttpEndpoint, root: Lightsail, as_user: As) -> None:
    make_instance(root)
    reader = as_user("lightsail:GetInstances")
    reader.meta.events.register("before-sign", lambda request, **_: request.params.update(Action="GetInstances"))
    assert create(reader) == "AccessDeniedException"
    assert ministack.control("state", "GET")["accounts"][ACCOUNT]["eu-central-1"]["instanceSnapshots"] == {}


def test_wrong_signature_is_rejected(ministack: HttpEndpoint, as_user: As) -> None:
    user: Any = as_user("lightsail:*")
    assert user.get_instances()["instances"] == []
    known = user._request_signer._credentials.access_key
    impostor = client(ministack, aws_access_key_id=known, aws_secret_access_key="guessed")
    assert error_from(impostor.get_instances)["name"] == "InvalidSignatureException"


def test_request_without_a_signature_is_rejected(ministack: HttpEndpoint) -> None:
    target = {"X-Amz-Target": "Lightsail_20161128.GetInstances"}
    status, body = ministack.request("POST", "/", "{}", **target)
    assert (status, json.loads(body)["__type"]) == (401, "UnauthenticatedException")


def test_missing_operation_is_rejected_by_name_without_permission(as_user: As) -> None:
    assert "GetDomains" in error_from(as_user("sqs:*").get_domains)["message"]


def test_ministack_reset_deletes_lightsails_resources(ministack: HttpEndpoint, root: Lightsail) -> None:
    make_instance(root)
    assert ministack.request("POST", "/_ministack/reset")[0] == 200
    assert root.get_instances()["instances"] == []
