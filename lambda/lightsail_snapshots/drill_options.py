"""What a plan says about its restore drills: the key `drill` of plans.toml."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from lightsail_snapshots.reader import (
    InvalidValueError,
    Reader,
    format_duration,
    format_value,
    invalid,
    read_duration,
    read_number,
    read_object,
    read_text,
)

TIME_LIMIT = timedelta(minutes=45)
MAX_TIME_LIMIT = timedelta(hours=8)
"""A third of the time that the function has for a request: the rest is for waiting, keeping and deleting."""
PROTOCOLS = ("tcp", "http", "https")
_PROTOCOL_OF_PORT = {80: "http", 443: "https"}


@dataclass(frozen=True, kw_only=True)
class Probe:
    """What the clone is asked once it is healthy."""

    port: int
    protocol: str
    """One of PROTOCOLS."""
    host: str = ""
    """Of the Host header, of SNI and of the certificate; empty: the address, and no certificate is checked."""
    path: str = "/"
    status: int = 200
    text: str = ""
    """What the first bytes of the answer must have; empty: anything."""

    def as_detail(self) -> dict[str, Any]:
        """Return the JSON that `read_probe` reads, without what is empty."""
        return {key: value for key, value in vars(self).items() if value}


@dataclass(frozen=True, kw_only=True)
class Drill:
    """When and how a plan's snapshots are tried."""

    schedule: str
    """An EventBridge Scheduler expression, in the plan's time zone."""
    max_age: timedelta
    """How old the newest proof of an instance may become."""
    time_limit: timedelta = TIME_LIMIT
    """How long a clone may take, and so live."""
    max_price_per_hour: float | None = None
    """USD; None: any bundle."""
    probe: Probe | None = None

    def as_detail(self) -> dict[str, Any]:
        """Return the JSON that `read_drill` reads."""
        return {
            "schedule": self.schedule,
            "maxAge": format_duration(self.max_age),
            "timeLimit": format_duration(self.time_limit),
            **({} if self.max_price_per_hour is None else {"maxPricePerHour": self.max_price_per_hour}),
            **({"probe": self.probe.as_detail()} if self.probe else {}),
        }


def read_drill(value: object) -> Drill:
    """Read what `Drill.as_detail` wrote; raise InvalidValueError with everything that is wrong."""
    reader = Reader(read_object(value))
    schedule = reader.require("schedule", read_text) or ""
    max_age = reader.require("maxAge", read_duration) or timedelta()
    time_limit = reader.take("timeLimit", read_time_limit) or TIME_LIMIT
    price = reader.take("maxPricePerHour", read_price)
    probe = reader.take("probe", read_probe)
    _check(reader)
    return Drill(schedule=schedule, max_age=max_age, time_limit=time_limit, max_price_per_hour=price, probe=probe)


def read_probe(value: object) -> Probe:
    """Read the probe of an event or of plans.toml; raise InvalidValueError with everything that is wrong."""
    reader = Reader(read_object(value))
    port = reader.require("port", _read_port) or 0
    fields: Mapping[str, Any] = {
        "protocol": reader.take("protocol", _read_protocol) or _PROTOCOL_OF_PORT.get(port, "tcp"),
        "host": reader.take("host", read_text),
        "path": reader.take("path", _read_path),
        "status": reader.take("status", read_number),
        "text": reader.take("text", read_text),
    }
    _check(reader)
    return Probe(port=port, **{name: value for name, value in fields.items() if value is not None})


def read_time_limit(value: object) -> timedelta:
    found = read_duration(value)
    if found > MAX_TIME_LIMIT:
        raise invalid(f"must be at most {format_duration(MAX_TIME_LIMIT)}, not {format_duration(found)}")
    return found


def read_price(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or value <= 0:
        raise invalid(f"must be a price in USD above 0, such as 0.10, not {format_value(value)}")
    return float(value)


def _check(reader: Reader) -> None:
    reader.reject_unknown()
    if reader.problems:
        raise InvalidValueError(*reader.problems)


def _read_port(value: object) -> int:
    port = read_number(value)
    if not 1 <= port <= 65535:
        raise invalid(f"must be a port from 1 to 65535, not {port}")
    return port


def _read_protocol(value: object) -> str:
    if value not in PROTOCOLS:
        raise invalid(f"must be one of {', '.join(PROTOCOLS)}, not {format_value(value)}")
    return str(value)


def _read_path(value: object) -> str:
    path = read_text(value)
    if not path.startswith("/") or not path.isascii() or not path.isprintable() or " " in path:
        raise invalid(f"must be a path such as /health, not {format_value(path)}")
    return path
