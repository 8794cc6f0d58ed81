"""A function with a wrong environment fails in its init phase, and says why."""

import pytest

from lightsail_snapshots.settings import AuditSettings, ReconcilerSettings, Settings, SettingsError

GOOD = {
    "AWS_REGION": "us-east-1",
    "SNAPSHOT_REGIONS": "us-east-1,eu-west-1",
    "EVENT_BUS_NAME": "b",
    "MAX_RECEIVE_COUNT": "9",
}


def test_settings_are_read_from_the_environment() -> None:
    settings = ReconcilerSettings.from_environment(GOOD)
    assert settings.regions == ("us-east-1", "eu-west-1")
    assert settings.max_receive_count == 9


@pytest.mark.parametrize("kind", [Settings, ReconcilerSettings])
def test_copy_regions_are_read_by_every_function(kind: type[Settings]) -> None:
    assert kind.from_environment(GOOD).copy_regions == ()
    settings = kind.from_environment({**GOOD, "COPY_REGIONS": "eu-central-1,eu-west-1"})
    assert settings.copy_regions == ("eu-central-1", "eu-west-1")


def test_error_names_every_missing_and_invalid_variable() -> None:
    with pytest.raises(SettingsError) as caught:
        ReconcilerSettings.from_environment({"AWS_REGION": "us-east-1", "MAX_RECEIVE_COUNT": "many"})
    assert str(caught.value) == (
        "SNAPSHOT_REGIONS is not set; EVENT_BUS_NAME is not set; MAX_RECEIVE_COUNT must be a whole number, "
        "not 'many': deploy the stack again, which sets all of them"
    )


def test_fan_out_needs_only_regions_and_the_bus() -> None:
    settings = Settings.from_environment(GOOD)
    assert (settings.region, settings.regions, settings.event_bus_name) == (
        "us-east-1",
        ("us-east-1", "eu-west-1"),
        "b",
    )
    with pytest.raises(SettingsError) as caught:
        Settings.from_environment({"EVENT_BUS_NAME": "b"})
    assert str(caught.value) == (
        "AWS_REGION is not set; SNAPSHOT_REGIONS is not set: deploy the stack again, which sets all of them"
    )


def test_audit_needs_the_runbook() -> None:
    assert AuditSettings.from_environment({**GOOD, "RUNBOOK": "docs/operations.md"}).runbook == "docs/operations.md"
    with pytest.raises(SettingsError, match="RUNBOOK is not set"):
        AuditSettings.from_environment(GOOD)
