"""Every operation that the emulator has, by name. It rejects Lightsail's other operations by name.

An operation takes the called Region and the request, which `model` has checked. It returns the answer or raises
LightsailError.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local.lightsail import instances, reading, snapshots, tagging
from local.lightsail.region import Region

Parameters = dict[str, Any]

OPERATIONS: Mapping[str, Callable[[Region, Parameters], dict[str, Any]]] = {
    "CopySnapshot": snapshots.copy_snapshot,
    "CreateInstanceSnapshot": snapshots.create_instance_snapshot,
    "CreateInstances": instances.create_instances,
    "CreateInstancesFromSnapshot": instances.create_instances_from_snapshot,
    "DeleteInstance": instances.delete_instance,
    "DeleteInstanceSnapshot": snapshots.delete_instance_snapshot,
    "GetActiveNames": reading.get_active_names,
    "GetInstance": reading.get_instance,
    "GetInstances": reading.get_instances,
    "GetInstanceSnapshot": reading.get_instance_snapshot,
    "GetInstanceSnapshots": reading.get_instance_snapshots,
    "GetInstanceState": reading.get_instance_state,
    "GetOperation": reading.get_operation,
    "GetOperations": reading.get_operations,
    "GetOperationsForResource": reading.get_operations_for_resource,
    "GetRegions": reading.get_regions,
    "StartInstance": instances.start_instance,
    "StopInstance": instances.stop_instance,
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
}
