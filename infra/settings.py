"""What a user may set when deploying, read from the CDK context (`cdk.json`, or `cdk deploy -c key=value`)."""

import re
from dataclasses import dataclass
from typing import Any

from aws_cdk import Aws
from constructs import Node

MIN_CONCURRENCY = 2
MAX_CONCURRENCY = 1000
"""Bounds of an SQS event source's MaximumConcurrency: Lambda API reference, ScalingConfig."""


class SettingsError(ValueError):
    """Raised at synth when settings cannot be used; the message lists everything that is wrong."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one deployment."""

    regions: tuple[str, ...] = (Aws.REGION,)
    """Regions whose instances may be snapshotted; default: the one that the stack is deployed to."""
    copy_regions: tuple[str, ...] = ()
    """Regions that snapshots may be copied to; without any there is no `copy` at all."""
    create_concurrency: int = MIN_CONCURRENCY
    """How many `create` functions run at once: Lightsail's request rate is not published, so start low."""

    @classmethod
    def from_context(cls, node: Node) -> "Settings":
        """Read `regions`, `copy_regions` (a list, or comma separated) and `create_concurrency`.

        Raises SettingsError, which names everything that is wrong with them.
        """
        given = {name: node.try_get_context(name) for name in ("regions", "copy_regions", "create_concurrency")}
        settings = {name: value for name, value in given.items() if value is not None}
        problems = []
        for name in ("regions", "copy_regions"):
            if name in settings:
                settings[name] = _regions(settings[name])
                problems += _region_problems(name, settings[name])
        if "create_concurrency" in settings:
            settings["create_concurrency"], problem = _concurrency(settings["create_concurrency"])
            problems += problem
        if problems:
            raise SettingsError("\n".join(["The settings cannot be used:", *problems]))
        return cls(**settings)


def _regions(value: Any) -> tuple[str, ...]:
    """Split and strip what was written; a Region named twice counts once."""
    written = value if isinstance(value, list) else str(value).split(",")
    return tuple(dict.fromkeys(str(region).strip() for region in written))


def _region_problems(name: str, regions: tuple[str, ...]) -> list[str]:
    problems = [] if regions else [f"{name}: is empty; name at least one Region, or leave it out"]
    for region in regions:
        if zone := re.fullmatch(r"([a-z]{2}(?:-[a-z]+)+-\d)[a-z]", region):
            problems.append(f"{name}: {region!r} is an Availability Zone; its Region is {zone[1]!r}")
        elif not re.fullmatch(r"[a-z]{2}(-[a-z]+)+-\d", region):
            problems.append(f"{name}: {region!r} is not a Region; write it like 'eu-central-1'")
    return problems


def _concurrency(value: Any) -> tuple[int, list[str]]:
    """Read a whole number within SQS's bounds; `-c` on the command line gives text."""
    if re.fullmatch(r"\d{1,4}", str(value)) and MIN_CONCURRENCY <= int(value) <= MAX_CONCURRENCY:
        return int(value), []
    return 0, [f"create_concurrency: {value!r} is not a whole number from {MIN_CONCURRENCY} to {MAX_CONCURRENCY}"]
