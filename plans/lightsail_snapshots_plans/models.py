"""The tables and keys of plans.toml, as pydantic models.

They check the values one by one. They also give docs/plans.schema.json and the tables of docs/plans.md: the text below
a key is its documentation.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PlainValidator, Strict, model_validator

from lightsail_snapshots.drill_options import TIME_LIMIT, Drill, Probe, read_price, read_probe, read_time_limit
from lightsail_snapshots.keep_rules import Keep
from lightsail_snapshots.plan import Plan
from lightsail_snapshots.reader import invalid, read_plan, read_tags
from lightsail_snapshots.selection import Select, parse_select, read_globs, read_tag_globs
from lightsail_snapshots_plans.checks import (
    MAX_ACCOUNTS,
    check_account,
    check_address,
    check_number_of_accounts,
    check_parameter,
    check_pattern,
    check_recurring_schedule,
    check_region,
    check_schedule,
    check_timezone,
    expected,
    lightsail_regions,
    read_duration,
    read_heartbeat,
    read_keep_text,
    reject_repeats,
)

MIN_CONCURRENCY = 2
DEFAULT_CONCURRENCY = 16
MAX_CONCURRENCY = 1000
"""Bounds of an SQS event source's MaximumConcurrency: Lambda API reference, ScalingConfig."""
MAX_FLEXIBLE_WINDOW = 1440
"""Minutes: EventBridge Scheduler API reference, FlexibleTimeWindow."""


def _list_regions(schema: dict[str, Any]) -> None:
    schema["enum"] = list(lightsail_regions())


Text = Annotated[str, Field(min_length=1), expected("must be text in quotes")]
Flag = Annotated[bool, Strict(), expected("must be true or false, without quotes")]
Count = Annotated[int, Strict(), Field(ge=0), expected("must be a whole number, 0 or more")]
Minutes = Annotated[
    int,
    Strict(),
    Field(ge=1, le=MAX_FLEXIBLE_WINDOW),
    expected(f"must be a whole number from 1 to {MAX_FLEXIBLE_WINDOW}"),
]
Concurrency = Annotated[
    int,
    Strict(),
    Field(ge=MIN_CONCURRENCY, le=MAX_CONCURRENCY),
    expected(f"must be a whole number from {MIN_CONCURRENCY} to {MAX_CONCURRENCY}"),
]
KeepText = Annotated[Keep, PlainValidator(read_keep_text, json_schema_input_type=str)]
Duration = Annotated[timedelta, PlainValidator(read_duration, json_schema_input_type=str)]
Schedule = Annotated[Text, AfterValidator(check_schedule)]
RecurringSchedule = Annotated[Text, AfterValidator(check_recurring_schedule)]
Timezone = Annotated[Text, AfterValidator(check_timezone)]
Pattern = Annotated[dict[str, Any], AfterValidator(check_pattern)]
Tags = Annotated[dict[str, str], AfterValidator(read_tags)]
Entry = TypeVar("Entry")
ListOf = Annotated[tuple[Entry, ...], Field(min_length=1), AfterValidator(reject_repeats)]
Region = Annotated[str, AfterValidator(check_region), Field(json_schema_extra=_list_regions)]
Address = Annotated[str, AfterValidator(check_address)]
Parameter = Annotated[str, AfterValidator(check_parameter)]
Account = Annotated[str, AfterValidator(check_account)]
HeartbeatUrl = Annotated[str, Field(pattern="^https://")]
Regions = Annotated[ListOf[Region], expected('must be a list of text in quotes, such as ["eu-central-1"]')]
Addresses = Annotated[ListOf[Address], expected('must be a list of text in quotes, such as ["ops@example.com"]')]
Accounts = Annotated[
    ListOf[Account],
    expected('must be a list of text in quotes, such as ["111122223333"]'),
    AfterValidator(check_number_of_accounts),
    Field(json_schema_extra={"maxItems": MAX_ACCOUNTS}),
]
Heartbeat = Annotated[
    str, PlainValidator(read_heartbeat, json_schema_input_type=HeartbeatUrl | dict[Literal["url_parameter"], str])
]
PlanName = Annotated[str, AfterValidator(read_plan)]
Names = Annotated[ListOf[PlanName], expected('must be a list of text in quotes, such as ["nightly"]')]
Globs = Annotated[tuple[str, ...], Field(min_length=1)]
InstanceNames = Annotated[tuple[str, ...], PlainValidator(read_globs, json_schema_input_type=Globs)]
InstanceTags = Annotated[Mapping[str, str], PlainValidator(read_tag_globs, json_schema_input_type=dict[str, str])]


class Table(BaseModel):
    """One table of plans.toml."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        use_attribute_docstrings=True,
        model_title_generator=lambda model: model.__name__.removesuffix("Table"),
    )


def _parse_select(value: object) -> Select:
    return parse_select(value, exclude_tags_key="exclude_tags")


class SelectTable(Table):
    """Which instances a plan selects: all conditions that are set must hold."""

    # For the schema and the documents only: `parse_select` checks the values, as it does those of events.

    names: Globs | None = Field(None, examples=[["blog", "shop-*"]])
    """Globs, one of which must match the instance's name."""
    tags: dict[str, str] | None = Field(None, examples=[{"backup": "daily", "env": "prod*"}])
    """Tags that the instance must have. Each value is a glob; `"*"` is any value, or none."""
    all: bool | None = Field(None, examples=[True])
    """With `true`, every instance."""
    exclude: Globs | None = Field(None, examples=[["scratch-*"]])
    """Globs of names that are never selected."""
    exclude_tags: dict[str, str] | None = Field(None, examples=[{"backup": "none"}])
    """Tags of instances that are never selected: one that matches is enough. Each value is a glob."""


class KeepTable(Table):
    """Which snapshots of each instance a plan keeps: those that any of these rules keeps."""

    last: Count = Field(0, examples=[7])
    """How many of the newest snapshots to keep."""
    hourly: Count = Field(0, examples=[24])
    """For how many hours to keep the newest of each hour. Hours without a snapshot do not count."""
    daily: Count = Field(0, examples=[7])
    """For how many days to keep the newest of each day. Days without a snapshot do not count."""
    weekly: Count = Field(0, examples=[4])
    """For how many weeks to keep the newest of each week (from Monday). Weeks without a snapshot do not count."""
    monthly: Count = Field(0, examples=[6])
    """For how many months to keep the newest of each month. Months without a snapshot do not count."""
    yearly: Count = Field(0, examples=[2])
    """For how many years to keep the newest of each year. Years without a snapshot do not count."""
    within: Duration = Field(timedelta(0), examples=["3d"])
    """Keeps every snapshot taken within this time before the newest one."""

    @model_validator(mode="after")
    def _keeps_something(self) -> Self:
        if not self.as_keep():
            raise invalid(f"keeps nothing: set at least one of {', '.join(KeepTable.model_fields)} above 0")
        return self

    def as_keep(self) -> Keep:
        return Keep(**dict(self))


class ProbeTable(Table):
    """What the clone of a restore drill is asked."""

    # For the schema and the documents only: `read_probe` checks the values, as it does those of events.

    port: Annotated[int, Field(ge=1, le=65535)] = Field(examples=[443])
    """Required: the TCP port that is opened and asked."""
    protocol: Literal["tcp", "http", "https"] | None = Field(None, examples=["https"])
    """If not set: `http` for port 80, `https` for 443, else `tcp`, for which it is enough to connect."""
    host: str | None = Field(None, examples=["shop.example.com"])
    """The name in the Host header and in TLS; the certificate must be valid for it. Without it, none is checked."""
    path: str | None = Field(None, examples=["/health"])
    """What is asked for: `/` if not set."""
    status: int | None = Field(None, examples=[200])
    """The status that the answer must have: 200 if not set. Redirects are not followed."""
    text: str | None = Field(None, examples=["ok"])
    """What the first 64 KB of the answer must have."""


class DrillTable(Table):
    """When and how a plan's snapshots are restored to see whether they work ([more](drill.md))."""

    schedule: RecurringSchedule = Field(examples=["cron(0 5 ? * SUN *)"])
    """Required: when drills run, in the plan's time zone."""
    max_age: Duration = Field(examples=["35d"])
    """Required: an instance whose newest proof is older than this is reported. Each run tries as many instances as
    needed for that."""
    time_limit: Annotated[timedelta, PlainValidator(read_time_limit, json_schema_input_type=str)] = Field(
        TIME_LIMIT, examples=["45m"]
    )
    """How long a clone has until it must work, at most 8 hours. If not set: 45 minutes."""
    max_price_per_hour: Annotated[
        float | None, PlainValidator(read_price, json_schema_input_type=Annotated[float, Field(gt=0)])
    ] = Field(None, examples=[0.10])
    """USD: an instance whose bundle costs more is not tried."""
    probe: Annotated[Probe | None, PlainValidator(read_probe, json_schema_input_type=ProbeTable)] = Field(
        None, examples=[{"port": 443, "host": "shop.example.com", "path": "/health"}]
    )
    """What the clone is asked once it is healthy. Without it, a passing status check is enough."""

    def as_drill(self) -> Drill:
        return Drill(**dict(self))


class PlanTable(Table):
    """One plan: which instances get snapshots, when, and how long they are kept."""

    model_config = ConfigDict(
        json_schema_extra={"required": ["select"], "anyOf": [{"required": ["schedule"]}, {"required": ["on"]}]}
    )

    was: Names = Field((), examples=[["nightly"]])
    """Earlier names of the plan: it takes over their snapshots."""
    select: Annotated[Select, PlainValidator(_parse_select, json_schema_input_type=SelectTable)] = Field(
        Select(), examples=[{"tags": {"backup": "daily"}}]
    )
    """Required: which instances get snapshots, by `names`, `tags`, `all` and `exclude`."""
    schedule: Schedule | None = Field(
        None, examples=["cron(15 3 * * ? *)", "rate(12 hours)", "at(2026-12-24T18:00:00)"]
    )
    """When the plan runs. The fields of `cron` are minutes, hours, day of month, month, day of week, year. A plan
    needs `schedule`, `on`, or both."""
    timezone: Timezone = Field("UTC", examples=["Europe/Berlin"])
    """IANA time zone of the schedule, and of the days, weeks and months of `keep`."""
    flexible_window: Minutes | None = Field(None, examples=[15])
    """Minutes, 1 to 1440: the plan starts within so many minutes after its scheduled time."""
    on: Pattern | None = Field(None, examples=[{"source": ["aws.codepipeline"], "detail": {"state": ["STARTED"]}}])
    """An [event pattern](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html): each event
    that matches triggers the plan, on the account's default bus or on ours."""
    enabled: Flag = Field(True, examples=[False])
    """With `false`, the plan takes no snapshots. Prune and audit go on."""
    regions: Regions | None = Field(None, examples=[["eu-central-1", "us-east-1"]])
    """Where the instances are. If not set: the file's `regions`, or else the stack's own Region."""
    keep: KeepTable | None = Field(None, examples=[{"last": 7, "weekly": 4}])
    """Which snapshots of each instance to keep; the others are deleted. If you tighten it, older snapshots stay for as
    long as the rules keep them that they were taken under."""
    keep_confirmed: KeepText | None = Field(None, examples=["last=7 weekly=4"])
    """The rules of `keep` once more, as text: then they apply to older snapshots too, at once. If `keep` says anything
    else, this has no effect. `make preview` shows the line to paste."""
    keep_for: Duration | None = Field(None, examples=["14d"])
    """Each snapshot is deleted at this age. Set either `keep` or `keep_for`; with neither, snapshots stay forever."""
    max_age: Duration | None = Field(None, examples=["26h"])
    """An instance without a usable snapshot younger than this is overdue, and you are notified."""
    copy_to: Regions = Field((), examples=[["eu-west-1"]])
    """Each snapshot is copied to these Regions, which must not be among the plan's own."""
    tags: Tags = Field({}, examples=[{"cost-center": "web"}])
    """Tags for each snapshot, in addition to those of its instance."""
    dry_run: Flag = Field(False, examples=[True])
    """With `true`, prune only reports what it would delete."""
    drill: DrillTable | None = Field(None, examples=[{"schedule": "cron(0 5 ? * SUN *)", "max_age": "35d"}])
    """Restores snapshots in turn to a clone that is deleted again ([what that means](drill.md))."""

    def as_plan(self, name: str, default_regions: tuple[str, ...]) -> Plan:
        keep = self.keep.as_keep() if self.keep else None
        drill = self.drill.as_drill() if self.drill else None
        return Plan(
            name=name, **dict(self) | {"keep": keep, "drill": drill, "regions": self.regions or default_regions}
        )


HAS_NO_EFFECT_WITHOUT: Mapping[str, tuple[str, ...]] = {
    "timezone": ("schedule", "keep"),
    "flexible_window": ("schedule",),
    "keep_confirmed": ("keep",),
    "dry_run": ("keep", "keep_for"),
}
"""Keys of a plan that need one of these others."""


class ChatTable(Table):
    """The chat that gets the messages too: Slack, Teams or Discord."""

    webhook_parameter: Parameter = Field(examples=["/lightsail-snapshots/chat"])
    """Required: the name of an SSM parameter (SecureString) that holds the address of the chat's webhook."""


class FileTable(Table):
    """Which Lightsail instances get snapshots, when, and how long they are kept."""

    plans: dict[str, PlanTable] = {}
    """One table `[plans.<name>]` for each plan."""
    notify: Addresses = Field((), examples=[["ops@example.com"]])
    """E-mail addresses to notify. Each gets one message to confirm."""
    heartbeat: Heartbeat | None = Field(None, examples=["https://hc-ping.com/0f8b2bd1-3f5c-4b2a-9d55-2b6a3b1c7e90"])
    """An address outside AWS that is called after each completed audit, so that somebody notices if the calls stop.
    Anyone who knows it can fake a call. To keep it out of this file and the template, give the name of an SSM parameter
    of type String: `{ url_parameter = "/lightsail-snapshots/heartbeat" }`."""
    chat: ChatTable | None = Field(None, examples=[{"webhook_parameter": "/lightsail-snapshots/chat"}])
    """A chat that gets the messages too: the SSM parameter that holds the address of its webhook, which is a secret
    ([how](operations.md#a-chat))."""
    allow_accounts: Accounts = Field((), examples=[["111122223333"]])
    """Other AWS accounts that may ask for snapshots."""
    unprotected: InstanceNames = Field((), examples=[["scratch-*"]])
    """Globs of the names of instances that are meant to be in no plan. The daily report names all others in no plan."""
    unprotected_tags: InstanceTags = Field({}, examples=[{"backup": "none"}])
    """Tags of such instances: one that matches is enough. Each value is a glob."""
    regions: Regions | None = Field(None, examples=[["eu-central-1", "us-east-1"]])
    """Regions for custom events, and for each plan that sets none. If not set: the stack's own Region."""
    prune_schedule: RecurringSchedule | None = Field(None, examples=["cron(45 5 * * ? *)"])
    """When to delete snapshots: `cron` or `rate`, in UTC. If not set: daily after 05:00, when no plan starts."""
    audit_schedule: RecurringSchedule | None = Field(None, examples=["rate(1 hour)"])
    """When to look for overdue instances: `cron` or `rate`, in UTC. If not set: every 6 hours; with a `max_age` below
    24 hours, every 4, 3, 2 or 1 hours, at most a quarter of it ([how soon](operations.md#how-soon-you-hear))."""
    report_schedule: RecurringSchedule | None = Field(None, examples=["cron(20 6 * * ? *)"])
    """When to send the whole lists: overdue instances, instances in no plan, and snapshots that only older rules keep.
    `cron` or `rate`, in UTC. If not set: daily after 06:00."""
    create_concurrency: Concurrency = Field(DEFAULT_CONCURRENCY, examples=[4])
    """How many functions take snapshots at once at most, 2 to 1000. They find Lightsail's rate by themselves."""
