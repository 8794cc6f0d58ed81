"""The names and tags of what `doctor` makes: it deletes only what has both."""

import re
import secrets
from collections.abc import Mapping

from lightsail_snapshots.naming import DOCTOR_OWNER, MANAGED_BY_KEY

TAGS = {MANAGED_BY_KEY: DOCTOR_OWNER}
ROLE = DOCTOR_OWNER
_NAME = re.compile(rf"{DOCTOR_OWNER}-[0-9a-f]{{8}}-[a-z]+(?:[ .-][a-z]+)*")


def new_run() -> str:
    """Return what all names of one run begin with, such as `lightsail-snapshots-doctor-1a2b3c4d`."""
    return f"{DOCTOR_OWNER}-{secrets.token_hex(4)}"


def has_our_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None


def has_our_tag(tags: Mapping[str, str]) -> bool:
    return tags.get(MANAGED_BY_KEY) == DOCTOR_OWNER
