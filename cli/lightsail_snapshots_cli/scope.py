"""Which plans and Regions a command is about: those of the deployment, or of a plans.toml."""

from dataclasses import dataclass
from pathlib import Path

from lightsail_snapshots.plan import Plan
from lightsail_snapshots.selection import Select
from lightsail_snapshots_cli.account import signed_in_region
from lightsail_snapshots_cli.deployment import Deployment, read_deployment
from lightsail_snapshots_cli.errors import NOT_SIGNED_IN, USAGE, CommandError


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The plans, and where their instances and snapshots are."""

    plans: tuple[Plan, ...]
    """Each with its Regions."""
    regions: tuple[str, ...]
    """Whose instances are protected."""
    copy_regions: tuple[str, ...]
    unprotected: Select = Select()  # noqa: RUF009  it is frozen
    """Excludes the instances that are meant to be in no plan."""

    @property
    def all_regions(self) -> tuple[str, ...]:
        """All Regions that may have snapshots of ours, without repeats."""
        return tuple(dict.fromkeys((*self.regions, *self.copy_regions)))


def read_scope(plans: Path | None) -> Scope:
    """Read the file, or the deployment if there is none; end the command if that cannot be done. Raises AwsError."""
    return _of_file(plans) if plans else scope_of(read_deployment())


def scope_of(deployment: Deployment) -> Scope:
    """Return what the deployment is about."""
    detail = deployment.details["audit"]
    return Scope(
        plans=deployment.plans,
        regions=deployment.regions,
        copy_regions=deployment.copy_regions,
        unprotected=Select(
            exclude=tuple(detail.get("unprotected", ())), exclude_tags=detail.get("unprotectedTags", {})
        ),
    )


def _of_file(path: Path) -> Scope:
    # pydantic takes a tenth of a second, and only plans.toml needs it.
    from lightsail_snapshots_plans.file import InvalidPlansError  # noqa: PLC0415
    from lightsail_snapshots_plans.plans import read_plans  # noqa: PLC0415

    try:
        plans = read_plans(path, region=signed_in_region())
    except InvalidPlansError as error:
        raise CommandError(str(error), USAGE) from error
    if not all(plan.regions for plan in plans.plans):
        raise CommandError(
            "In which Region is the stack? Set AWS_REGION, or name regions in plans.toml.", NOT_SIGNED_IN
        )
    regions = (*plans.regions, *(region for plan in plans.plans for region in plan.regions))
    return Scope(
        plans=plans.plans,
        regions=tuple(dict.fromkeys(regions)),
        copy_regions=tuple(dict.fromkeys(region for plan in plans.plans for region in plan.copy_to)),
        unprotected=Select(exclude=plans.unprotected, exclude_tags=plans.unprotected_tags),
    )
