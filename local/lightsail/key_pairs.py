"""The operations on key pairs. They have names and no keys."""

from typing import Any

from local.lightsail import errors
from local.lightsail.region import Region
from local.lightsail.resources import KeyPair, tags_from

NO_KEY = "The emulator makes no keys."


def create_key_pair(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Create a key pair. The answer has texts instead of keys."""
    name = request["keyPairName"]
    region.check_free([name])
    key_pair = region.add(
        KeyPair(
            name=name,
            region=region.name,
            account=region.account,
            created_at=region.now,
            tags=tags_from(request.get("tags", [])),
        )
    )
    [operation] = region.describe([region.record("CreateKeyPair", key_pair)])
    return {
        "keyPair": key_pair.describe(),
        "publicKeyBase64": NO_KEY,
        "privateKeyBase64": NO_KEY,
        "operation": operation,
    }


def delete_key_pair(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Delete a key pair. Instances that use it keep its name."""
    key_pair = region.find(request["keyPairName"], KeyPair)
    region.remove(key_pair)
    [operation] = region.describe([region.record("DeleteKeyPair", key_pair)])
    return {"operation": operation}


def get_key_pair(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """One key pair, by name. Whether AWS finds the default key pair here is not confirmed; the emulator does not."""
    return {"keyPair": region.find(request["keyPairName"], KeyPair).describe()}


def get_key_pairs(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """A page of the Region's key pairs, without the default one."""
    if request.get("includeDefaultKeyPair"):
        raise errors.unsupported("The emulator does not list the default key pair.")
    page, token = region.page(region.resources_of_type(KeyPair), request.get("pageToken"))
    return {"keyPairs": [key_pair.describe() for key_pair in page], **token}
