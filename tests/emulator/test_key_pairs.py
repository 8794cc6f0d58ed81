"""Key pairs."""

from tests.emulator.builders import error_from, make_instance
from tests.emulator.endpoints import Lightsail


def test_key_pair_is_created_without_a_real_key(lightsail: Lightsail) -> None:
    made = lightsail.create_key_pair(keyPairName="ops", tags=[{"key": "team", "value": "web"}])
    assert made["privateKeyBase64"] == made["publicKeyBase64"] == "The emulator makes no keys."
    assert made["operation"]["operationType"] == "CreateKeyPair"
    found = lightsail.get_key_pair(keyPairName="ops")["keyPair"]
    assert found["tags"] == [{"key": "team", "value": "web"}]
    assert found["location"]["availabilityZone"] == "all"
    assert [one["name"] for one in lightsail.get_key_pairs()["keyPairs"]] == ["ops"]


def test_instance_has_the_key_pair_of_its_request(lightsail: Lightsail) -> None:
    assert make_instance(lightsail, "web-1")["sshKeyName"] == "LightsailDefaultKeyPair"
    lightsail.create_key_pair(keyPairName="ops")
    assert make_instance(lightsail, "web-2", keyPairName="ops")["sshKeyName"] == "ops"
    error = error_from(make_instance, lightsail=lightsail, name="web-3", keyPairName="nope")
    assert error["message"] == "The KeyPair does not exist: nope"


def test_deleted_key_pair_is_not_found(lightsail: Lightsail) -> None:
    lightsail.create_key_pair(keyPairName="ops")
    assert lightsail.delete_key_pair(keyPairName="ops")["operation"]["status"] == "Succeeded"
    assert error_from(lightsail.get_key_pair, keyPairName="ops")["name"] == "NotFoundException"
    assert error_from(lightsail.get_key_pairs, includeDefaultKeyPair=True)["code"] == "UnsupportedOperation"
