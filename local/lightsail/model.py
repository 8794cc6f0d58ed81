"""Checks requests and answers against botocore's model of Lightsail.

Like the service, it checks names, patterns, enums and tags; botocore sends a request without checking these. It checks
the emulator's own answers too, so that a mistake is found here and not in a client.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import OperationModel, ServiceModel
from botocore.session import Session
from botocore.validate import ParamValidator

from local.lightsail.errors import LightsailError, invalid

# The service accepts dots, although its model's pattern does not. A name starts and ends with a letter or a digit.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,253}[A-Za-z0-9]")
TAG_TEXT = re.compile(r"[\w +\-=.:/@]*")
TAGS_PER_RESOURCE = 50
TAG_KEY_LENGTH = 128
TAG_VALUE_LENGTH = 256

# Values that AWS returns although its model lacks them (the CLI's samples of copy-snapshot, create-key-pair,
# delete-key-pair and get-instance). What it returns for TagResource and UntagResource is not confirmed; the model has
# nothing for them.
UNLISTED = {
    ("OperationType", "CopySnapshot"),
    ("OperationType", "CreateKeyPair"),
    ("OperationType", "DeleteKeyPair"),
    ("OperationType", "TagResource"),
    ("OperationType", "UntagResource"),
    ("PortAccessType", "public"),
}


@cache
def service() -> ServiceModel:
    """Lightsail's service model, as the installed botocore has it."""
    return ServiceModel(Loader().load_service_model("lightsail", "service-2"), "lightsail")


@cache
def regions() -> Mapping[str, str]:
    """Name and description of each Region that has an endpoint in botocore (the enum has one more)."""
    partition = Loader().load_data("endpoints")["partitions"][0]
    return {name: partition["regions"][name]["description"] for name in Session().get_available_regions("lightsail")}


def operation(name: str) -> OperationModel:
    """The model of an operation, or UnknownOperationException."""
    if name not in service().operation_names:
        raise LightsailError("UnknownOperationException", f"Lightsail has no operation {name}")
    return service().operation_model(name)


def input_shape(name: str) -> Any:
    """The shape of an operation's request."""
    return operation(name).input_shape


def output_shape(name: str) -> Any:
    """The shape of an operation's answer."""
    return operation(name).output_shape


def check_request(name: str, parameters: Any) -> None:
    """Reject what Lightsail rejects, with all problems in one message."""
    shape = input_shape(name)
    report = ParamValidator().validate(parameters, shape)
    if report.has_errors():
        raise invalid(report.generate_report())
    problems = list(_request_problems(parameters, shape, ""))
    if problems:
        raise invalid(" ".join(problems))


def shape_errors(name: str, answer: Any) -> list[str]:
    """The differences between an answer and its shape."""
    shape = output_shape(name)
    report = ParamValidator().validate(answer, shape)
    if report.has_errors():
        return [str(report.generate_report())]
    return [
        f"{path}: {value!r} is not one of {leaf.name}"
        for path, value, leaf in leaves(answer, shape)
        if leaf.enum and value not in leaf.enum and (leaf.name, value) not in UNLISTED
    ]


def leaves(value: Any, shape: Any, path: str = "") -> Iterator[tuple[str, str, Any]]:
    """Every string in `value`, with its path and its shape."""
    if shape.type_name == "structure":
        for member, child in shape.members.items():
            if value.get(member) is not None:
                yield from leaves(value[member], child, f"{path}.{member}".lstrip("."))
    elif shape.type_name == "list":
        for index, item in enumerate(value):
            yield from leaves(item, shape.member, f"{path}[{index}]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from leaves(key, shape.key, f"{path}.{key}")
            yield from leaves(item, shape.value, f"{path}.{key}")
    elif shape.type_name == "string":
        yield path, value, shape


def _request_problems(parameters: Any, shape: Any, path: str) -> Iterator[str]:
    for where, value, leaf in leaves(parameters, shape, path):
        yield from _string_problems(where, value, leaf)
    if "tags" in parameters:
        yield from tag_problems(parameters["tags"])


def _string_problems(path: str, value: str, shape: Any) -> Iterator[str]:
    if shape.name == "ResourceName":
        yield from name_problems(value)
    elif shape.enum and value not in shape.enum:
        yield f"{path}: {value} is not one of {', '.join(shape.enum)}."
    elif (pattern := shape.metadata.get("pattern")) and not re.fullmatch(pattern, value, re.DOTALL):
        yield f"{path}: {value} does not match {pattern}."


def name_problems(name: str) -> Iterator[str]:
    """Lightsail's message about a bad name. The limit of 255 characters is the guide's; its message is not known."""
    if not NAME.fullmatch(name):
        yield (
            f"{name} is not a valid resource name. Resource names must be at least 2 characters long"
            " and contain only alphanumerics, -, _, and ."
        )


def tag_problems(tags: list[dict[str, str]]) -> Iterator[str]:
    """The limits of the Lightsail guide. The model has none: even a tag's key is optional there."""
    keys = [tag.get("key", "") for tag in tags]
    if len(tags) > TAGS_PER_RESOURCE:
        yield f"A resource can have at most {TAGS_PER_RESOURCE} tags."
    if len(set(keys)) < len(keys):
        yield "Each tag key must be unique."
    for tag in tags:
        yield from _tag_text_problems("key", tag.get("key", ""), 1, TAG_KEY_LENGTH)
        yield from _tag_text_problems("value", tag.get("value", ""), 0, TAG_VALUE_LENGTH)


def _tag_text_problems(what: str, text: str, shortest: int, longest: int) -> Iterator[str]:
    if not shortest <= len(text) <= longest:
        yield f"The tag {what} {text[:40]!r} must have {shortest} to {longest} characters."
    if not TAG_TEXT.fullmatch(text):
        yield f"The tag {what} {text!r} may contain only letters, numbers, spaces and + - = . _ : / @"
    if text.lower().startswith("aws:"):
        yield f"The tag {what} {text!r} may not begin with aws:"
