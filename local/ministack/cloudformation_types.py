"""Adds the types AWS::Events::Archive and AWS::Logs::QueryDefinition to MiniStack's CloudFormation.

MiniStack has archives and replays, but its CloudFormation rejects them. It has no saved queries at all, so a query is
accepted and not stored. This module uses private names of MiniStack, which is why requirements-dev.in pins it exactly.
"""

import json
from collections.abc import Mapping
from typing import Any

from ministack.services import eventbridge  # type: ignore[import-untyped]  # MiniStack has no types
from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]


def register() -> None:
    """Add the types; call this once, before MiniStack serves."""
    provisioners._RESOURCE_HANDLERS["AWS::Events::Archive"] = {
        "create": _create_archive,
        "delete": _delete_archive,
    }
    provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {"create": _create_query, "delete": _delete_query}


def _create_archive(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    """Return the values of `Ref` and `Fn::GetAtt`: the name and the ARN (CloudFormation's reference of the type)."""
    name = properties["ArchiveName"]
    status, _, body = eventbridge._create_archive(
        {
            "ArchiveName": name,
            "EventSourceArn": properties["SourceArn"],
            "RetentionDays": int(properties.get("RetentionDays", 0)),
            "Description": properties.get("Description", ""),
            "EventPattern": json.dumps(properties["EventPattern"]) if "EventPattern" in properties else "",
        }
    )
    if status != 200:
        raise ValueError(f"AWS::Events::Archive {name}: {body!r}")
    return name, {"ArchiveName": name, "Arn": json.loads(body)["ArchiveArn"]}


def _delete_archive(physical_id: str, _properties: Mapping[str, Any]) -> None:
    eventbridge._delete_archive({"ArchiveName": physical_id})


def _create_query(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    name = str(properties["Name"])
    return name, {"QueryDefinitionId": name}


def _delete_query(_physical_id: str, _properties: Mapping[str, Any]) -> None:
    pass
