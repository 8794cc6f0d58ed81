"""Checks of single values that pydantic does not have."""

import re
import zoneinfo
from datetime import timedelta
from functools import cache
from typing import Any

import botocore.session
from pydantic import ValidationError, ValidatorFunctionWrapHandler, WrapValidator

from lightsail_snapshots.keep_rules import Keep, parse_keep
from lightsail_snapshots.reader import InvalidValueError, Problem, invalid, parse_duration, region_of_zone, suggestion
from lightsail_snapshots_plans.event_pattern import pattern_problems
from lightsail_snapshots_plans.schedule_expression import parse_schedule

MAX_TIMEZONE = 50
"""Characters: EventBridge Scheduler API reference, CreateSchedule."""

MAX_ACCOUNTS = 100
"""The policy of the bus names each in some 40 characters, and has 10 KB (EventBridge user guide, quotas)."""

_PARAMETER_PATH = re.compile(r"(/[A-Za-z0-9_.-]+){1,15}")
"""A name with a path: SSM API reference, PutParameter."""
MAX_PARAMETER = 900
"""Characters of it: the whole ARN may have 1011."""
_ADDRESS = re.compile(r"[^@\s<>,;\"()]+@[^@\s<>,;\"()]+\.[^@\s<>,;\"().]+")
_URL = re.compile(
    r"https://[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+(?::[0-9]{1,5})?"
    r"(?:/(?:%[0-9A-Fa-f]{2}|[-()_.!~*';/?:@&=+$,A-Za-z0-9]){0,1900})?"
)
"""What an API destination takes: EventBridge API reference, CreateApiDestination."""
_PARAMETER = re.compile(r"/?[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*(?::[1-9][0-9]*)?")
"""A name, and perhaps a version: CloudFormation user guide, "Get a plaintext value from Systems Manager Parameter
Store"."""
_NOT_IANA = {"Factory", "localtime"}
"""Zones that some machines have, and EventBridge Scheduler does not."""
_ABBREVIATION = re.compile(r"[A-Z]{1,5}|[A-Z]*[+-]?[0-9].*")
"""PST, Z, GMT+5, +02:00: a name that is spelled alike is hardly the zone that was meant."""


def expected(text: str) -> WrapValidator:
    """Replace pydantic's own messages with ours. Problems that our checks found stay as they are."""

    def check(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
        try:
            return handler(value)
        except ValidationError as error:
            if any(each["type"] == "value_error" for each in error.errors()):
                raise
            raise invalid(text) from error

    return WrapValidator(check)


def reject_repeats(values: tuple[str, ...]) -> tuple[str, ...]:
    repeated = [value for value in dict.fromkeys(values) if values.count(value) > 1]
    if repeated:
        raise InvalidValueError(*(Problem((), f"{value} is listed twice") for value in repeated))
    return values


def check_schedule(expression: str) -> str:
    parse_schedule(expression)
    return expression


def check_recurring_schedule(expression: str) -> str:
    if parse_schedule(expression).last_run is not None:
        raise invalid("must run forever: rate(...), or cron(...) with * as its year")
    return expression


def check_timezone(name: str) -> str:
    zones = zoneinfo.available_timezones() - _NOT_IANA
    if not zones:
        raise invalid(
            "cannot be checked: this machine has no time zone database; install one with "
            "`pip install tzdata` or your system's package tzdata"
        )
    if name not in zones or len(name) > MAX_TIMEZONE:
        example = "use a name such as Europe/Berlin, America/New_York or UTC"
        near = example if _ABBREVIATION.fullmatch(name) else suggestion(name, zones, example)
        raise invalid(f"is not an IANA time zone; {near}")
    return name


@cache
def lightsail_regions() -> tuple[str, ...]:
    """Return the Regions in which Lightsail has an endpoint; botocore's enum of names also has us-west-1."""
    return tuple(sorted(botocore.session.Session().get_available_regions("lightsail")))


def check_region(name: str) -> str:
    known = lightsail_regions()
    if name in known:
        return name
    if (region := region_of_zone(name)) in known:
        raise invalid(f"{name} is an Availability Zone; the Region is {region}")
    everywhere = f"Lightsail is in {', '.join(known)}"
    if name in botocore.session.Session().get_available_regions("ec2"):
        raise invalid(f"{name} is a Region without Lightsail; {everywhere}")
    raise invalid(f"{name} is not a Region of Lightsail; {suggestion(name, known, everywhere, cutoff=0.8)}")


def check_address(address: str) -> str:
    if not _ADDRESS.fullmatch(address):
        raise invalid(f"{address!r} is not an e-mail address; one looks like ops@example.com")
    return address


def read_heartbeat(value: Any) -> str:
    """Return the address as CloudFormation takes it; it reads a parameter when it deploys."""
    if isinstance(value, str) and _URL.fullmatch(value):
        return value
    if isinstance(value, dict) and list(value) == ["url_parameter"]:
        name = value["url_parameter"]
        if isinstance(name, str) and _PARAMETER.fullmatch(name):
            return f"{{{{resolve:ssm:{name}}}}}"
    raise invalid(
        'must be an address such as "https://hc-ping.com/...", or { url_parameter = "/name/of/an/SSM/parameter" }'
    )


def check_parameter(name: str) -> str:
    """Check a name, and do not repeat it: somebody may have put the secret itself there."""
    if not _PARAMETER_PATH.fullmatch(name) or len(name) > MAX_PARAMETER or name.lower().startswith(("/aws", "/ssm")):
        raise invalid("must be the name of an SSM parameter, such as /lightsail-snapshots/chat; it holds the address")
    return name


def check_account(number: str) -> str:
    if not re.fullmatch(r"[0-9]{12}", number):
        raise invalid(f"{number!r} is not an AWS account; one is 12 digits in quotes")
    return number


def check_number_of_accounts(accounts: tuple[str, ...]) -> tuple[str, ...]:
    if len(accounts) > MAX_ACCOUNTS:
        raise invalid(f"has {len(accounts)} accounts, at most {MAX_ACCOUNTS} are allowed: the bus has to name each")
    return accounts


def check_pattern(pattern: dict[str, Any]) -> dict[str, Any]:
    if problems := pattern_problems(pattern):
        raise InvalidValueError(*problems)
    return pattern


def read_duration(value: Any) -> timedelta:
    if not isinstance(value, str) or not value:
        raise invalid("must be text in quotes")
    return parse_duration(value)


def read_keep_text(value: Any) -> Keep:
    if not isinstance(value, str) or not value:
        raise invalid("must be text in quotes")
    return parse_keep(value)
