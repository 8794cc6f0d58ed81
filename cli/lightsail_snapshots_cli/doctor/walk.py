"""One run: what it uses, what was found, and the checks one after the other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from lightsail_snapshots.aws.errors import AwsError
from lightsail_snapshots_cli.doctor.attempt import DeniedError, scrub
from lightsail_snapshots_cli.doctor.belief import NOT_CHECKED, Answer
from lightsail_snapshots_cli.doctor.calls import Calls, NotYetError
from lightsail_snapshots_cli.doctor.names import new_run
from lightsail_snapshots_cli.doctor.role import Role
from lightsail_snapshots_cli.listing import Listing
from lightsail_snapshots_cli.terminal import progress


@dataclass(frozen=True, kw_only=True)
class Size:
    """The smallest instance that the Region offers."""

    zone: str
    bundle: str
    blueprint: str
    disk: int
    """GB."""
    price: float
    """USD a month."""


@dataclass(kw_only=True)
class Walk:
    """One run."""

    home: Calls
    away: Calls
    """The Region of the copies."""
    size: Size
    listing: Listing
    """All Regions, before anything was made."""
    role: Role
    run: str = field(default_factory=new_run)
    """What all names begin with."""
    answers: dict[str, Answer] = field(default_factory=dict)
    """By the id of the belief."""
    denied: list[str] = field(default_factory=list)
    """The actions that the person's credentials lack."""
    is_running: bool = False
    """Whether the instance is there and runs, or is stopped."""
    is_usable: bool = False
    """Whether the first snapshot is."""
    asked_at: float = 0
    """When the first snapshot was requested, by `clock.monotonic`."""

    @property
    def instance(self) -> str:
        return self.name("instance")

    @property
    def snapshot(self) -> str:
        """The name of the first snapshot."""
        return self.name("snapshot")

    def name(self, what: str) -> str:
        return f"{self.run}-{what}"

    def settle(self, belief: str, verdict: str, found: object) -> None:
        """Record an answer."""
        self.answers[belief] = Answer(verdict, scrub(str(found)))

    def need_instance(self) -> None:
        """Raise NotYetError if the instance is not there."""
        if not self.is_running:
            raise NotYetError("there is no instance to try it on")

    def need_snapshot(self) -> None:
        """Raise NotYetError if the first snapshot is not usable."""
        if not self.is_usable:
            raise NotYetError("there is no usable snapshot to try it on")


@dataclass(frozen=True)
class Check:
    """One step; it settles these beliefs."""

    title: str
    beliefs: tuple[str, ...]
    function: Callable[[Walk], None]


def run_checks(walk: Walk, checks: Iterable[Check]) -> None:
    """Run each check. If one fails, what it has not settled is not checked, and the others go on."""
    for check in checks:
        progress(f"{check.title} ...")
        reason = "the check ended without an answer"
        try:
            check.function(walk)
        except DeniedError as error:
            walk.denied.append(str(error))
            reason = f"your credentials lack {error}"
        except (AwsError, NotYetError) as error:
            reason = str(error)
        for belief in check.beliefs:
            if belief not in walk.answers:
                walk.settle(belief, NOT_CHECKED, reason)
