"""Events as no sender should write them: valid ones in which something was changed, by a seeded random."""

import json
from collections.abc import Callable
from random import Random
from typing import Any

from lightsail_snapshots.events import SOURCE
from tests.support.events import example, requested, time_now

INVISIBLE = "\u202e\u200b\u2028\x00\x1b\x7f\ufeff\ud800"
"""What people cannot see, and half of a surrogate pair."""
DEEP = "@deep"
"""Becomes lists inside each other, which Python cannot write itself."""

_VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**63, 10**400, 0.5, float("inf"), float("nan")),
    *("", " ", "*", "null", "web-1", "w\u0435b-1", "a" * 300, '"' * 1000, "\\" * 1000, "😀" * 256, INVISIBLE),
    *("2026-11-23T03:15:00Z", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59-23:59", "1971-01-01T00:00:00+23:59"),
    *("P14D", "P0D", "P36525D", "P99999D", "26h", "us-east-1", "eu-central-1", "mars-north-1", SOURCE, DEEP),
    *([], {}, [[]], [{}], {"": ""}, [None], ["web-*"], ["us-east-1"], {"key": "env"}, [{"key": "env", "value": "x"}]),
    *({INVISIBLE: INVISIBLE}, {"managed-by": "me"}, {f"key-{number}": "" for number in range(60)}, ["x"] * 500),
)
_KEYS = ("", "name", "plan", "keep", "instanceName", "instancename", "scheduledTime", "tags", "🔑" * 40, INVISIBLE)


def valid_events(detail_type: str, *details: dict[str, Any]) -> list[dict[str, Any]]:
    """Return events of one type with each of these details, of ours and of others, and the published example."""
    kind = {"detail-type": detail_type, "time": time_now()}
    events = [requested(detail, source=source, **kind) for detail in details for source in (SOURCE, "my.deploy")]
    return [*events, example(detail_type)]


def hostile(random: Random, events: list[dict[str, Any]]) -> str:
    """Return one of the events as JSON, with up to four things in it changed; sometimes it is not even JSON."""
    event = json.loads(json.dumps(random.choice(events)))
    for _ in range(random.choice((0, 1, 1, 2, 4))):
        random.choice(_CHANGES)(random, event)
    text = json.dumps(event, ensure_ascii=random.random() < 0.5)
    depth = random.choice((20, 99, 101, 900, 10_000))
    text = text.replace(json.dumps(DEEP), "[" * depth + "]" * depth)
    return random.choice(_DAMAGES)(random, text) if random.random() < 0.1 else text


def _paths(value: Any) -> list[tuple[Any, Any]]:
    """Return each container of a JSON value with each of its keys or indexes."""
    found: list[tuple[Any, Any]] = []
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        found += [(value, key), *_paths(value[key])]
    return found


def _replace(random: Random, event: Any) -> None:
    if paths := _paths(event):
        container, key = random.choice(paths)
        container[key] = json.loads(json.dumps(random.choice(_VALUES)))


def _remove(random: Random, event: Any) -> None:
    if paths := _paths(event):
        container, key = random.choice(paths)
        del container[key]


def _add(random: Random, event: Any) -> None:
    containers = [event, *(container[key] for container, key in _paths(event) if isinstance(container[key], dict))]
    random.choice(containers)[random.choice(_KEYS)] = json.loads(json.dumps(random.choice(_VALUES)))


def _respell(random: Random, event: Any) -> None:
    texts = [(container, key) for container, key in _paths(event) if isinstance(container[key], str)]
    if texts:
        container, key = random.choice(texts)
        place = random.randrange(len(container[key]) + 1)
        container[key] = container[key][:place] + random.choice(INVISIBLE + '"*[{é😀') + container[key][place:]


def _fill(random: Random, event: Any) -> None:
    """Make the event as large as EventBridge takes it, or larger."""
    size = random.choice((100_000, 255_700, 256_000, 262_144 - 300, 1_000_000))
    filler = random.choice(("x", '"', "é", "\u202e")) * (size // 6)
    event[random.choice(("resources", "account", "detail", "more"))] = random.choice((filler, [filler]))


_CHANGES: tuple[Callable[[Random, Any], None], ...] = (_replace, _replace, _remove, _add, _respell, _fill)
_DAMAGES: tuple[Callable[[Random, str], str], ...] = (
    lambda random, text: text[: random.randrange(len(text))],
    lambda random, text: text.replace(random.choice(text), random.choice('"{}[]\\,0 \x00'), 1),
    lambda _, text: f"\ufeff{text}",
    lambda _, text: f"[{text}]",
    lambda _, text: json.dumps(text),
    lambda *_: "9" * 5000,
    lambda *_: "",
)
