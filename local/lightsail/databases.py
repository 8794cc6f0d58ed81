"""The operations on managed databases, which work at once here. They have no snapshots."""

from typing import Any

from local.lightsail.errors import invalid
from local.lightsail.region import Region
from local.lightsail.resources import RelationalDatabase, tags_from

ENGINES = ("mysql", "postgres")


def create_relational_database(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Create a database."""
    name, zone = request["relationalDatabaseName"], request.get("availabilityZone", f"{region.name}a")
    region.check_free([name])
    region.check_zone(zone)
    engine, _, version = request["relationalDatabaseBlueprintId"].partition("_")
    if engine not in ENGINES or not version:
        raise invalid(f"{request['relationalDatabaseBlueprintId']} is not a blueprint such as mysql_8_0.")
    database = region.add(
        RelationalDatabase(
            name=name,
            region=region.name,
            account=region.account,
            zone=zone,
            created_at=region.now,
            blueprint=request["relationalDatabaseBlueprintId"],
            bundle=request["relationalDatabaseBundleId"],
            engine=engine,
            version=version.replace("_", "."),
            main_database=request["masterDatabaseName"],
            user=request["masterUsername"],
            tags=tags_from(request.get("tags", [])),
        )
    )
    return {"operations": region.describe([region.record("CreateRelationalDatabase", database)])}


def delete_relational_database(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a database; by default AWS makes a final snapshot first, which the emulator does not have."""
    database = region.find(request["relationalDatabaseName"], RelationalDatabase)
    if not request.get("skipFinalSnapshot"):
        raise invalid("The emulator makes no final snapshot of a database: set skipFinalSnapshot.")
    region.remove(database)
    return {"operations": region.describe([region.record("DeleteRelationalDatabase", database)])}


def get_relational_database(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """One database, by name."""
    return {"relationalDatabase": region.find(request["relationalDatabaseName"], RelationalDatabase).describe()}


def get_relational_databases(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """A page of the Region's databases."""
    page, token = region.page(region.resources_of_type(RelationalDatabase), request.get("pageToken"))
    return {"relationalDatabases": [database.describe() for database in page], **token}
