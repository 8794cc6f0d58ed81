"""How the time of `decide` grows with the number of snapshots: `python -m benchmarks.retention`.

A fleet of instances with 100 snapshots each, a tenth of them of another Region's instance copied here, under a plan
with every keep rule, a time zone and copies. Doubling the number should about double the time: the ratio tells, not the
seconds, which are the machine's.
"""

import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from lightsail_snapshots.keep import Keep
from lightsail_snapshots.naming import COPY_OF_KEY, our_tags
from lightsail_snapshots.policy import Policy
from lightsail_snapshots.retention import decide
from lightsail_snapshots.snapshot import AVAILABLE, Snapshot
