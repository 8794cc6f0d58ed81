"""The settings of a deployment, and what a user reads who got one wrong."""

from typing import Any

import pytest
from aws_cdk import App, Aws

from infra.settings import Settings, SettingsError


def settings(**context: Any) -> Settings:
    """Read the settings from a CDK context."""
    return Settings.from_context(App(context=context).node)


def test_without_settings_the_stack_serves_its_own_region_gently() -> None:
    assert settings() == Settings(regions=(Aws.REGION,), create_concurrency=2)


@pytest.mark.parametrize(
    "written", ["eu-central-1,us-east-1", " eu-central-1 , us-east-1", ["eu-central-1", "us-east-1"]]
)
def test_regions_are_a_list_or_separated_by_commas(written: Any) -> None:
    assert settings(regions=written).regions == ("eu-central-1", "us-east-1")


def test_a_region_named_twice_counts_once() -> None:
    assert settings(regions="us-east-1,us-east-1").regions == ("us-east-1",)


@pytest.mark.parametrize("written", [5, "5"])
def test_the_concurrency_is_a_number_or_text_from_the_command_line(written: Any) -> None:
    assert settings(create_concurrency=written).create_concurrency == 5


@pytest.mark.parametrize("region", ["ap-southeast-5", "us-gov-west-1"])
def test_a_region_need_not_be_known_to_this_version(region: str) -> None:
    assert settings(regions=region).regions == (region,)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("eu-central-1a", "regions: 'eu-central-1a' is an Availability Zone; its Region is 'eu-central-1'"),
        ("Frankfurt", "regions: 'Frankfurt' is not a Region; write it like 'eu-central-1'"),
        ("us-east-1,", "regions: '' is not a Region; write it like 'eu-central-1'"),
        ([], "regions: is empty; name at least one Region, or leave it out"),
    ],
)
def test_a_wrong_region_is_named_with_what_is_right(written: Any, message: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(regions=written)
    assert str(caught.value).splitlines() == ["The settings cannot be used:", message]


def test_without_settings_there_are_no_copies() -> None:
    assert settings().copy_regions == ()


def test_copy_regions_are_read_and_checked_like_regions() -> None:
    assert settings(copy_regions="eu-west-1,eu-west-2").copy_regions == ("eu-west-1", "eu-west-2")
    with pytest.raises(SettingsError) as caught:
        settings(regions="us-east-1a", copy_regions="eu-west-1a")
    assert str(caught.value).splitlines()[1:] == [
        "regions: 'us-east-1a' is an Availability Zone; its Region is 'us-east-1'",
        "copy_regions: 'eu-west-1a' is an Availability Zone; its Region is 'eu-west-1'",
    ]


@pytest.mark.parametrize("written", [1, 1001, "many", "-2", 2.5, True])
def test_a_wrong_concurrency_is_named_with_its_bounds(written: Any) -> None:
    with pytest.raises(SettingsError, match=r"create_concurrency: .* is not a whole number from 2 to 1000"):
        settings(create_concurrency=written)


def test_everything_wrong_is_reported_at_once() -> None:
    with pytest.raises(SettingsError) as caught:
        settings(regions="us-east-1a,moon", create_concurrency=0)
    assert len(str(caught.value).splitlines()) == 4
