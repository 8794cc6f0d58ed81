"""Makes MiniStack's IAM decide on the resources that AWS decides on: schedules in their group, rules, and logs.

MiniStack takes every schedule for one of the default group, and calls on the targets of a rule for calls on its bus.
AWS decides on FilterLogEvents by an ARN that ends in `:log-stream:`, so that `log-group:NAME:*` matches it.
This module uses private names of MiniStack, which is why requirements-dev.in pins it exactly.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.core import iam_actions  # type: ignore[import-untyped]  # MiniStack has no types

_extract = iam_actions.extract_resource_arn


def register() -> None:
    """Replace the function that finds the resource of a call; call this once, before MiniStack serves."""
    iam_actions.extract_resource_arn = resource_arn


def resource_arn(  # noqa: PLR0913, PLR0917  MiniStack's signature
    service: str,
    method: str,
    path: str,
    headers: Mapping[str, str],
    body: bytes,
    query: Mapping[str, Any],
    region: str,
    account: str,
) -> str:
    if service == "scheduler" and (group := query.get("groupName")):
        name = path.rpartition("/")[2]
        return f"arn:aws:scheduler:{region}:{account}:schedule/{_first(group)}/{name}"
    if service == "events" and b'"Rule"' in body:
        request = json.loads(body)
        bus = request.get("EventBusName", "default")
        return f"arn:aws:events:{region}:{account}:rule/{'' if bus == 'default' else f'{bus}/'}{request['Rule']}"
    if service == "logs" and headers.get("x-amz-target", "").endswith(".FilterLogEvents"):
        return f"arn:aws:logs:{region}:{account}:log-group:{json.loads(body).get('logGroupName')}:log-stream:"
    return str(_extract(service, method, path, headers, body, query, region, account))


def _first(value: Any) -> str:
    return str(value[0] if isinstance(value, list) else value)
