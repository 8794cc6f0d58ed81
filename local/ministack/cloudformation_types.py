"""Adds types to MiniStack's CloudFormation, which rejects them, and names log groups as AWS does.

It also rejects a second schedule or alarm of a name, as AWS does: MiniStack would overwrite the first one, and delete
both when the first one leaves its template.

MiniStack itself has archives, replays, and API destinations with their connections. It shows the policy of a bus, but
enforces none. It has no saved queries at all, so a query is accepted and not stored. Nor is an alarm on an expression,
since MiniStack evaluates none. This module uses private names of MiniStack, which is why requirements-dev.in pins it
exactly.
"""

import json
from collections.abc import Callable, Container, Mapping
from functools import partial
from typing import Any

from ministack.services import cloudwatch, eventbridge, scheduler  # type: ignore[import-untyped]  # it has no types
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]


def register() -> None:
    """Add the types; call this once, before MiniStack serves."""
    provisioners._RESOURCE_HANDLERS["AWS::Events::Archive"] = {
        "create": _create_archive,
        "delete": _delete_archive,
    }
    provisioners._RESOURCE_HANDLERS["AWS::Events::ApiDestination"] = {
        "create": _create_api_destination,
        "delete": _delete_api_destination,
    }
    provisioners._RESOURCE_HANDLERS["AWS::Events::Connection"] = {
        "create": _create_connection,
        "delete": _delete_connection,
    }
    provisioners._RESOURCE_HANDLERS["AWS::Events::EventBusPolicy"] = {
        "create": _create_bus_policy,
        "delete": _delete_bus_policy,
    }
    provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {"create": _create_query, "delete": _delete_query}
    alarm = provisioners._RESOURCE_HANDLERS["AWS::CloudWatch::Alarm"]
    alarm["create"] = partial(_create_alarm, alarm["create"])
    schedule = provisioners._RESOURCE_HANDLERS["AWS::Scheduler::Schedule"]
    schedule["create"] = partial(_create_schedule, schedule["create"])
    log_group = provisioners._RESOURCE_HANDLERS["AWS::Logs::LogGroup"]
    log_group["create"] = partial(_create_log_group, log_group["create"])
    log_group["update"] = partial(_update_log_group, log_group["update"])


def _create_alarm(
    create: Callable[..., tuple[str, dict[str, str]]], logical_id: str, properties: Mapping[str, Any], stack: str
) -> tuple[str, dict[str, str]]:
    _check_is_new("AWS::CloudWatch::Alarm", properties.get("AlarmName"), cloudwatch._alarms)
    if "Metrics" not in properties:
        return create(logical_id, properties, stack)
    name = str(properties["AlarmName"])
    arn = f"arn:aws:cloudwatch:{provisioners.get_region()}:{provisioners.get_account_id()}:alarm:{name}"
    return name, {"Arn": arn}


def _create_schedule(
    create: Callable[..., tuple[str, dict[str, str]]], logical_id: str, properties: Mapping[str, Any], stack: str
) -> tuple[str, dict[str, str]]:
    name = f"{properties.get('GroupName', 'default')}/{properties.get('Name')}"
    _check_is_new("AWS::Scheduler::Schedule", name, scheduler._schedules)
    return create(logical_id, properties, stack)


def _check_is_new(kind: str, name: object, existing: Container[object]) -> None:
    if name in existing:
        raise ValueError(f"Resource of type '{kind}' with identifier '{name}' already exists.")


def _create_log_group(
    create: Callable[..., tuple[str, dict[str, str]]], logical_id: str, properties: Mapping[str, Any], stack: str
) -> tuple[str, dict[str, str]]:
    """Name a log group without a name as CloudFormation does; MiniStack would begin it with /aws/cloudformation."""
    named = {"LogGroupName": provisioners._physical_name(stack, logical_id), **properties}
    return create(logical_id, named, stack)


def _update_log_group(
    update: Callable[..., tuple[str, dict[str, str]]],
    name: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    *more: Any,
) -> tuple[str, dict[str, str]]:
    return update(name, {"LogGroupName": name, **old}, {"LogGroupName": name, **new}, *more)


def _create_archive(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    """Return the values of `Ref` and `Fn::GetAtt`: the name and the ARN (CloudFormation's reference of the type)."""
    name = properties["ArchiveName"]
    response = eventbridge._create_archive(
        {
            "ArchiveName": name,
            "EventSourceArn": properties["SourceArn"],
            "RetentionDays": int(properties.get("RetentionDays", 0)),
            "Description": properties.get("Description", ""),
            "EventPattern": json.dumps(properties["EventPattern"]) if "EventPattern" in properties else "",
        }
    )
    return name, {"ArchiveName": name, "Arn": _answer("AWS::Events::Archive", response)["ArchiveArn"]}


def _delete_archive(physical_id: str, _properties: Mapping[str, Any]) -> None:
    eventbridge._delete_archive({"ArchiveName": physical_id})


def _create_api_destination(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    answer = _answer("AWS::Events::ApiDestination", eventbridge._create_api_destination(properties))
    return properties["Name"], {"Arn": answer["ApiDestinationArn"], "ArnForPolicy": answer["ApiDestinationArn"]}


def _delete_api_destination(physical_id: str, _properties: Mapping[str, Any]) -> None:
    eventbridge._delete_api_destination({"Name": physical_id})


def _create_connection(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    answer = _answer("AWS::Events::Connection", eventbridge._create_connection(properties))
    return properties["Name"], {"Arn": answer["ConnectionArn"]}


def _delete_connection(physical_id: str, _properties: Mapping[str, Any]) -> None:
    eventbridge._delete_connection({"Name": physical_id})


def _answer(kind: str, response: tuple[int, Any, bytes]) -> dict[str, Any]:
    status, _, body = response
    if status != 200:
        raise ValueError(f"{kind}: {body!r}")
    return dict(json.loads(body))


def _create_bus_policy(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    bus, sid = properties["EventBusName"], properties["StatementId"]
    policy = eventbridge._event_bus_policies.setdefault(bus, {"Version": "2012-10-17", "Statement": []})
    others = [statement for statement in policy["Statement"] if statement["Sid"] != sid]
    policy["Statement"] = [*others, {"Sid": sid, **properties["Statement"]}]
    return f"{bus}|{sid}", {}


def _delete_bus_policy(_physical_id: str, properties: Mapping[str, Any]) -> None:
    eventbridge._remove_permission(properties)


def _create_query(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    name = str(properties["Name"])
    return name, {"QueryDefinitionId": name}


def _delete_query(_physical_id: str, _properties: Mapping[str, Any]) -> None:
    pass
