"""The lines of the keys of plans.toml."""

from lightsail_snapshots_plans.file import line_numbers


def test_the_line_of_every_kind_of_key_is_found() -> None:
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
