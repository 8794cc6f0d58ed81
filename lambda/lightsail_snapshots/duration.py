"""ISO 8601 durations of a fixed length, as `keepFor` has them: P14D, P2W, PT36H."""

import re
from datetime import timedelta

_DURATION = re.compile(
    r"P(?:(?P<weeks>[0-9]{1,4})W"
    r"|(?=[0-9T])(?:(?P<days>[0-9]{1,5})D)?(?:T(?=[0-9])(?:(?P<hours>[0-9]{1,6})H)?(?:(?P<minutes>[0-9]{1,8})M)?)?)"
)
_LONGEST = timedelta(days=36_525)


def parse_duration(text: str) -> timedelta:
    """Read weeks, or days, hours and minutes; raise ValueError, saying what is allowed, for anything else.

    Years and months are refused, since their length depends on the calendar.
    """
    match = _DURATION.fullmatch(text)
    length = timedelta(**{unit: int(count or 0) for unit, count in match.groupdict().items()}) if match else None
    if not length or length > _LONGEST:
        raise ValueError("must be an ISO 8601 duration in weeks, days, hours or minutes, such as P14D, P2W or PT36H")
    return length


def format_duration(length: timedelta) -> str:
    """Write a duration of whole minutes as ISO 8601: P14D, PT36H, PT90M."""
    minutes = length // timedelta(minutes=1)
    if minutes % (24 * 60) == 0:
        return f"P{minutes // (24 * 60)}D"
    return f"PT{minutes // 60}H" if minutes % 60 == 0 else f"PT{minutes}M"
