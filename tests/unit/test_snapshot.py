"""What a snapshot of a long listing keeps of what Lightsail tells."""

from dataclasses import replace
from datetime import UTC, timedelta, timezone
from typing import Any

from lightsail_snapshots.snapshot import Snapshot
from tests.support.snapshots import AWAY, NOW, copy_of, snapshot


def test_compact_snapshot_has_only_the_tags_that_decide_something() -> None:
    full = snapshot(NOW, tags={"expires-at": "2027-01-01T00:00:00Z", "Snapshot-Hold ": "audit", "env": "prod", "": ""})
    compact = copy_of(full).compact()
    assert compact.tags == {
        "managed-by": "lightsail-snapshots",
        "snapshot-name": full.name,
        "snapshot-of": "web-1",
        "snapshot-plan": "daily",
        "snapshot-keep": "last=1",
        "expires-at": "2027-01-01T00:00:00Z",
        "copy-of": full.copy_of,
        "Snapshot-Hold ": "audit",
    }


def test_compact_snapshot_is_the_same_otherwise() -> None:
    in_berlin = replace(snapshot(NOW, region=AWAY), created_at=NOW.astimezone(timezone(timedelta(hours=1))))
    assert in_berlin.compact() == in_berlin
    assert in_berlin.compact().created_at.tzinfo is UTC


def test_compact_snapshots_share_their_texts() -> None:
    def parsed(text: str) -> str:
        return "".join(list(text))  # an object of its own, as from JSON

    def listed(name: str) -> Snapshot:
        made = snapshot(NOW, name=name)
        texts: dict[str, Any] = {
            each: parsed(getattr(made, each)) for each in ("region", "state", "instance_name", "instance_arn")
        }
        return replace(made, tags={parsed(key): parsed(text) for key, text in made.tags.items()}, **texts).compact()

    one, other = listed("web-1-a"), listed("web-1-b")
    for each in ("region", "state", "instance_name", "instance_arn"):
        assert getattr(one, each) is getattr(other, each)
    for key, same_key in zip(one.tags, other.tags, strict=True):
        assert key is same_key
        assert key == "snapshot-name" or one.tags[key] is other.tags[key]
    assert one.tags["snapshot-name"] is one.name
