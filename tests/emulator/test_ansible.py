"""Ansible's modules for Lightsail against the server. Nobody here wrote them, and each must be idempotent."""

import json
import os
import subprocess
import sys
from typing import Any

from tests.emulator.endpoints import REGION, ROOT, HttpEndpoint, client

ANSIBLE = ROOT / "build/ansible"
PORTS = [{"from_port": 22, "to_port": 22, "protocol": "tcp", "cidrs": ["203.0.113.0/24"], "ipv6_cidrs": []}]
INSTANCE = {
    "name": "web-1",
    "zone": f"{REGION}a",
    "blueprint_id": "ubuntu_24_04",
    "bundle_id": "small_3_0",
    "public_ports": PORTS,
}
SNAPSHOT = {"snapshot_name": "snap-1", "instance_name": "web-1"}
STATIC_IP = {"name": "ip-1"}
ABSENT = {"state": "absent"}


def run_twice(server: HttpEndpoint, *steps: tuple[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """Run each module twice, check that only the first run changes something, and return the second results."""
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ANSIBLE),
        "AWS_ENDPOINT_URL_LIGHTSAIL": server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": REGION,
        "NO_PROXY": "127.0.0.1",
    }
    ended = subprocess.run(  # noqa: S603 - our own command
        [sys.executable, ROOT / "tests/emulator/ansible/run_modules.py"],
        input=json.dumps([step for step in steps for _ in range(2)]),
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == 0, ended.stderr
    results: list[dict[str, Any]] = json.loads(ended.stdout)
    assert [result.get("changed", result) for result in results] == [True, False] * len(steps)
    return results[1::2]


def test_ansible_creates_and_deletes_each_resource_once(server: HttpEndpoint) -> None:
    assert (ANSIBLE / "ready").exists(), "Ansible is not installed: run `make build/ansible/ready`."
    server.control("settings", snapshotSeconds=0)
    lightsail = client(server)

    instance, static_ip, snapshot = run_twice(
        server, ("lightsail", INSTANCE), ("lightsail_static_ip", STATIC_IP), ("lightsail_snapshot", SNAPSHOT)
    )
    [port] = instance["instance"]["networking"]["ports"]
    assert {**PORTS[0], "access_from": "Custom"}.items() <= port.items()
    assert static_ip["static_ip"]["is_attached"] is False
    assert snapshot["instance_snapshot"]["state"] == "available"

    lightsail.attach_static_ip(staticIpName="ip-1", instanceName="web-1")  # no module does this
    run_twice(
        server,
        ("lightsail_snapshot", {**SNAPSHOT, **ABSENT}),
        ("lightsail", {"name": "web-1", **ABSENT}),
        ("lightsail_static_ip", {**STATIC_IP, **ABSENT}),
    )
    assert lightsail.get_active_names()["activeNames"] == []
