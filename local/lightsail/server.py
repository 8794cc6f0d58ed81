"""The server endpoint: an HTTP server for any SDK and the AWS CLI.

    with serving() as server:
        boto3.client("lightsail", endpoint_url=server.url, region_name="eu-central-1")

`server.emulator` is the emulator itself. The server reads the Region from a request's signature and does not check the
signature. Only this machine can reach it.
"""

import socket
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Thread
from typing import Any

from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server
from werkzeug.wrappers import Request, Response

from local.lightsail import control, wire
from local.lightsail.emulator import Emulator
from local.lightsail.errors import LightsailError

HOST = "127.0.0.1"


class _Quiet(WSGIRequestHandler):
    def log_request(self, *_args: object) -> None:
        """Log nothing."""


@dataclass
class Server:
    """A listening server."""

    emulator: Emulator
    http: BaseWSGIServer

    @property
    def url(self) -> str:
        """A client's endpoint_url."""
        return f"http://{HOST}:{self.http.port}"


def listen(emulator: Emulator, port: int = 0) -> Server:
    """Bind to a port (0: any free one). `server.http.serve_forever()` serves."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        return _respond(emulator, Request(environ))(environ, start_response)

    return Server(emulator, make_server(HOST, port, application, threaded=True, request_handler=_Quiet))


@contextmanager
def serving() -> Iterator[Server]:
    """A server in a thread, until the block ends."""
    server = listen(Emulator())
    thread = Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.http.shutdown()
        thread.join()
        server.http.server_close()


def _respond(emulator: Emulator, request: Request) -> Response:
    body = request.get_data()
    if request.path.startswith(control.PATH):
        return _response(control.control(emulator, request.method, request.path, body))
    headers = {name.lower(): value for name, value in request.headers.items()}
    try:
        call = wire.read(headers, body)
    except LightsailError as error:
        return _response(wire.reject(error))
    answer = emulator.handle(call)
    time.sleep(answer.delay)
    if answer.lost:
        # The client sees the connection end, as if the network broke.
        request.environ["werkzeug.socket"].shutdown(socket.SHUT_RDWR)
    return _response(wire.write(answer))


def _response(reply: wire.Reply) -> Response:
    return Response(reply.body, reply.status, reply.headers)
