"""`copy`: sees one copy of a snapshot through, in one other Region, until it is tagged and usable.

CopySnapshot takes no tags, so a copy is untagged at first, perhaps for long: where the function was interrupted, or
TagResource refused. The tags are what makes it ours, and prune may delete what is ours. So what has the name and lacks
our tags gets them only where Lightsail's own record says that it is a copy of this very snapshot; when in doubt it
stays as it is. See `reconciler` for what comes before and after.
"""

from contextlib import suppress
from typing import Any

from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch.types import PartialItemFailureResponse
from aws_lambda_powertools.utilities.typing import LambdaContext

from lightsail_snapshots.aws.errors import AccessDeniedError, NameInUseError, NotFoundError, RefusedError, TryLaterError
from lightsail_snapshots.aws.lightsail import Lightsail, lightsail
from lightsail_snapshots.events import INSTANCE_SNAPSHOT_COPIED
from lightsail_snapshots.events.copy_request import CopyRequest, parse_copy_request
from lightsail_snapshots.events.instance_snapshot_outcomes import Reason, copied_detail
from lightsail_snapshots.naming import COPY_OF_KEY, MANAGED_BY, MANAGED_BY_KEY
from lightsail_snapshots.observability import logger, metrics
from lightsail_snapshots.reconciler import (
    Failed,
    Pending,
    Reconciler,
    State,
    Usable,
    event_bus,
    find_name_owner,
    settings,
)
from lightsail_snapshots.snapshot import AVAILABLE, ERROR, Snapshot

for each in settings.copy_regions:  # in Lambda's init phase, where the CPU is not throttled
    lightsail(each)


def parse(message: object) -> CopyRequest:
    """Read a message of the queue, or raise InvalidRequestError."""
    return parse_copy_request(message, copy_regions=settings.copy_regions)


def reconcile(request: CopyRequest, attempt: int) -> State:
    """Move the world one step towards a usable copy; `attempt` counts deliveries from 1.

    Raises TryLaterError where nothing could be done now, which includes whatever Lightsail refuses: its limit on
    copies at a time is not documented, nor is the error that goes with it.
    """
    region = lightsail(request.destination)
    try:
        if attempt > 1 and (snapshot := region.find_snapshot(request.instance_snapshot_name)):
            return _state(request, snapshot, region)
        return _copy(request, attempt, region)
    except AccessDeniedError as error:
        return Failed(Reason.ACCESS_DENIED, f"The copy function's role may not do this. {error}")
    except RefusedError as error:
        raise TryLaterError(str(error)) from error


def _copy(request: CopyRequest, attempt: int, region: Lightsail) -> State:
    name = request.instance_snapshot_name
    try:
        region.copy_snapshot(name, request.region)
    except NotFoundError as error:
        return Failed(Reason.SOURCE_GONE, f"There is no snapshot {name} in {request.region} any more. {error}")
    except NameInUseError as error:
        snapshot = find_name_owner(name, region, attempt, error)
        return _state(request, snapshot, region) if snapshot else _name_in_use(request)
    return _tag(request, region)


def _state(request: CopyRequest, snapshot: Snapshot, region: Lightsail) -> State:
    if not (snapshot.is_ours and snapshot.tags.get(COPY_OF_KEY) == request.source.copy_of):
        return _tag(request, region) if _lacks_only_tags(request, snapshot, region) else _name_in_use(request)
    if snapshot.state == AVAILABLE:
        return Usable(snapshot)
    if snapshot.state == ERROR:
        what = f"Lightsail could not make the copy {snapshot.name} in {snapshot.region}; its state is error"
        return Failed(Reason.SNAPSHOT_ERROR, f"{what}. Delete it there, and send the request again.")
    return Pending()


def _tag(request: CopyRequest, region: Lightsail) -> State:
    """Tag what is certainly our copy; that the tags are there is seen when it comes back."""
    with suppress(NotFoundError):  # it may not be visible yet
        if left_out := region.tag_snapshot(request.instance_snapshot_name, request.tags):
            logger.warning("Lightsail takes it only without the tags that have no value", dropped_tags=left_out)
    return Pending()


def _lacks_only_tags(request: CopyRequest, snapshot: Snapshot, region: Lightsail) -> bool:
    """Tell whether this is our copy, not tagged yet: no other owner's tag is on it, and it came about as ours does.

    A copy may carry over the tags of its source, which is not documented. Of all that had the name, the last one made
    is what has it now. That it is younger than our source sets it apart from a copy of an earlier snapshot of the name.
    """
    if snapshot.tags.get(MANAGED_BY_KEY, MANAGED_BY) != MANAGED_BY:
        return False
    operations = region.operations(snapshot.name)
    made = [each for each in operations if each.type in {"CopySnapshot", "CreateInstanceSnapshot"}]
    last = max(made, key=lambda operation: operation.created_at, default=None)
    return (
        last is not None
        and (last.type, last.details) == ("CopySnapshot", f"{request.region}:{request.instance_snapshot_name}")
        and last.created_at > request.source.created_at
    )


def _name_in_use(request: CopyRequest) -> Failed:
    what = f"What has the name {request.instance_snapshot_name} in {request.destination}"
    message = f"{what} is not known to be our copy: look at it, delete it if it is, and send the request again."
    return Failed(Reason.NAME_IN_USE, message)


def announce(request: CopyRequest, copy: Snapshot) -> None:
    """Publish, count and log that the copy is usable."""
    event_bus.put(INSTANCE_SNAPSHOT_COPIED, copied_detail(request, copy), [copy.arn])
    metrics.add_metric("CopiesAvailable", MetricUnit.Count, 1)
    logger.info("Copy is usable", state=Usable.state)


_COPY = Reconciler(metric="Copies", parse=parse, reconcile=reconcile, announce=announce)


@logger.inject_lambda_context(clear_state=True)
@metrics.log_metrics
def handler(event: dict[str, Any], context: LambdaContext) -> PartialItemFailureResponse | dict[str, Any]:
    """Take a batch of the queue, or what one of its messages would hold."""
    return _COPY.handle(event, context)
