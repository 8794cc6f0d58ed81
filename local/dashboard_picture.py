"""Draws the dashboard's layout as the template has it: `python -m local.dashboard_picture docs/dashboard.svg`.

The example plans are those below; what each widget shows is its title, its kind and the labels of its metrics.
"""

import json
import sys
import tempfile
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from app import build_app

PLANS = """
[plans.daily]
schedule = "cron(15 3 * * ? *)"
select   = { tags = { backup = "daily" } }
keep     = { last = 7 }
max_age  = "26h"
regions  = ["eu-central-1"]
copy_to  = ["eu-west-1"]

[plans.weekly]
schedule = "cron(15 4 ? * SUN *)"
select   = { tags = { backup = "weekly" } }
keep     = { last = 4 }
max_age  = "8d"
regions  = ["eu-central-1"]
"""

COLUMN, ROW, GAP = 46, 42, 4
"""Pixels of one unit of a dashboard, which is 24 columns wide, and between two widgets."""
COLORS = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
KINDS = {"timeSeries": "graph over time", "singleValue": "number now"}

FAINT = 'font-size="11" fill="#687078"'

Widget = Mapping[str, Any]


def picture() -> str:
    """Synthesizes the stack with the example plans and returns its dashboard as an SVG image."""
    with tempfile.TemporaryDirectory() as folder:
        plans = Path(folder, "plans.toml")
        plans.write_text(PLANS, encoding="utf-8")
        build_app(context={"aws:cdk:bundling-stacks": [], "plans": str(plans)}, outdir=folder).synth()
        template = json.loads(Path(folder, "LightsailSnapshots.template.json").read_text(encoding="utf-8"))
    resources: Mapping[str, Any] = template["Resources"]
    (body,) = (
        each["Properties"]["DashboardBody"]
        for each in resources.values()
        if each["Type"] == "AWS::CloudWatch::Dashboard"
    )
    return _draw(json.loads(_text(body, resources))["widgets"])


def _text(value: Any, resources: Mapping[str, Any]) -> str:
    """Joins the parts of a text; what is referred to is shown by its name where it has one, an alarm for example."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(_text(part, resources) for part in parts)
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]}:
            return str(resources.get(name, {}).get("Properties", {}).get("AlarmName", name))
        case _:
            return str(value)


def _draw(shown: Sequence[Widget]) -> str:
    width = 24 * COLUMN
    height = max(widget["y"] + widget["height"] for widget in shown) * ROW
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif">',
        f'<rect width="{width}" height="{height}" fill="#f2f3f3"/>',
        *(line for widget in shown for line in _widget(widget)),
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def _widget(widget: Widget) -> Iterator[str]:
    left, top = widget["x"] * COLUMN + GAP, widget["y"] * ROW + GAP
    width, height = widget["width"] * COLUMN - 2 * GAP, widget["height"] * ROW - 2 * GAP
    properties = widget["properties"]
    yield f'<rect x="{left}" y="{top}" width="{width}" height="{height}" rx="4" fill="#fff" stroke="#d5dbdb"/>'
    line = top + 6
    for title in textwrap.wrap(properties["title"], width // 8):
        line += 16
        yield _line(left + 10, line, title, 'font-size="14" font-weight="bold"')
    line += 18
    yield _line(left + 10, line, KINDS.get(properties.get("view", ""), "state of each alarm"), FAINT)
    room = (top + height - line) // 16 - 1
    entries = list(_entries(properties))
    left_out = len(entries) - room
    for number, (label, color) in enumerate(entries[: room if left_out <= 0 else room - 1]):
        yield f'<circle cx="{left + 15}" cy="{line + 16 * (number + 1)}" r="4" fill="{color}"/>'
        yield _line(left + 25, line + 16 * (number + 1) + 4, label)
    if left_out > 0:
        yield _line(left + 25, line + 16 * room + 4, f"and {left_out + 1} more", FAINT)


def _entries(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yields what a widget shows, with its color: alarms, metrics, and lines drawn across."""
    for alarm in properties.get("alarms", []):
        yield alarm.removeprefix("lightsail-snapshots-"), "#2ca02c"
    for number, metric in enumerate(properties.get("metrics", [])):
        options = metric[-1] if isinstance(metric[-1], dict) else {}
        yield options.get("label", metric[1]), COLORS[number % len(COLORS)]
    for line in properties.get("annotations", {}).get("horizontal", []):
        yield f"line at {line['value']:g}: {line['label']}", "#aab7b8"


def _line(x: int, y: int, text: str, style: str = 'font-size="12"') -> str:
    return f'<text x="{x}" y="{y}" {style}>{escape(text)}</text>'


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(picture(), encoding="utf-8")
