"""MiniStack with the Lightsail emulator in its gateway; local.aws runs `python -m local.ministack.gateway FD`.

FD is the number of an inherited socket that is already bound, so that no other program can take the port first.
MiniStack's own `main` would open port 443 too if TLS is on.
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
from local.ministack import cloudformation_types, lambda_service, resource_arns, scheduler


def main() -> None:
    """Serve until a signal arrives or the parent process ends.

    It ends at once, because it has nothing to save. MiniStack's own shutdown may wait forever for an open connection,
    so Hypercorn gets a shutdown trigger that never fires, and leaves signals alone.
    """
    threading.Thread(target=_end_with_parent, daemon=True).start()
    cloudformation_types.register()
    lambda_service.register()
    scheduler.register()
    resource_arns.register()
    lightsail.register()
    config = Config()
    config.bind = [f"fd://{int(sys.argv[1])}"]
    config.certfile = os.environ["MINISTACK_SSL_CERT"]
    config.keyfile = os.environ["MINISTACK_SSL_KEY"]
    config.keep_alive_timeout = 75
    asyncio.run(serve(app, config, shutdown_trigger=asyncio.Event().wait))


def _end_with_parent() -> None:
    """Wait until standard input closes, because the parent has ended, and then end the whole process group."""
    sys.stdin.buffer.read()
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
