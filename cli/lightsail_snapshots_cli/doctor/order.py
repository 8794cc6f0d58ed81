"""The checks in their order: the long waits come late, and what deletes the first snapshot after what needs it."""

from lightsail_snapshots_cli.doctor.copy_checks import check_copy, check_copy_pending, check_restore
from lightsail_snapshots_cli.doctor.instance_checks import check_health, check_stopping, make_instance
from lightsail_snapshots_cli.doctor.permission_checks import check_permissions
from lightsail_snapshots_cli.doctor.region_checks import (
    check_not_enabled,
    check_not_found,
    check_page_size,
    check_regions,
)
from lightsail_snapshots_cli.doctor.snapshot_checks import (
    check_delete_pending,
    check_dots,
    check_key_only_tags,
    check_name_free,
    check_names,
    check_second,
    take_first,
    wait_for_first,
)
from lightsail_snapshots_cli.doctor.stack_checks import STACK, check_stack
from lightsail_snapshots_cli.doctor.walk import Check

_IAM = (
    "iam-create-tags",
    "iam-request-tag",
    "iam-instance-tag",
    "iam-delete-tag",
    "iam-tagging",
    "iam-key-case",
    "iam-restore-tags",
    "iam-denial",
)
CHECKS = (
    Check("Reading the Regions", ("regions",), check_regions),
    Check("Looking for Regions that are not enabled", ("region-not-enabled",), check_not_enabled),
    Check("Asking for what does not exist", ("not-found",), check_not_found),
    Check("Looking at the stack", STACK, check_stack),
    Check("Making an instance", ("pending-instance", "pending-ports"), make_instance),
    Check("Taking a snapshot", ("visible", "created-at"), take_first),
    Check(
        "Asking for names that cannot be had",
        ("name-in-use", "one-namespace", "bad-name", "bad-tag"),
        check_names,
    ),
    Check("Copying it while it is pending", ("copy-pending",), check_copy_pending),
    Check("Taking another one meanwhile", ("second-snapshot",), check_second),
    Check("Waiting until it is usable", ("duration",), wait_for_first),
    Check(
        "Copying it to another Region",
        ("copy-tags", "copy-instance", "copy-operation", "copy-tagging"),
        check_copy,
    ),
    Check("Restoring it", ("default-key-pair", "restore-ports"), check_restore),
    Check("Seeing what IAM decides", _IAM, check_permissions),
    Check("Deleting a pending snapshot", ("delete-pending",), check_delete_pending),
    Check("Taking one with a dot in its name", ("dots",), check_dots),
    Check("Taking one with a tag without a value", ("key-only-tags",), check_key_only_tags),
    Check("Using a name again", ("operations", "name-free"), check_name_free),
    Check("Waiting for a status check", ("status-check",), check_health),
    Check("Stopping the instance", ("stopping-instance", "stopped-instance"), check_stopping),
    Check("Reading a page", ("page-size",), check_page_size),
)
