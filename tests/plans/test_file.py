"""The lines of keys, and the messages for a file that cannot be read or is not TOML."""

from pathlib import Path

import pytest

from lightsail_snapshots_plans.file import InvalidPlansError, line_numbers
from lightsail_snapshots_plans.plans import read_plans
from tests.support.plan_text import error_of, plan_toml, read


def test_line_of_every_kind_of_key_is_found() -> None:
    text = """\
notify = [
  "a@example.com",  # x = 1
]
# schedule = "commented"
[plans.daily]  # the first
select.tags = { backup = "daily" }
on = { source = ["a"] }
[ plans . "a.b" . keep ]
'last' = 7
note = "x = y"
"""
    assert line_numbers(text) == {
        ("notify",): 1,
        ("plans",): 5,
        ("plans", "daily"): 5,
        ("plans", "daily", "select"): 6,
        ("plans", "daily", "select", "tags"): 6,
        ("plans", "daily", "on"): 7,
        ("plans", "a.b"): 8,
        ("plans", "a.b", "keep"): 8,
        ("plans", "a.b", "keep", "last"): 9,
        ("plans", "a.b", "keep", "note"): 10,
    }


def test_byte_order_mark_is_ignored(tmp_path: Path) -> None:
    assert read(tmp_path, "\ufeff" + plan_toml()).plans


def test_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidPlansError) as raised:
        read_plans(tmp_path / "plans.toml")
    assert str(raised.value) == (
        f"{tmp_path}/plans.toml does not exist. It names the instances to take snapshots of; an empty file is enough "
        "if only custom events ask for snapshots."
    )


def test_binary_file_and_folder_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "plans.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidPlansError, match="cannot be read: 'utf-8' codec"):
        read_plans(path)
    with pytest.raises(InvalidPlansError, match="cannot be read: "):
        read_plans(tmp_path)


def test_value_that_python_cannot_hold_is_an_error(tmp_path: Path) -> None:
    for value in ("1" * 5000, "[" * 50_000 + "]" * 50_000):
        error = str(error_of(tmp_path, f"create_concurrency = {value}\n"))
        assert error.startswith("plans.toml is not valid TOML: ")


ON_ONE_LINE = "a table in braces must end on the same line; or give it a header, such as [plans.daily.select]"
NOT_TOML = {
    "max_age = 26h": 'text must be in quotes: max_age = "26h"',
    "schedule = daily": 'text must be in quotes: schedule = "daily"',
    "schedule = cron(15 3 * * ? *)  # at night": 'text must be in quotes: schedule = "cron(15 3 * * ? *)"',
    "regions = [eu-central-1]": 'text must be in quotes: "eu-central-1"',
    'names = ["blog", shop-*]': 'text must be in quotes: "shop-*"',
    "keep = { within = 3d }": 'text must be in quotes: "3d"',
    "notify = [you@example.com]": 'text must be in quotes: "you@example.com"',
    "dry_run = True": "write dry_run = true, in lower case",
    "timezone = \u201cEurope/Berlin\u201d": 'replace the curly quotes with straight ones: "',
    'timezone = "Europe/Berlin': 'a closing " is missing',
    'select = { all = true,\n  exclude = ["a"] }': ON_ONE_LINE,
    "select = {\n  all = true\n}": ON_ONE_LINE,
    'select = { tags = { backup = "daily" }': ON_ONE_LINE,
    "select = { all = true, }": "remove the comma before the closing }",
    'names = ["a" "b"]': "a comma or a closing bracket is missing, here or in a line above",
    "schedule =": "invalid value at column 11",
    "name = 'x": 'expected "\'" at the end of the file',
}
"""Text, and the likely cause of its error."""


def test_syntax_error_shows_line_and_likely_cause(tmp_path: Path) -> None:
    assert str(error_of(tmp_path, 'regions = ["eu-west-1"\ndry_run = true\n')).endswith(
        "plans.toml:2: dry_run = true\n    a comma or a closing bracket is missing, here or in a line above"
    )
    for text, cause in NOT_TOML.items():
        assert (
            str(error_of(tmp_path, f"[plans.daily]\n{text}\n")).split()
            == (
                "plans.toml is not valid TOML; nothing was synthesized. "
                f"plans.toml:2: {text.partition(chr(10))[0]} {cause}"
            ).split()
        )


def test_syntax_error_shows_both_lines_when_a_table_or_key_is_repeated(tmp_path: Path) -> None:
    assert str(error_of(tmp_path, "[plans.daily]\ndry_run = true\n\n[plans.daily]\n")) == (
        "plans.toml is not valid TOML; nothing was synthesized.\n\n"
        "plans.toml:4: [plans.daily]\n"
        "    plans.daily is already in line 1: rename or remove one of the two"
    )
    assert str(error_of(tmp_path, "[plans.daily]\ndry_run = true\ndry_run = false\n")).endswith(
        "plans.toml:3: dry_run = false\n    plans.daily.dry_run is already in line 2: rename or remove one of the two"
    )
    assert str(error_of(tmp_path, "[plans.daily]\nkeep.last = 7\nkeep = { weekly = 4 }\n")).endswith(
        "plans.toml:3: keep = { weekly = 4 }\n"
        "    plans.daily.keep is already in line 2: rename or remove one of the two"
    )
