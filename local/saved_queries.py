"""Teaches MiniStack's CloudFormation the type AWS::Logs::QueryDefinition: it is taken, and nothing comes of it.

MiniStack has no store for saved queries, and refuses a template that has one. The names used here are MiniStack's
private ones, hence its exact pin in requirements-dev.in.
"""

from collections.abc import Mapping
from typing import Any

from ministack.services.cloudformation import provisioners  # type: ignore[import-untyped]  # MiniStack has no types


def register() -> None:
    """Adds the type; to be called once, before MiniStack serves."""
    provisioners._RESOURCE_HANDLERS["AWS::Logs::QueryDefinition"] = {"create": _create, "delete": _delete}


def _create(_logical_id: str, properties: Mapping[str, Any], _stack: str) -> tuple[str, dict[str, str]]:
    name = str(properties["Name"])
    return name, {"QueryDefinitionId": name}


def _delete(_physical_id: str, _properties: Mapping[str, Any]) -> None:
    pass
