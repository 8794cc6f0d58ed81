"""Every operation that the emulator has, by name. It rejects Lightsail's other operations by name.

An operation takes the called Region and the request, which `model` has checked. It returns the answer or raises
LightsailError.
"""

from collections.abc import Callable, Mapping
from typing import Any

from local.lightsail import (
    databases,
    disks,
    instances,
    key_pairs,
    metric_data,
    ports,
    reading,
    snapshots,
    static_ips,
    tagging,
)
from local.lightsail.region import Region

Parameters = dict[str, Any]

OPERATIONS: Mapping[str, Callable[[Region, Parameters], dict[str, Any]]] = {
    "AllocateStaticIp": static_ips.allocate_static_ip,
    "AttachDisk": disks.attach_disk,
    "AttachStaticIp": static_ips.attach_static_ip,
    "CloseInstancePublicPorts": ports.close_instance_public_ports,
    "CopySnapshot": snapshots.copy_snapshot,
    "CreateDisk": disks.create_disk,
    "CreateInstanceSnapshot": snapshots.create_instance_snapshot,
    "CreateInstances": instances.create_instances,
    "CreateInstancesFromSnapshot": instances.create_instances_from_snapshot,
    "CreateKeyPair": key_pairs.create_key_pair,
    "CreateRelationalDatabase": databases.create_relational_database,
    "DeleteDisk": disks.delete_disk,
    "DeleteInstance": instances.delete_instance,
    "DeleteInstanceSnapshot": snapshots.delete_instance_snapshot,
    "DeleteKeyPair": key_pairs.delete_key_pair,
    "DeleteRelationalDatabase": databases.delete_relational_database,
    "DetachDisk": disks.detach_disk,
    "DetachStaticIp": static_ips.detach_static_ip,
    "GetActiveNames": reading.get_active_names,
    "GetBlueprints": reading.get_blueprints,
    "GetBundles": reading.get_bundles,
    "GetDisk": disks.get_disk,
    "GetDisks": disks.get_disks,
    "GetInstance": reading.get_instance,
    "GetInstanceMetricData": metric_data.get_instance_metric_data,
    "GetInstancePortStates": ports.get_instance_port_states,
    "GetInstances": reading.get_instances,
    "GetInstanceSnapshot": reading.get_instance_snapshot,
    "GetInstanceSnapshots": reading.get_instance_snapshots,
    "GetInstanceState": reading.get_instance_state,
    "GetKeyPair": key_pairs.get_key_pair,
    "GetKeyPairs": key_pairs.get_key_pairs,
    "GetOperation": reading.get_operation,
    "GetOperations": reading.get_operations,
    "GetOperationsForResource": reading.get_operations_for_resource,
    "GetRegions": reading.get_regions,
    "GetRelationalDatabase": databases.get_relational_database,
    "GetRelationalDatabases": databases.get_relational_databases,
    "GetStaticIp": static_ips.get_static_ip,
    "GetStaticIps": static_ips.get_static_ips,
    "OpenInstancePublicPorts": ports.open_instance_public_ports,
    "PutInstancePublicPorts": ports.put_instance_public_ports,
    "ReleaseStaticIp": static_ips.release_static_ip,
    "StartInstance": instances.start_instance,
    "StopInstance": instances.stop_instance,
    "TagResource": tagging.tag_resource,
    "UntagResource": tagging.untag_resource,
}
