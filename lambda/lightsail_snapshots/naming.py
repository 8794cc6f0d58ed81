"""Names and tags of our instance snapshots: pure functions of the request.

The name is the idempotency key. CreateInstanceSnapshot has no token, and EventBridge, Scheduler, SQS and Lambda all
deliver at least once: the same request must give the same name on every machine and at every retry.
"""

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime

MANAGED_BY_KEY = "managed-by"
MANAGED_BY = "lightsail-snapshots"
PLAN_KEY = "snapshot-plan"
NAME_KEY = "snapshot-name"
"""The snapshot's own name, which a copy keeps. A snapshot with another name that has our tags is a person's."""
INSTANCE_KEY = "snapshot-of"
KEEP_KEY = "snapshot-keep"
"""The keep rules of its plan when it was taken: see `format_keep_tag`."""
EXPIRES_KEY = "expires-at"
COPY_OF_KEY = "copy-of"
"""Only copies have it: Region, time and instance of the source, as `Snapshot.copy_of` writes them. Not the source's
name, since that is the copy's own, and may alone have as many characters as a tag's value."""
HOLD_KEY = "snapshot-hold"
"""Set by people, on what must stay forever; its value does not matter."""
PROVEN_AT_KEY = "proven-at"
"""When an instance was last restored from it and found to work."""
PROVEN_SECONDS_KEY = "proven-seconds"
"""How long that restore took, until the instance answered."""
DRILL_RESULT_KEY = "drill-result"
"""How the last restore drill with a snapshot ended: see `DrillResult`."""
DRILL_OWNER = "lightsail-snapshots-drill"
"""The `managed-by` of the instances that a drill makes."""
DOCTOR_OWNER = "lightsail-snapshots-doctor"
"""The `managed-by` of what the command `doctor` makes, and deletes within minutes."""
DRILL_OF_KEY = "drill-of"
"""On such an instance: the name of the instance that it is a clone of."""
DRILL_UNTIL_KEY = "drill-until"
"""On such an instance: when it must be gone."""
OUR_KEYS = frozenset(
    {
        MANAGED_BY_KEY,
        PLAN_KEY,
        NAME_KEY,
        INSTANCE_KEY,
        KEEP_KEY,
        EXPIRES_KEY,
        COPY_OF_KEY,
        PROVEN_AT_KEY,
        PROVEN_SECONDS_KEY,
        DRILL_RESULT_KEY,
    }
)
"""All that is acted upon or shown, except holds."""
_RESERVED_PREFIXES = ("snapshot-", "restore-", "proven-", "drill-")

MAX_PLAN_NAME = 40
"""A schedule's name has 64 (EventBridge Scheduler API reference, CreateSchedule): the rest are for the stack's."""
MAX_NAME = 255
"""Characters in a resource name: Lightsail developer guide, "Create a snapshot of your instance"."""
MAX_TAGS = 50
"""Tags per resource; this and the next two: Lightsail developer guide, "Tags in Amazon Lightsail"."""
MAX_TAG_KEY = 128
MAX_TAG_VALUE = 256
MAX_OTHER_TAGS = 35
"""Tags from the instance and the request together: the rest are kept free for ours, those of a later copy included."""

# The guide allows `.` in a name, the service model does not; the model allows `_` at the ends, the guide does not.
# What either of them allows is let through: Lightsail decides.
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,253}[A-Za-z0-9_]")
_PLAN_NAME = re.compile(rf"[0-9A-Za-z_.-]{{1,{MAX_PLAN_NAME}}}")
_TAG_TEXT = re.compile(r"[\w +\-=.:/@]*")


def is_hold(key: str) -> bool:
    """Tell whether a tag's key is a hold, also if the person who typed it wrote `Snapshot-Hold`."""
    return key.strip().lower() == HOLD_KEY


def is_drill(tags: Mapping[str, str]) -> bool:
    """Tell whether an instance is the clone of a restore drill."""
    return tags.get(MANAGED_BY_KEY) == DRILL_OWNER


def is_temporary(tags: Mapping[str, str]) -> bool:
    """Tell whether a drill or `doctor` made an instance, and will delete it: no plan selects it, nobody misses it."""
    return tags.get(MANAGED_BY_KEY) in {DRILL_OWNER, DOCTOR_OWNER}


def is_reserved_key(key: str) -> bool:
    """Tell whether only we may set a tag. In any case of letters: IAM compares keys without it."""
    folded = key.strip().casefold()
    return folded in OUR_KEYS or folded.startswith(_RESERVED_PREFIXES)


def format_utc(moment: datetime) -> str:
    """Write a moment as `2026-11-23T03:15:00Z`; all its characters are legal in a tag's value."""
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def is_name(text: str) -> bool:
    """Tell whether Lightsail could accept this as the name of an instance or a snapshot."""
    return _NAME.fullmatch(text) is not None


def is_plan_name(text: str) -> bool:
    """Tell whether a plan can have this name."""
    return _PLAN_NAME.fullmatch(text) is not None


def tag_problems(key: str, value: str) -> list[str]:
    """Say everything that Lightsail would refuse in one tag."""
    problems = []
    if not 1 <= len(key) <= MAX_TAG_KEY:
        problems.append(f"the key has {len(key)} characters, allowed are 1 to {MAX_TAG_KEY}")
    if len(value) > MAX_TAG_VALUE:
        problems.append(f"the value has {len(value)} characters, allowed are {MAX_TAG_VALUE}")
    for what, text in (("key", key), ("value", value)):
        if text.lower().startswith("aws:"):
            problems.append(f"the {what} begins with aws:, which is reserved")
        if not _TAG_TEXT.fullmatch(text):
            problems.append(f"the {what} may hold only letters, digits, spaces and + - = . _ : / @")
    return problems


def snapshot_name(instance_name: str, slot: datetime, *distinct: str) -> str:
    """Derive `{instance}-{slot as YYYYMMDDTHHMMSSZ}-{8 hex}` from what makes a request distinct from all others.

    Only letters, digits and `-`, since it is not certain that a snapshot's name may hold `.`. A long instance name is
    cut; the hash is over the whole of it, so that the name stays unique.
    """
    stamp = format_utc(slot).replace("-", "").replace(":", "")
    digest = hashlib.sha256("\0".join((instance_name, stamp, *distinct)).encode()).hexdigest()[:8]
    tail = f"-{stamp}-{digest}"
    head = re.sub(r"[^A-Za-z0-9]+", "-", instance_name).strip("-")[: MAX_NAME - len(tail)]
    return f"{head or 'instance'}{tail}"


def our_tags(
    name: str,
    instance_name: str,
    *,
    plan: str | None = None,
    keep: str | None = None,
    expires_at: datetime | None = None,
) -> dict[str, str]:
    """Return the tags that make a snapshot ours and that retention acts upon; `keep` is what `format_keep_tag` writes.

    A plan's snapshot has either `keep` or `expires_at`.
    """
    tags = {MANAGED_BY_KEY: MANAGED_BY, NAME_KEY: name, INSTANCE_KEY: instance_name}
    if plan is not None:
        tags[PLAN_KEY] = plan
    if keep is not None:
        tags[KEEP_KEY] = keep
    if expires_at is not None:
        tags[EXPIRES_KEY] = format_utc(expires_at)
    return tags


def merge_tags(
    instance: Mapping[str, str], request: Mapping[str, str], ours: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Merge the tags of a snapshot; later wins: the instance's own, the request's, ours.

    Returns the tags, and the instance's own keys that were dropped: those that are reserved, that Lightsail would
    reject, or that are over the limit. Keys that begin with `aws:` belong to AWS and cannot be set.
    """
    own = [key for key in instance if key not in request and not key.startswith("aws:")]
    good = [key for key in own if not is_reserved_key(key) and not tag_problems(key, instance[key])]
    kept = {key: instance[key] for key in good[: max(0, MAX_OTHER_TAGS - len(request))]}
    return kept | dict(request) | dict(ours), [key for key in own if key not in kept]
