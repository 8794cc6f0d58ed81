"""`python -m local.lightsail`: the emulator as a server of its own."""

import argparse
import signal
import sys

from local.lightsail.clock import Clock
from local.lightsail.emulator import Emulator
from local.lightsail.server import listen
from local.lightsail.settings import Settings


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    options = _parser().parse_args(arguments)
    settings = Settings(
        page_size=options.page_size,
        snapshot_seconds=options.snapshot_seconds,
        instance_seconds=options.instance_seconds,
    )
    server = listen(Emulator(settings, Clock(options.speed)), options.port)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"Lightsail emulator ready: aws --endpoint-url {server.url} lightsail get-regions", flush=True)  # noqa: T201  the ready line
    try:
        server.http.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        sys.stderr.write("Lightsail emulator stopped.\n")
    finally:
        server.http.server_close()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m local.lightsail", description="An Amazon Lightsail emulator.")
    parser.add_argument("--port", type=int, default=4570, help="0 takes a free one (default: 4570)")
    parser.add_argument("--page-size", type=_positive, default=20, help="items per page (default: 20)")
    parser.add_argument("--snapshot-seconds", type=float, default=60, help="until available (default: 60)")
    parser.add_argument("--instance-seconds", type=float, default=0, help="until running (default: 0)")
    parser.add_argument("--speed", type=float, default=1, help="emulated seconds per second (default: 1)")
    return parser


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return number


if __name__ == "__main__":
    main()
