"""The documents hold together: links lead somewhere, examples are sound, dependencies and folders have reasons."""

import json
import re
from pathlib import Path

import pytest

from tests.support.events import example, schema

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("local/**/*.md")])
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EVENTS = {path.name: json.loads(path.read_text())["title"] for path in sorted(ROOT.glob("docs/events/*.json"))}
"""The detail-type of each published schema, by the name of its file."""
_LINK = re.compile(r"\]\((?!https?://)([^)\s]+)\)")


def links() -> list[tuple[Path, str]]:
    """Return every relative link with the document that it stands in."""
    return [(path, link) for path in DOCUMENTS for link in _LINK.findall(path.read_text(encoding="utf-8"))]


def anchors(path: Path) -> set[str]:
    """Return the headings of a document as GitHub makes anchors of them."""
    headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize(("path", "link"), links(), ids=lambda value: getattr(value, "name", value))
def test_each_link_leads_somewhere(path: Path, link: str) -> None:
    to, _, anchor = link.partition("#")
    target = path.parent / to if to else path
    assert target.exists()
    assert not anchor or anchor in anchors(target)


def dependencies() -> set[str]:
    """Return what each requirements*.in and package.json name, as CONTRIBUTING.md writes it."""
    folders = [ROOT, ROOT / "lambda", ROOT / "tests/emulator/ansible", ROOT / "tests/mutants"]
    lines = "\n".join(path.read_text() for folder in folders for path in folder.glob("requirements*.in"))
    names = {name.partition("[")[0] for name in re.findall(r"^([\w-]+(?:\[[\w,]+\])?)==", lines, re.MULTILINE)}
    package = json.loads((ROOT / "package.json").read_text())
    return names | {f"{name} (npm)" for name in package["dependencies"] | package["devDependencies"]}


def test_each_dependency_has_its_reason_and_no_other_has_one() -> None:
    _, _, table = CONTRIBUTING.partition("\n## Dependencies, and why each is here\n")
    rows = re.findall(r"^\| ([^|]+) \| [^|]{10,} \|$", table, re.MULTILINE)
    assert {name.partition("[")[0] for row in rows for name in row.split(", ")} == dependencies()


def test_the_tree_has_one_line_for_each_folder_of_code() -> None:
    (drawn,) = re.findall(r"\n## Where things are\n.*?```text\n(.*?)```", CONTRIBUTING, re.DOTALL)
    paths = {line.split()[0] for line in drawn.splitlines()}
    assert {path for path in paths if not (ROOT / path).exists()} == set()
    files = [path.relative_to(ROOT) for path in ROOT.glob("[a-z]*/**/*.py") if "node_modules" not in path.parts]
    folders = {f"{file.parent}/" for file in files if file.parts[0] not in {"build", "cdk.out"}}
    assert {folder for folder in folders if folder not in paths} == set()


def test_each_event_of_the_contract_is_listed() -> None:
    listed = (ROOT / "docs/events/README.md").read_text(encoding="utf-8")
    assert {name for name, title in EVENTS.items() if f"| [`{title}`]({name}) |" not in listed} == set()


@pytest.mark.parametrize("detail_type", EVENTS.values())
def test_the_published_example_of_each_event_fits_its_schema(detail_type: str) -> None:
    validator = schema(detail_type)
    validator.check_schema(validator.schema)
    published = example(detail_type)
    assert published["detail-type"] == detail_type
    assert list(validator.iter_errors(published)) == []


def test_each_command_of_make_is_there_and_has_its_line_in_the_help() -> None:
    texts = [path.read_text(encoding="utf-8") for path in DOCUMENTS]
    named = {target for text in texts for target in re.findall(r"(?:`|^|\$ )make ([a-z-]+)\b", text, re.MULTILINE)}
    listed = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert named
    assert named <= listed
