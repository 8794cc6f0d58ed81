"""IAM for the fake AWS: the policy of a session decides on each call to the emulator, as in the local AWS."""

import json
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError
from ministack.core.iam_evaluator import (  # type: ignore[import-untyped]  # MiniStack has no types
    EvalContext,
    evaluate,
    parse_policy_document,
)

from local.lightsail.authorization import authorizations
from local.lightsail.emulator import DEFAULT_ACCOUNT, Call, Emulator

USER = f"arn:aws:iam::{DEFAULT_ACCOUNT}:user/jane.doe"


def client_maker(emulator: Emulator) -> Callable[[str, Mapping[str, str], str], Any]:
    """Return what stands for `doctor.role.make_client`."""

    def make(region: str, _: Mapping[str, str], policy: str) -> Any:
        client: Any = boto3.client("lightsail", region_name=region)
        restrict(client, emulator, policy)
        return client

    return make


def restrict(client: Any, emulator: Emulator, policy: str | dict[str, Any]) -> None:
    """Let a policy decide on each call of a client."""
    statements = parse_policy_document(policy)
    region = client.meta.region_name

    def decide(params: dict[str, Any], model: Any, **_: Any) -> None:
        parameters = json.loads(params["body"] or b"{}")
        with emulator.lock:
            needed = authorizations(emulator.region(region), Call(model.name, parameters, region))
        for each in needed:
            context = EvalContext(
                USER, "User", DEFAULT_ACCOUNT, each.action, each.resource, region, service_context=dict(each.context)
            )
            if evaluate(context, [statements]).decision != "Allow":
                raise denial(each.action, model.name, each.resource)

    client.meta.events.register("before-call.lightsail", decide)


def denial(action: str, operation: str, resource: str = "*") -> ClientError:
    """Return the error of a call that IAM denies."""
    text = f"User: {USER} is not authorized to perform: {action} on resource: {resource}"
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": text}}, operation)
