"""Asks the clone of a drill whether it answers: over TCP, HTTP or HTTPS."""

import socket
import ssl
import time
from http.client import HTTPConnection, HTTPException

from lightsail_snapshots.drill_options import Probe

TIME_LIMIT = 8.0
"""Seconds for everything."""
SIZE_LIMIT = 65_536
"""Bytes of the answer that are read."""
_AGENT = "lightsail-snapshots-drill"


class ProbeError(Exception):
    """Raised if the clone does not answer as it should; says how it does."""


def ask(probe: Probe, address: str) -> None:
    """Return if the clone at a public address answers as the probe wants; else raise ProbeError.

    HTTP redirects are an answer, and are not followed.
    """
    deadline = time.monotonic() + TIME_LIMIT
    try:
        with socket.create_connection((address, probe.port), timeout=TIME_LIMIT) as plain:
            if probe.protocol != "tcp":
                _ask_http(probe, address, plain, deadline)
    except ssl.SSLCertVerificationError as error:
        raise ProbeError(f"the certificate is not for {probe.host}: {error.verify_message}") from error
    except HTTPException as error:
        raise ProbeError(f"port {probe.port} does not answer in HTTP: {type(error).__name__}") from error
    except OSError as error:
        raise ProbeError(f"port {probe.port} does not answer: {error}") from error


def _ask_http(probe: Probe, address: str, plain: socket.socket, deadline: float) -> None:
    stream = _with_tls(probe, plain) if probe.protocol == "https" else plain
    connection = HTTPConnection(probe.host or address, probe.port)
    connection.sock = stream
    try:
        stream.settimeout(_left(deadline))
        headers = {"Host": probe.host or address, "User-Agent": _AGENT, "Connection": "close"}
        connection.request("GET", probe.path, headers=headers)
        response = connection.getresponse()
        if response.status != probe.status:
            raise ProbeError(f"{probe.path} answers with status {response.status} instead of {probe.status}")
        body = b""
        while probe.text and len(body) < SIZE_LIMIT and not response.isclosed():  # from Python 3.13 on, at its end
            stream.settimeout(_left(deadline))
            part = response.read1(SIZE_LIMIT - len(body))
            body += part
            if probe.text.encode() in body:
                return
            if not part:
                break
        if probe.text:
            raise ProbeError(f"{probe.path} answers without the text {probe.text}")
    finally:
        connection.close()


def _with_tls(probe: Probe, plain: socket.socket) -> ssl.SSLSocket:
    """Start TLS. With a host its certificate must be valid for that name; the clone has another address."""
    context = ssl.create_default_context()
    if not probe.host:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(plain, server_hostname=probe.host or None)


def _left(deadline: float) -> float:
    left = deadline - time.monotonic()
    if left <= 0:
        raise ProbeError(f"no answer within {TIME_LIMIT:g} seconds")
    return left
