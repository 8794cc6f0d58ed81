"""The one logger and the one metrics object of a function."""

import json
from collections.abc import Mapping
from typing import Any

from aws_lambda_powertools import Logger, Metrics

from lightsail_snapshots.text import clean


def _serialize(fields: Mapping[str, Any]) -> str:
    """Write a log line: one line of JSON that any tool reads, also if a field has odd characters or values."""
    return json.dumps(_cleaned(fields), separators=(",", ":"), ensure_ascii=False)


def _cleaned(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {clean(str(key)): _cleaned(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(inner) for inner in value]
    return value if isinstance(value, bool | int | float | None) else clean(str(value))


# RFC 3339, else Lambda takes every line for INFO: "Log-level filtering" in its guide
logger = Logger(use_rfc3339=True, json_serializer=_serialize)
metrics = Metrics()
