"""The message about `Prune Refused`: snapshots that only earlier keep rules keep."""

from collections.abc import Mapping
from typing import Any

from lightsail_snapshots.messages.message import Message, fit_headline, fit_title, of_plan, one_line, read_time, text_at


def prune_refused(event: Mapping[str, Any], runbook: str) -> Message:
    """Write what people read about all lists of a report, and the line that applies today's rules at once."""
    entries, total = event["detail"]["refused"], event["detail"]["deletionCount"]
    first = entries[0]
    instance, region, plan, rules = (text_at(first, key) for key in ("instanceName", "region", "plan", "rules"))
    more = f" and {total - first['deletionCount']} more" if len(entries) > 1 else ""
    about = {
        "count": _snapshots(first["deletionCount"]),
        "instance": instance,
        "where": f"in {region}{more}",
        "plan": of_plan(plan),
    }
    headline = "Prune refused: {count} of {instance} {where}, {plan}, kept by earlier rules only."
    return Message(
        title=fit_title("Prune refused: {count} of {instance} ({plan})", **about),
        headline=fit_headline(headline, **about),
        since=f"the report of {read_time(text_at(event, 'time'))}",
        why="today's keep rules would delete these. They stay, since they were taken under rules that keep them:",
        listed=[_line(each) for each in entries],
        to_do=_to_do(plan, rules, has_more=len({each["plan"] for each in entries}) > 1),
        paste="lightsail-snapshots preview",
        read_on=f"{runbook}#prune-refused",
    )


def _snapshots(count: int) -> str:
    return "1 snapshot" if count == 1 else f"{count} snapshots"


def _to_do(plan: str, rules: str, *, has_more: bool) -> str:
    likewise = " (likewise for the other plans)" if has_more else ""
    line = f"add keep_confirmed = '{rules}' to [plans.{plan}]{likewise} and deploy"
    return f"if keep is mistyped, correct it. To delete them now, {line}. To see each:"


def _line(entry: Mapping[str, Any]) -> str:
    plan, instance, region, rules = (text_at(entry, key) for key in ("plan", "instanceName", "region", "rules"))
    older = one_line(" or ".join(entry["rulesTakenUnder"]))
    where = f"{_snapshots(entry['deletionCount'])} of {instance} in {region}, plan {plan}"
    return f"{where}: keep was {older}, is {rules}"
