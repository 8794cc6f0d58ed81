"""Checks that only read, and ask for what cannot be."""

from botocore.exceptions import ClientError

from lightsail_snapshots.aws.errors import NotFoundError
from lightsail_snapshots_cli.doctor.attempt import Attempt
from lightsail_snapshots_cli.doctor.belief import AS_ASSUMED, DIFFERS, HANDLED, NOT_HERE
from lightsail_snapshots_cli.doctor.walk import Walk
from lightsail_snapshots_cli.errors import explain, is_not_enabled
from lightsail_snapshots_cli.parameters import lightsail_regions


def check_regions(walk: Walk) -> None:
    answer = walk.home.read(walk.home.client.get_regions)
    live, known = {each["name"] for each in answer["regions"]}, set(lightsail_regions())
    only = [
        f"only {who} has {', '.join(sorted(names))}"
        for who, names in (("Lightsail", live - known), ("the SDK", known - live))
        if names
    ]
    walk.settle("regions", HANDLED if only else AS_ASSUMED, "; ".join(only) or f"the same {len(live)} Regions")


def check_not_enabled(walk: Walk) -> None:
    errors = walk.listing.errors
    if not errors:
        walk.settle("region-not-enabled", NOT_HERE, "every Region is enabled here")
        return
    odd = {region: error for region, error in errors.items() if not is_not_enabled(error)}
    shown = odd or errors
    texts = sorted({f"{region}: {explain(error).message}" for region, error in shown.items()})
    walk.settle("region-not-enabled", HANDLED if odd else AS_ASSUMED, " ".join(texts))


def check_page_size(walk: Walk) -> None:
    page = walk.home.read(walk.home.client.get_operations)
    count, is_full = len(page["operations"]), bool(page.get("nextPageToken"))
    found = f"{count} on the first page of more" if is_full else f"one page has all {count}"
    walk.settle("page-size", AS_ASSUMED if is_full else NOT_HERE, found)


def check_not_found(walk: Walk) -> None:
    made = walk.home.create_snapshot(walk.name("of-nothing"), walk.name("nothing"))
    is_told = isinstance(made.error, NotFoundError)
    walk.settle("not-found", AS_ASSUMED if is_told else DIFFERS, f"{made}{_status(made)}")


def _status(made: Attempt) -> str:
    cause = made.error.__cause__ if made.error else None
    if not isinstance(cause, ClientError):
        return ""
    return f", with the HTTP status {cause.response['ResponseMetadata']['HTTPStatusCode']}"
