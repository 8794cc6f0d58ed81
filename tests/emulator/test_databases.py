"""Managed databases."""

from typing import Any

from tests.emulator.builders import error_from, make_instance
from tests.emulator.endpoints import Endpoint, Lightsail

SHOP: dict[str, Any] = {
    "relationalDatabaseName": "shop-db",
    "relationalDatabaseBlueprintId": "mysql_8_0",
    "relationalDatabaseBundleId": "micro_2_0",
    "masterDatabaseName": "shop",
    "masterUsername": "admin",
}


def test_database_is_listed_until_it_is_deleted(lightsail: Lightsail) -> None:
    lightsail.create_relational_database(**SHOP, tags=[{"key": "env"}])
    [listed] = lightsail.get_relational_databases()["relationalDatabases"]
    assert listed == lightsail.get_relational_database(relationalDatabaseName="shop-db")["relationalDatabase"]
    assert (listed["engine"], listed["engineVersion"], listed["state"]) == ("mysql", "8.0", "available")
    assert (listed["resourceType"], listed["tags"]) == ("RelationalDatabase", [{"key": "env"}])
    assert listed["location"] == {"availabilityZone": "eu-central-1a", "regionName": "eu-central-1"}
    assert ":RelationalDatabase/" in listed["arn"]
    [operation] = lightsail.delete_relational_database(relationalDatabaseName="shop-db", skipFinalSnapshot=True)[
        "operations"
    ]
    assert operation["operationType"] == "DeleteRelationalDatabase"
    assert lightsail.get_relational_databases()["relationalDatabases"] == []


def test_databases_are_listed_in_pages(endpoint: Endpoint, lightsail: Lightsail) -> None:
    endpoint.control("settings", pageSize=2)
    for number in range(3):
        lightsail.create_relational_database(**SHOP | {"relationalDatabaseName": f"db-{number}"})
    first = lightsail.get_relational_databases()
    rest = lightsail.get_relational_databases(pageToken=first["nextPageToken"])
    found = [each["name"] for page in (first, rest) for each in page["relationalDatabases"]]
    assert found == ["db-0", "db-1", "db-2"]


def test_wrong_database_calls_are_rejected(lightsail: Lightsail) -> None:
    make_instance(lightsail)
    lightsail.create_relational_database(**SHOP)
    for changes, text in (
        ({}, "already in use"),
        ({"relationalDatabaseName": "web-1"}, "already in use"),
        ({"relationalDatabaseName": "x1", "availabilityZone": "us-east-1a"}, "not an Availability Zone"),
        ({"relationalDatabaseName": "x1", "relationalDatabaseBlueprintId": "ubuntu_24_04"}, "not a blueprint"),
    ):
        error = error_from(lightsail.create_relational_database, **SHOP | changes)
        assert error["name"] == "InvalidInputException"
        assert text in error["message"]
    assert (
        "skipFinalSnapshot"
        in error_from(lightsail.delete_relational_database, relationalDatabaseName="shop-db")["message"]
    )
    missing = error_from(lightsail.get_relational_database, relationalDatabaseName="nope")
    assert missing["name"] == "NotFoundException"
