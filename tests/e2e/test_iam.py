"""The role of create can do no more than its policy allows, even if the code tries."""

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.e2e.deployment import Deployment, tags_of

Policy = dict[str, Any]
Client = Callable[[str], Any]


@pytest.fixture
def change_policy(stack: Deployment) -> Iterator[Callable[[Callable[[Policy], None]], None]]:
    """A function that replaces the role's policy with a changed copy until the test ends."""
    iam = stack.aws.client("iam")
    (name,) = iam.list_role_policies(RoleName=stack.role)["PolicyNames"]
    original: Policy = iam.get_role_policy(RoleName=stack.role, PolicyName=name)["PolicyDocument"]

    def put(policy: Policy) -> None:
        iam.put_role_policy(RoleName=stack.role, PolicyName=name, PolicyDocument=json.dumps(policy))

    def replace(change: Callable[[Policy], None]) -> None:
        policy = copy.deepcopy(original)
        change(policy)
        assert policy != original
        put(policy)

    yield replace
    put(original)


def _create_statement(policy: Policy) -> Policy:
    (statement,) = [one for one in policy["Statement"] if one["Action"] == "lightsail:CreateInstanceSnapshot"]
    return dict(statement)


def without_create(policy: Policy) -> None:
    policy["Statement"].remove(_create_statement(policy))


def with_another_tag(policy: Policy) -> None:
    statement = _create_statement(policy)
    policy["Statement"].remove(statement)
    policy["Statement"].append(statement | {"Condition": {"StringEquals": {"aws:RequestTag/managed-by": "another"}}})


@pytest.mark.parametrize("change", [without_create, with_another_tag])
def test_request_fails_as_access_denied_when_the_role_lacks_the_permission(
    stack: Deployment, change_policy: Callable[[Callable[[Policy], None]], None], change: Callable[[Policy], None]
) -> None:
    change_policy(change)
    instance = stack.instance()

    (request,) = stack.request({"instanceName": instance})

    detail = stack.failed(request)
    assert detail["reason"] == "AccessDenied"
    assert "lightsail:CreateInstanceSnapshot" in detail["message"]
    assert stack.snapshots_of(instance) == []


def test_managed_by_of_an_instance_in_another_case_is_not_copied(stack: Deployment) -> None:
    instance = stack.instance(**{"Managed-By": "terraform", "team": "web"})

    (request,) = stack.request({"instanceName": instance})

    stack.available(request)
    (snapshot,) = stack.snapshots_of(instance)
    tags = tags_of(snapshot)
    assert {key: tags[key] for key in tags if key.lower() in ("managed-by", "team")} == {
        "managed-by": "lightsail-snapshots",
        "team": "web",
    }


@pytest.fixture
def as_role(stack: Deployment) -> Iterator[Client]:
    """A function that makes clients with the role's credentials."""
    with stack.acting_as(stack.role) as client:
        yield client


OURS = [{"key": "managed-by", "value": "lightsail-snapshots"}]

FORBIDDEN: dict[str, Callable[[Client, str], object]] = {
    "delete a snapshot, not even one of ours": lambda client, name: client("lightsail").delete_instance_snapshot(
        instanceSnapshotName=f"{name}-ours"
    ),
    "delete an instance": lambda client, name: client("lightsail").delete_instance(instanceName=name),
    "stop an instance": lambda client, name: client("lightsail").stop_instance(instanceName=name),
    "take a snapshot without our tag": lambda client, name: client("lightsail").create_instance_snapshot(
        instanceSnapshotName=f"{name}-untagged", instanceName=name
    ),
    "tag an instance": lambda client, name: client("lightsail").tag_resource(resourceName=name, tags=OURS),
    "put an event on another bus": lambda client, _: client("events").put_events(
        Entries=[{"Source": "lightsail-snapshots", "DetailType": "Instance Snapshot Available", "Detail": "{}"}]
    ),
}


@pytest.mark.parametrize("action", FORBIDDEN)
def test_role_cannot(stack: Deployment, as_role: Client, action: str) -> None:
    instance = stack.instance()
    as_role("lightsail").create_instance_snapshot(
        instanceSnapshotName=f"{instance}-ours", instanceName=instance, tags=OURS
    )

    with pytest.raises(ClientError, match="AccessDenied"):
        FORBIDDEN[action](as_role, instance)

    assert [snapshot["name"] for snapshot in stack.snapshots_of(instance)] == [f"{instance}-ours"]
