"""MiniStack with the Lightsail emulator in its gateway: `python -m local.ministack.gateway FD`, started by local.aws.

FD is the number of an inherited socket that is bound already, so that no other program can take the port between
its choice and its use. MiniStack's own `main` is not used: with TLS on it would open port 443 too.
"""

import asyncio
import os
import signal
import sys
import threading

from hypercorn.asyncio import serve
from hypercorn.config import Config
from ministack.app import app  # type: ignore[import-untyped]  # MiniStack has no types

from local.lightsail import ministack as lightsail
from local.ministack import cloudformation_types, lambda_service, scheduler


def main() -> None:
    """Serves until a signal ends it, or until the process that started it is gone.

    At once in both cases: there is nothing worth saving, and MiniStack's own way may wait for ever on a connection
    that a client keeps open. Hypercorn leaves the signals alone where it is given a trigger, here one never pulled.
    """
    threading.Thread(target=_end_with_the_parent, daemon=True).start()
    cloudformation_types.register()
    lambda_service.register()
    scheduler.register()
    lightsail.register()
    config = Config()
    config.bind = [f"fd://{int(sys.argv[1])}"]
    config.certfile = os.environ["MINISTACK_SSL_CERT"]
    config.keyfile = os.environ["MINISTACK_SSL_KEY"]
    config.keep_alive_timeout = 75
    asyncio.run(serve(app, config, shutdown_trigger=asyncio.Event().wait))


def _end_with_the_parent() -> None:
    """Waits for the end of standard input, which comes when the parent is gone, and then ends the whole group."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
