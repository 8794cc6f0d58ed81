"""A function with a wrong environment fails in its init phase, and says why."""

from datetime import timedelta

import pytest

from lightsail_snapshots.settings import AuditSettings, ReconcilerSettings, Settings, SettingsError

GOOD = {
    "AWS_REGION": "us-east-1",
    "SNAPSHOT_REGIONS": "us-east-1,eu-west-1",
    "EVENT_BUS_NAME": "b",
    "QUEUE_URL": "https://queue",
    "DEAD_LETTER_QUEUE_URL": "https://dead-letters",
    "DEADLINE_SECONDS": "7200",
    "FIRST_RETRY_SECONDS": "15",
}


def test_settings_are_read_from_the_environment() -> None:
    settings = ReconcilerSettings.from_environment(GOOD)
    assert settings.regions == ("us-east-1", "eu-west-1")
    assert (settings.queue_url, settings.dead_letter_queue_url) == ("https://queue", "https://dead-letters")
    assert (settings.deadline, settings.first_retry) == (timedelta(hours=2), timedelta(seconds=15))


@pytest.mark.parametrize("kind", [Settings, ReconcilerSettings])
def test_copy_regions_are_read_by_every_function(kind: type[Settings]) -> None:
    assert kind.from_environment(GOOD).copy_regions == ()
    settings = kind.from_environment({**GOOD, "COPY_REGIONS": "eu-central-1,eu-west-1"})
    assert settings.copy_regions == ("eu-central-1", "eu-west-1")


def test_error_names_every_missing_and_invalid_variable() -> None:
    with pytest.raises(SettingsError) as caught:
        ReconcilerSettings.from_environment({"AWS_REGION": "us-east-1", "DEADLINE_SECONDS": "many"})
    assert str(caught.value) == (
        "SNAPSHOT_REGIONS is not set; EVENT_BUS_NAME is not set; QUEUE_URL is not set; "
        "DEAD_LETTER_QUEUE_URL is not set; FIRST_RETRY_SECONDS is not set; DEADLINE_SECONDS must be a whole number, "
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
