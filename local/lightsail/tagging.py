"""TagResource and UntagResource."""

from typing import Any

from local.lightsail.errors import invalid
from local.lightsail.model import TAGS_PER_RESOURCE
from local.lightsail.region import Region
from local.lightsail.resources import Resource, tags_from


def tag_resource(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Add tags or change their values; add none if there would be too many."""
    resource = _named(region, request)
    tags = resource.tags | tags_from(request["tags"])
    if len(tags) > TAGS_PER_RESOURCE:
        raise invalid(f"A resource can have at most {TAGS_PER_RESOURCE} tags.")
    resource.tags = tags
    return {"operations": region.describe([region.record("TagResource", resource)])}


def untag_resource(region: Region, request: dict[str, Any]) -> dict[str, Any]:
    """Remove tags. Keys that the resource does not have are ignored."""
    resource = _named(region, request)
    gone = set(request["tagKeys"])
    resource.tags = {key: value for key, value in resource.tags.items() if key not in gone}
    return {"operations": region.describe([region.record("UntagResource", resource)])}


def _named(region: Region, request: dict[str, Any]) -> Resource:
    resource = region.find(request["resourceName"], Resource)
    if request.get("resourceArn") not in (None, resource.arn):
        raise invalid(f"{request['resourceArn']} is not the resource {resource.name}.")
    return resource
