"""`python -m local.lightsail`: the emulator as a server."""

import argparse
import signal
import sys

from local.lightsail.control import change_settings
from local.lightsail.emulator import Emulator
from local.lightsail.errors import LightsailError
from local.lightsail.server import listen


def main() -> None:
    """Serve until SIGTERM or Ctrl-C."""
    parser = _parser()
    options = vars(parser.parse_args())
    port = options.pop("port")
    emulator = Emulator()
    try:
        change_settings(emulator, options)
    except LightsailError as error:
        parser.error(str(error))
    server = listen(emulator, port)
    for number in (signal.SIGTERM, signal.SIGINT):  # both: a shell's background jobs ignore SIGINT
        signal.signal(number, signal.default_int_handler)
    ready = f"Lightsail emulator ready: aws --endpoint-url {server.url} lightsail get-regions"
    print(ready, flush=True)  # noqa: T201 - the program's output
    server.http.serve_forever(poll_interval=0.1)  # returns at a KeyboardInterrupt and closes its socket
    sys.stderr.write("Lightsail emulator stopped.\n")


def _parser() -> argparse.ArgumentParser:
    """The options are the settings of the control API, which checks them."""
    parser = argparse.ArgumentParser(prog="python -m local.lightsail", description="An Amazon Lightsail emulator.")
    add = parser.add_argument
    add("--port", type=int, default=4570, help="0 takes a free one (default: 4570)")
    add("--page-size", dest="pageSize", type=int, default=20, help="items per page (default: 20)")
    add("--snapshot-seconds", dest="snapshotSeconds", type=float, default=60, help="until available (default: 60)")
    add("--instance-seconds", dest="instanceSeconds", type=float, default=0, help="until running (default: 0)")
    add("--speed", type=float, default=1, help="emulated seconds per second (default: 1)")
    return parser


if __name__ == "__main__":
    main()
