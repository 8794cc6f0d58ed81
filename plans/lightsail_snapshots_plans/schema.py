"""Generates documents from the models: `python -m lightsail_snapshots_plans.schema`.

It writes docs/plans.schema.json, with which editors complete and check plans.toml, and the tables of docs/plans.md.
"""

import json
import re
from pathlib import Path
from typing import Any

from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from lightsail_snapshots_plans.file import as_toml
from lightsail_snapshots_plans.models import DrillTable, FileTable, KeepTable, PlanTable, ProbeTable, SelectTable, Table

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = DOCS / "plans.schema.json"
REFERENCE = DOCS / "plans.md"

_TABLES: dict[str, type[Table]] = {
    "plan": PlanTable,
    "select": SelectTable,
    "keep": KeepTable,
    "drill": DrillTable,
    "probe": ProbeTable,
    "file": FileTable,
}
_GENERATED = re.compile(r"(<!-- keys of (\w+), generated -->\n).*?(?=<!-- end -->)", re.DOTALL)


class _TomlSchema(GenerateJsonSchema):
    """TOML has no null, and a title would only repeat the key."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        inner = self.generate_inner(schema["schema"])
        return inner | {"default": schema["default"]} if _is_worth_showing(schema.get("default")) else inner


def plans_schema() -> str:
    """Return the JSON Schema of plans.toml."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"} | FileTable.model_json_schema(
        schema_generator=_TomlSchema
    )
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def with_tables(text: str) -> str:
    """Return docs/plans.md with the tables between its markers made anew."""
    return _GENERATED.sub(lambda match: match[1] + _reference(_TABLES[match[2]]), text)


def _reference(model: type[Table]) -> str:
    rows = [_row(name, field) for name, field in model.model_fields.items()]
    return "\n".join(["", "| key | example | |", "|---|---|---|", *rows, "", ""])


def _row(name: str, field: FieldInfo) -> str:
    examples = ", ".join(f"`{as_toml(example)}`" for example in field.examples or ())
    default = f" Default: `{as_toml(field.default)}`." if _is_worth_showing(field.default) else ""
    return f"| `{name}` | {examples} | {' '.join((field.description or '').split())}{default} |"


def _is_worth_showing(default: Any) -> bool:
    return default is False or (isinstance(default, str | int) and bool(default))


if __name__ == "__main__":
    SCHEMA.write_text(plans_schema(), encoding="utf-8")
    REFERENCE.write_text(with_tables(REFERENCE.read_text(encoding="utf-8")), encoding="utf-8")
