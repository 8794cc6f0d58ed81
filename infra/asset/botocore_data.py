"""Trims botocore's data to the operations that the code calls.

botocore has data for 400 services; we call a handful of operations of two. A cold start would spend most of its time on
loading the rest. The data are trimmed from the installed botocore at every build, so they cannot go stale.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import Loader

DATA = Path(botocore.__file__).parent / "data"

# What the client reads besides its own service's files.
# - _retry: the throttling codes of the legacy retry mode, which is what `Config()` without a mode gets.
# - partitions: "which partition is this Region in?" for the endpoint rules.
# - sdk-default-configuration: what AWS_DEFAULTS_MODE and `Config(defaults_mode=…)` mean.
SHARED = ("_retry", "partitions", "sdk-default-configuration")


def trimmed_data(operations: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """The files of a `botocore/data` that knows only `operations` (service -> names): path -> JSON value.

    Raises:
        ValueError: a service or operations that the installed botocore does not have.

    """
    # The default search paths hold ~/.aws/models, which is this user's and not what was tested.
    loader = Loader(extra_search_paths=[str(DATA)], include_default_search_paths=False)
    files: dict[str, Any] = {f"{name}.json": loader.load_data(name) for name in SHARED}
    files["endpoints.json"] = _trimmed_endpoints(loader.load_data("endpoints"), operations)
    for service, names in operations.items():
        files.update(_service_files(loader, service, names))
    return files


def trimmed_model(model: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """A `service-2.json` with the operations `names`, the shapes that these reach, and no documentation."""
    if unknown := sorted(set(names) - model["operations"].keys()):
        raise ValueError(f"botocore has no operation {', '.join(unknown)} in {model['metadata']['serviceId']}")
    operations = {name: model["operations"][name] for name in sorted(names)}
    shapes = sorted(_reachable(model["shapes"], operations))
    cut = {**model, "operations": operations, "shapes": {name: model["shapes"][name] for name in shapes}}
    trimmed: dict[str, Any] = _undocumented(cut)
    return trimmed


def _service_files(loader: Loader, service: str, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    version = loader.determine_latest_version(service, "service-2")
    model = loader.load_service_model(service, "service-2", version)
    folder = f"{service}/{version}"
    yield f"{folder}/service-2.json", trimmed_model(model, names)
    yield (
        f"{folder}/endpoint-rule-set-1.json",
        loader.load_service_model(service, "endpoint-rule-set-1", version),
    )
    if (DATA / folder / "paginators-1.json").exists():
        pages = loader.load_service_model(service, "paginators-1", version)["pagination"]
        if kept := {name: pages[name] for name in sorted(names) if name in pages}:
            yield f"{folder}/paginators-1.json", {"pagination": kept}


def _trimmed_endpoints(endpoints: Mapping[str, Any], services: Mapping[str, Any]) -> dict[str, Any]:
    """`endpoints.json` with the Regions of every partition, and of the services only ours."""
    partitions = [
        {**partition, "services": {k: v for k, v in partition["services"].items() if k in services}}
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _reachable(shapes: Mapping[str, Any], operations: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = list(_references(operations))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_references(shapes[name]))
    return found


def _references(node: Any) -> Iterator[str]:
    """Every `{"shape": name}` in a part of a model. A member that is called "shape" is a dict, not a name."""
    if isinstance(node, dict):
        if isinstance(node.get("shape"), str):
            yield node["shape"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def _undocumented(node: Any) -> Any:
    """The same JSON without documentation. A member that is called "documentation" is a dict, and stays."""
    if isinstance(node, dict):
        return {
            key: _undocumented(value)
            for key, value in node.items()
            if not (key == "documentation" and isinstance(value, str))
        }
    return [_undocumented(child) for child in node] if isinstance(node, list) else node
