"""The trimmed data, compared with the installed botocore."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, OperationModel, ServiceModel, Shape, StructureShape
from botocore.session import Session

from infra.asset.botocore_data import DATA, trimmed_data, trimmed_model
from lightsail_snapshots.aws import OPERATIONS


def loader_of(folder: Path) -> Loader:
    return Loader(extra_search_paths=[str(folder)], include_default_search_paths=False)


def session_of(folder: Path) -> Session:
    session = Session()
    session.register_component("data_loader", loader_of(folder))
    session.set_credentials("test", "test")
    return session


@pytest.fixture(scope="module")
def trimmed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the operations that the code calls."""
    folder = tmp_path_factory.mktemp("data")
    for name, value in trimmed_data(OPERATIONS).items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(json.dumps(value))
    return folder


def service_model(folder: Path, service: str) -> ServiceModel:
    return ServiceModel(loader_of(folder).load_service_model(service, "service-2"), service)


def spelled_out(shape: Shape | None, seen: tuple[str, ...] = ()) -> Any:
    """Everything that botocore reads of a shape, with the shapes inside it; a shape inside itself by its name."""
    if shape is None or shape.name in seen:
        return shape and shape.name
    seen = (*seen, shape.name)
    inside: dict[str, Shape] = {}
    match shape:
        case StructureShape():
            inside = dict(shape.members)
        case ListShape():
            inside = {"member": shape.member}
        case MapShape():
            inside = {"key": shape.key, "value": shape.value}
    return {
        "name": shape.name,
        "type": shape.type_name,
        "metadata": shape.metadata,
        "serialization": shape.serialization,
        "inside": {name: spelled_out(child, seen) for name, child in inside.items()},
    }


def spelled_out_operation(operation: OperationModel) -> dict[str, Any]:
    return {
        "http": operation.http,
        "wire_name": operation.wire_name,
        "auth": operation.auth_type,
        "context": [operation.static_context_parameters, operation.context_parameters],
        "input": spelled_out(operation.input_shape),
        "output": spelled_out(operation.output_shape),
        "errors": [spelled_out(shape) for shape in operation.error_shapes],
    }


@pytest.mark.parametrize(
    ("service", "operation"), [(service, name) for service, names in OPERATIONS.items() for name in names]
)
def test_operations_equal_those_of_the_installed_botocore(trimmed: Path, service: str, operation: str) -> None:
    ours, theirs = (service_model(folder, service).operation_model(operation) for folder in (trimmed, DATA))
    assert spelled_out_operation(ours) == spelled_out_operation(theirs)


@pytest.mark.parametrize("service", OPERATIONS)
def test_only_the_operations_that_the_code_calls_are_kept(trimmed: Path, service: str) -> None:
    ours, theirs = (service_model(folder, service) for folder in (trimmed, DATA))
    assert set(ours.operation_names) == set(OPERATIONS[service])
    assert ours.metadata == theirs.metadata


@pytest.mark.parametrize("service", OPERATIONS)
def test_client_can_raise_every_exception_of_its_operations(trimmed: Path, service: str) -> None:
    client = session_of(trimmed).create_client(service, "us-east-1")
    model = service_model(DATA, service)
    errors = {shape.name for name in OPERATIONS[service] for shape in model.operation_model(name).error_shapes}
    assert errors
    assert all(issubclass(getattr(client.exceptions, name), client.exceptions.ClientError) for name in errors)


@pytest.mark.parametrize("service", OPERATIONS)
def test_endpoints_equal_those_of_the_installed_botocore(trimmed: Path, service: str) -> None:
    ours, theirs = session_of(trimmed), session_of(DATA)
    regions = theirs.get_available_regions(service)
    assert ours.get_available_regions(service) == regions
    for region in [*regions, "xx-new-1"]:
        endpoints = [session.create_client(service, region).meta.endpoint_url for session in (ours, theirs)]
        assert endpoints[0] == endpoints[1]


def test_documentation_is_dropped_and_a_member_of_that_name_kept() -> None:
    model: dict[str, Any] = {
        "metadata": {"serviceId": "Example"},
        "operations": {"Get": {"name": "Get", "documentation": "text", "output": {"shape": "Page"}}, "Put": {}},
        "shapes": {
            "Page": {
                "type": "structure",
                "members": {"documentation": {"shape": "Text", "documentation": "text"}, "shape": {"shape": "Text"}},
            },
            "Text": {"type": "string", "documentation": "text"},
            "Unreached": {"type": "string"},
        },
    }
    assert trimmed_model(model, ["Get"]) == {
        "metadata": {"serviceId": "Example"},
        "operations": {"Get": {"name": "Get", "output": {"shape": "Page"}}},
        "shapes": {
            "Page": {
                "type": "structure",
                "members": {"documentation": {"shape": "Text"}, "shape": {"shape": "Text"}},
            },
            "Text": {"type": "string"},
        },
    }


def test_error_names_all_operations_that_botocore_does_not_have() -> None:
    with pytest.raises(ValueError, match="no operation FlyAway, MakeTea in Lightsail"):
        trimmed_data({"lightsail": ("MakeTea", "GetInstance", "FlyAway")})
