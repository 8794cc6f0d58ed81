"""Automatic snapshots: Lightsail's own add-on. Daily, seven kept, 45 minutes during which nobody else may snapshot."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from local.lightsail.clock import NEVER

WINDOW = timedelta(minutes=45)
KEPT = 7
# The hour (UTC) that a Region uses when EnableAddOn does not say one.
DEFAULT_HOURS = {
    "us-east-2": "03:00",
    "us-east-1": "06:00",
    "us-west-2": "06:00",
    "ca-central-1": "06:00",
    "eu-west-2": "06:00",
    "eu-west-3": "07:00",
    "eu-north-1": "08:00",
    "ap-southeast-2": "12:00",
    "ap-northeast-1": "13:00",
    "ap-northeast-2": "13:00",
    "ap-southeast-1": "14:00",
    "ap-south-1": "17:00",
    "eu-central-1": "20:00",
    "eu-west-1": "22:00",
}


@dataclass
class AutomaticSnapshots:
    """Those of one instance. Nothing runs in the background: what has happened follows from the time."""

    time_of_day: str = ""  # HH:MM in UTC
    enabled_at: datetime = NEVER
    disabled_at: datetime = NEVER
    earlier: list[datetime] = field(default_factory=list)  # taken under an earlier setting

    def enable(self, time_of_day: str, now: datetime) -> None:
        """Switch on, or change the time; what was taken stays."""
        self.earlier = self.taken(now)
        self.time_of_day, self.enabled_at, self.disabled_at = time_of_day, now, NEVER

    def disable(self, now: datetime) -> None:
        """Switch off; what was taken stays."""
        self.disabled_at = min(self.disabled_at, now)

    def enabled(self, now: datetime) -> bool:
        """Whether the add-on is on."""
        return self.enabled_at <= now < self.disabled_at

    def taken(self, now: datetime) -> list[datetime]:
        """When the snapshots that are kept were started, newest first."""
        starts: list[datetime] = []
        if self.enabled_at <= now:
            hour, minute = map(int, self.time_of_day.split(":"))
            end = min(now, self.disabled_at)
            last = end.replace(hour=hour, minute=minute, second=0, microsecond=0)
            days = (last - timedelta(days=back) for back in range(KEPT + 1))
            starts = [day for day in days if self.enabled_at <= day <= end]
        return [*starts, *self.earlier][:KEPT]

    def running(self, now: datetime) -> bool:
        """Whether one is being taken, so that a manual snapshot is refused."""
        return any(start <= now < start + WINDOW for start in self.taken(now))

    def status(self, start: datetime, now: datetime) -> str:
        """The AutoSnapshotStatus of the one that began at `start`."""
        return "InProgress" if now < start + WINDOW else "Success"
