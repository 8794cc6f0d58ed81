"""A tiny web server on 127.0.0.1 that stands for what runs on instances, behind their firewalls.

An instance that is made while it serves has 127.0.0.1 as its public address, so all of them share one server. If one
of them runs and has the server's port open, it answers with the names of all such; else it closes the connection. So a
probe of a restored instance must open the port first.
"""

import errno
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

from local.lightsail.emulator import Emulator
from local.lightsail.errors import invalid
from local.lightsail.resources import Instance

HOST = "127.0.0.1"


class ProbeTarget(ThreadingHTTPServer):
    """The server. It is up to the caller to close it."""

    block_on_close = False  # its threads may wait for the emulator's lock, which the caller has

    def __init__(self, emulator: Emulator, port: int) -> None:
        """Bind to a port; 0 takes any free one."""
        super().__init__((HOST, port), _Handler)
        self._emulator = emulator
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop serving, and free the port."""
        self.shutdown()
        self.server_close()

    def reachable_instances(self) -> list[str]:
        """Return the names of the instances that answer."""
        emulator = self._emulator
        with emulator.lock:
            regions = [region for account in emulator.accounts.values() for region in account.values()]
            return [
                one.name
                for region in regions
                for one in region.resources_of_type(Instance)
                if one.address == HOST and one.state_at(region.now) == "running" and self._is_open(one)
            ]

    def _is_open(self, instance: Instance) -> bool:
        return any(rule["fromPort"] <= self.server_port <= rule["toPort"] for rule in instance.ports)


class _Handler(BaseHTTPRequestHandler):
    server: ProbeTarget
    timeout = 5

    def do_GET(self) -> None:
        names = self.server.reachable_instances()
        if not names:
            self.close_connection = True
            return
        body = f"It works: {', '.join(names)}\n".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        """Log nothing."""


def start(emulator: Emulator, port: int) -> int:
    """Serve on this port, or on any free one if it is 0, instead of the one before; return the port."""
    stop(emulator)
    try:
        target = ProbeTarget(emulator, port)
    except OSError as error:
        raise invalid(f"The port {port} cannot be used: {errno.errorcode.get(error.errno or 0)}.") from error
    emulator.probe_target, emulator.settings.public_address = target, HOST
    return target.server_port


def stop(emulator: Emulator) -> None:
    """Stop serving; instances that are made from now on have addresses of their own."""
    if emulator.probe_target:
        emulator.probe_target.close()
    emulator.probe_target, emulator.settings.public_address = None, ""
