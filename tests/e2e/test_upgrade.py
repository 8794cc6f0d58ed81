"""What `make upgrade-test` notices, and what it says about a commit that is not there. It runs too long to run here."""

import subprocess
from pathlib import Path
from typing import Any, cast

import pytest

from local.aws import LocalAws
from tests.e2e import upgrade
from tests.e2e.upgrade_books import Books, Slot

SLOT = Slot("us-east-1", "web-1", "20261123T031500Z")
AVAILABLE, FAILED = {"detail-type": "Instance Snapshot Available"}, {"detail-type": "Instance Snapshot Failed"}


def snapshot(name: str = "web-1-20261123T031500Z-1", *, at: int = 0, plan: str = "", **tags: str) -> dict[str, Any]:
    tags |= {"managed-by": "lightsail-snapshots", "snapshot-name": name, "snapshot-plan": plan}
    return {
        "arn": name,
        "name": name,
        "createdAt": at,
        "fromInstanceName": SLOT.instance,
        "fromInstanceArn": "web-1",
        "location": {"regionName": SLOT.region},
        "tags": [{"key": key, "value": value} for key, value in tags.items()],
    }


def books(*outcomes: dict[str, Any], snapshots: list[dict[str, Any]] | None = None, copy_to: str = "") -> Books:
    made = Books(cast("LocalAws", None), expected={SLOT}, requests={"request": SLOT})
    made.outcomes["request"] = [
        {
            **event,
            "detail": {"reason": "TooLate", **event.get("detail", {}), **({"copyTo": [copy_to]} if copy_to else {})},
        }
        for event in outcomes
    ]
    made.made = {each["arn"]: each for each in ([snapshot()] if snapshots is None else snapshots)}
    made.present = set(made.made)
    return made


def test_books_find_nothing_wrong_with_one_snapshot_or_one_failure() -> None:
    assert books(AVAILABLE).problems() == []
    assert books(AVAILABLE, AVAILABLE).problems() == []  # delivered twice
    assert books(FAILED, snapshots=[]).problems() == []


def test_books_accept_what_an_earlier_version_rejects() -> None:
    rejected = books({**FAILED, "detail": {"reason": "InvalidRequest"}})
    assert rejected.problems()
    rejected.handed_back = {SLOT}
    assert rejected.problems() == []


def test_books_excuse_what_was_in_flight_when_the_stack_was_destroyed() -> None:
    for lost in (books(snapshots=[]), books(AVAILABLE, copy_to="eu-west-1")):
        assert lost.problems()
        lost.excused = lost.in_flight
        assert lost.problems() == []


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        (books(snapshots=[]), "no outcome, 0 snapshots"),
        (books(), "no outcome, 1 snapshots"),
        (books(AVAILABLE, snapshots=[]), "there is no snapshot"),
        (books(AVAILABLE, FAILED), "Available and TooLate"),
        (books(FAILED), "TooLate, 1 snapshots"),
        (books(AVAILABLE, snapshots=[snapshot(), snapshot("web-1-20261123T031500Z-2")]), "2 snapshots"),
        (books(AVAILABLE, copy_to="eu-west-1"), "the copy is without an outcome"),
    ],
)
def test_books_find_what_is_lost_or_doubled(wrong: Books, problem: str) -> None:
    assert [each for each in wrong.problems() if problem in each]


def test_books_find_a_snapshot_that_should_not_be_deleted() -> None:
    nights = [snapshot(f"web-1-2026112{night}T041500Z-1", at=night, plan="weekly") for night in range(1, 5)]
    kept = books(AVAILABLE, snapshots=[snapshot(), *nights])
    kept.deleted = {nights[0]["arn"], nights[2]["arn"]}
    kept.present.remove(nights[0]["arn"])
    assert kept.problems() == []
    kept.present.remove(nights[2]["arn"])
    assert kept.problems() == [f"{nights[2]['name']} is gone, and should not be"]


def git(folder: Path, *arguments: str) -> None:
    settings = ["-c", "user.name=test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *settings, *arguments], cwd=folder, check=True, capture_output=True)  # noqa: S603, S607


def test_check_out_writes_the_files_of_a_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clone, shallow, earlier = tmp_path / "clone", tmp_path / "shallow", tmp_path / "earlier"
    for folder in (clone, earlier):
        folder.mkdir()
    git(clone, "init", "--quiet")
    for text in ("first", "second"):
        (clone / "app.py").write_text(text)
        git(clone, "add", ".")
        git(clone, "commit", "--quiet", "-m", f"Say {text}")
    git(clone, "tag", "v1", "HEAD~1")
    monkeypatch.setattr(upgrade, "ROOT", clone)
    assert upgrade.check_out("v1", earlier).endswith(" Say first")
    assert (earlier / "app.py").read_text() == "first"
    with pytest.raises(upgrade.CommitMissingError, match="git fetch --tags"):
        upgrade.check_out("v2", earlier)
    git(tmp_path, "clone", "--quiet", "--depth", "1", clone.as_uri(), str(shallow))
    monkeypatch.setattr(upgrade, "ROOT", shallow)
    with pytest.raises(upgrade.CommitMissingError, match="git fetch --unshallow"):
        upgrade.check_out("v1", earlier)
