"""The operations that only read."""

from typing import Any

from local.lightsail import model
from local.lightsail.catalog import BLUEPRINTS, BUNDLES
from local.lightsail.errors import not_found
from local.lightsail.region import ZONES, Region
from local.lightsail.resources import Instance, InstanceSnapshot

NEWEST_REGIONS = ("ap-east-1", "eu-south-2", "sa-east-1")  # whether they are open to all is not confirmed
MAX_OPERATIONS = 200  # the API reference: GetOperations returns at most the last 200


def get_instance(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """One instance, by name."""
    return {"instance": region.instance(request["instanceName"]).describe(region.now)}


def get_instance_state(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """The state of one instance."""
    return {"state": region.instance(request["instanceName"]).state_description(region.now)}


def get_instances(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """A page of the Region's instances."""
    page, token = region.page(region.resources_of_type(Instance), request.get("pageToken"))
    return {"instances": [instance.describe(region.now) for instance in page], **token}


def get_instance_snapshot(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """One instance snapshot, by name."""
    return {"instanceSnapshot": region.snapshot(request["instanceSnapshotName"]).describe(region.now)}


def get_instance_snapshots(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """A page of the Region's instance snapshots."""
    page, token = region.page(region.resources_of_type(InstanceSnapshot), request.get("pageToken"))
    return {"instanceSnapshots": [snapshot.describe(region.now) for snapshot in page], **token}


def get_active_names(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """A page of the names of all resources, of any type."""
    page, token = region.page(list(region.names.values()), request.get("pageToken"))
    return {"activeNames": [resource.name for resource in page], **token}


def get_operation(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """One operation, by its id."""
    operation = region.operations.get(request["operationId"])
    if operation is None:
        raise not_found("Operation", request["operationId"])
    return {"operation": operation.describe(region.now)}


def get_operations(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """A page of the last operations, oldest first."""
    known = list(region.operations.values())[-MAX_OPERATIONS:]
    page, token = region.page(known, request.get("pageToken"))
    return {"operations": region.describe(page), **token}


def get_operations_for_resource(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """A page of the operations on one resource, newest first. The resource may have been deleted."""
    name = request["resourceName"]
    about = [operation for operation in region.operations.values() if operation.resource == name]
    if not about:
        raise not_found("Resource", name)
    page, token = region.page(about[::-1], request.get("pageToken"), newest_first=True)
    return {"operations": region.describe(page), **token}


def get_bundles(_region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """All bundles, in one page."""
    return {
        "bundles": [
            bundle.describe() for bundle in BUNDLES.values() if bundle.is_active or request.get("includeInactive")
        ]
    }


def get_blueprints(_region: Region, _request: dict[str, Any]) -> dict[str, Any]:
    """All blueprints, in one page."""
    return {"blueprints": [blueprint.describe() for blueprint in BLUEPRINTS.values()]}


def get_regions(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """The Regions that botocore knows an endpoint for."""
    return {
        "regions": [
            {
                "name": name,
                "displayName": description.partition("(")[2].rstrip(")"),
                "description": f"The {description} Region",
                "availabilityZones": [
                    {"zoneName": f"{name}{letter}", "state": "available"}
                    for letter in ZONES
                    if request.get("includeAvailabilityZones")
                ],
                "relationalDatabaseAvailabilityZones": [],
            }
            for name, description in model.regions().items()
            if region.settings.newest_regions or name not in NEWEST_REGIONS
        ]
    }
