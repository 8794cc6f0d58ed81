"""TagResource and UntagResource."""

from typing import Any

from local.lightsail.errors import invalid
from local.lightsail.model import TAGS_PER_RESOURCE
from local.lightsail.region import Region
from local.lightsail.resources import Resource, tags_from


def tag_resource(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags, or give those that are there a new value: all of them or, over the limit, none."""
    resource = _named(region, request)
    tags = resource.tags | tags_from(request["tags"])
    if len(tags) > TAGS_PER_RESOURCE:
        raise invalid(f"A resource can have at most {TAGS_PER_RESOURCE} tags.")
    resource.tags = tags
    return {"operations": region.describe([region.record("TagResource", resource)])}


def untag_resource(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Take tags off; a key that is not there is no error."""
    resource = _named(region, request)
    gone = set(request["tagKeys"])
    resource.tags = {key: value for key, value in resource.tags.items() if key not in gone}
    return {"operations": region.describe([region.record("UntagResource", resource)])}


def _named(region: Region, request: dict[str, Any]) -> Resource:
    resource = region.resource(request["resourceName"])
    if request.get("resourceArn") not in (None, resource.arn):
        raise invalid(f"{request['resourceArn']} is not the resource {resource.name}.")
    return resource
