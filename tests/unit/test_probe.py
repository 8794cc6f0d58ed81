"""The probe of a restore drill, against servers on this machine."""

import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar
from unittest.mock import patch

import pytest
import trustme

from lightsail_snapshots import probe
from lightsail_snapshots.drill_options import Probe
from lightsail_snapshots.probe import SIZE_LIMIT, ProbeError, ask

HERE, HOST = "127.0.0.1", "shop.example.com"
AUTHORITY = trustme.CA()


class Page(BaseHTTPRequestHandler):
    """Answers by path, and remembers the last Host."""

    answers: ClassVar[Mapping[str, tuple[int, bytes]]] = {
        "/health": (200, b"all is ok"),
        "/error": (500, b""),
        "/moved": (302, b""),
        "/large": (200, b"x" * (2 * SIZE_LIMIT) + b"ok"),
    }
    hosts: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.hosts.append(self.headers["Host"])
        status, body = self.answers[self.path]
        self.send_response(status)
        self.send_header("Location", "/health")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - the base class has the name
        pass


class Quiet(HTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is what these tests are about."""


@contextmanager
def served(certificate_for: str = "") -> Iterator[int]:
    server = Quiet((HERE, 0), Page)
    if certificate_for:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        AUTHORITY.issue_cert(certificate_for).configure_cert(context)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def trusted() -> Iterator[None]:
    """A machine that trusts our authority."""
    real = ssl.create_default_context

    def trusting() -> ssl.SSLContext:
        context = real()
        AUTHORITY.configure_trust(context)
        return context

    with patch("ssl.create_default_context", trusting):
        yield


def test_tcp_probe_only_connects() -> None:
    with served() as port:
        ask(Probe(port=port, protocol="tcp"), HERE)
    with pytest.raises(ProbeError, match=r"does not answer: .*refused"):
        ask(Probe(port=port, protocol="tcp"), HERE)


def test_http_probe_sends_the_host_and_wants_status_and_text() -> None:
    with served() as port:
        ask(Probe(port=port, protocol="http", host=HOST, path="/health", text="ok"), HERE)
        assert Page.hosts[-1] == HOST
        ask(Probe(port=port, protocol="http", path="/error", status=500), HERE)
        with pytest.raises(ProbeError, match=r"^/error answers with status 500 instead of 200$"):
            ask(Probe(port=port, protocol="http", path="/error"), HERE)
        with pytest.raises(ProbeError, match=r"^/health answers without the text fine$"):
            ask(Probe(port=port, protocol="http", path="/health", text="fine"), HERE)


def test_http_probe_does_not_follow_a_redirect() -> None:
    with served() as port, pytest.raises(ProbeError, match="status 302 instead of 200"):
        ask(Probe(port=port, protocol="http", path="/moved"), HERE)


def test_http_probe_reads_no_more_than_its_limit() -> None:
    with served() as port, pytest.raises(ProbeError, match="without the text ok"):
        ask(Probe(port=port, protocol="http", path="/large", text="ok"), HERE)


@pytest.mark.usefixtures("trusted")
def test_https_probe_checks_the_certificate_for_the_host_and_not_the_address() -> None:
    with served(HOST) as port:
        ask(Probe(port=port, protocol="https", host=HOST, path="/health"), HERE)
        with pytest.raises(ProbeError, match=r"^the certificate is not for blog\.example\.com: Hostname mismatch"):
            ask(Probe(port=port, protocol="https", host="blog.example.com", path="/health"), HERE)


def test_https_probe_without_a_host_checks_no_certificate() -> None:
    with served("other.example.com") as port:
        ask(Probe(port=port, protocol="https", path="/health"), HERE)


def test_https_probe_fails_when_nobody_trusts_the_certificate() -> None:
    with served(HOST) as port, pytest.raises(ProbeError, match=r"^the certificate is not for"):
        ask(Probe(port=port, protocol="https", host=HOST, path="/health"), HERE)


def test_probe_fails_when_its_time_is_over() -> None:
    with served() as port, patch.object(probe, "TIME_LIMIT", 0.0), pytest.raises(ProbeError):
        ask(Probe(port=port, protocol="http", path="/health"), HERE)
