"""Trims botocore's data to the operations that the code calls.

botocore has data for 400 services; we call a handful of operations of three. A cold start would spend most of its time
on loading the rest. The data are trimmed from the installed botocore at every build, so they cannot go stale.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import botocore
from botocore.loaders import Loader

DATA = Path(botocore.__file__).parent / "data"

# Files that a client reads in addition to those of its service:
# - _retry: the throttling codes of the legacy retry mode, which is the default of `Config()`.
# - partitions: which partition a Region is in, for the endpoint rules.
# - sdk-default-configuration: the values of AWS_DEFAULTS_MODE and `Config(defaults_mode=…)`.
SHARED = ("_retry", "partitions", "sdk-default-configuration")


def trimmed_data(operations: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Return the files of a `botocore/data` with these operations alone (service -> names), as path -> JSON value.

    Raises ValueError if the installed botocore does not have one of the operations.
    """
    # The default search paths include ~/.aws/models of this user, which nobody has tested.
    loader = Loader(extra_search_paths=[str(DATA)], include_default_search_paths=False)
    files: dict[str, Any] = {f"{name}.json": loader.load_data(name) for name in SHARED}
    prefixes = set()
    for service, names in operations.items():
        files.update(_service_files(loader, service, names))
        prefixes.add(loader.load_service_model(service, "service-2")["metadata"]["endpointPrefix"])
    files["endpoints.json"] = _trimmed_endpoints(loader.load_data("endpoints"), prefixes)
    return files


def trimmed_model(model: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """Return a `service-2.json` with these operations, the shapes that they use, and no documentation."""
    if unknown := sorted(set(names) - model["operations"].keys()):
        raise ValueError(f"botocore has no operation {', '.join(unknown)} in {model['metadata']['serviceId']}")
    operations = {name: model["operations"][name] for name in sorted(names)}
    shapes = sorted(_used_shapes(model["shapes"], operations))
    used = {**model, "operations": operations, "shapes": {name: model["shapes"][name] for name in shapes}}
    trimmed: dict[str, Any] = _without_documentation(used)
    return trimmed


def _service_files(loader: Loader, service: str, names: Sequence[str]) -> Iterator[tuple[str, Any]]:
    version = loader.determine_latest_version(service, "service-2")
    model = loader.load_service_model(service, "service-2", version)
    folder = f"{service}/{version}"
    yield f"{folder}/service-2.json", trimmed_model(model, names)
    yield f"{folder}/endpoint-rule-set-1.json", loader.load_service_model(service, "endpoint-rule-set-1", version)


def _trimmed_endpoints(endpoints: Mapping[str, Any], services: Collection[str]) -> dict[str, Any]:
    """Return an `endpoints.json` with the Regions of every partition, and only our services."""
    partitions = [
        {**partition, "services": {k: v for k, v in partition["services"].items() if k in services}}
        for partition in endpoints["partitions"]
    ]
    return {**endpoints, "partitions": partitions}


def _used_shapes(shapes: Mapping[str, Any], operations: Mapping[str, Any]) -> set[str]:
    found: set[str] = set()
    waiting = list(_references(operations))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_references(shapes[name]))
    return found


def _references(node: Any) -> Iterator[str]:
    """Yield each name in a `{"shape": name}` of a model. A member called "shape" is a dict, not a name."""
    if isinstance(node, dict):
        if isinstance(node.get("shape"), str):
            yield node["shape"]
        for child in node.values():
            yield from _references(child)
    elif isinstance(node, list):
        for child in node:
            yield from _references(child)


def _without_documentation(node: Any) -> Any:
    """Return the JSON without documentation. A member called "documentation" is a dict, and is kept."""
    if isinstance(node, dict):
        return {
            key: _without_documentation(value)
            for key, value in node.items()
            if not (key == "documentation" and isinstance(value, str))
        }
    return [_without_documentation(child) for child in node] if isinstance(node, list) else node
