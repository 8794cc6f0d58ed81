"""Makes the SDK's clients. In Lambda they read fewer certificates, and have fewer event handlers, than elsewhere.

For each new connection, the SDK reads all of its 127 root certificates: a sixth of a cold start. Five of them, those of
Amazon Trust Services, have issued what AWS presents. The asset has these five in a file of their own. If they do not
verify a connection, the call is repeated with all 127. No connection is ever left unverified.
"""

import os
from functools import cache
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import SSLError
from botocore.handlers import BUILTIN_HANDLERS
from botocore.httpsession import URLLib3Session
from botocore.session import Session

from lightsail_snapshots.aws import CONFIG, OPERATIONS

AMAZON_ROOTS = Path(__file__).with_name("amazon_roots.pem")
"""Only the asset has it: infra/asset writes it."""

_OTHER_ROOTS = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""With one of these variables a user says which certificates to trust, and no others are."""


def make_client(service: str, region: str, config: Config = CONFIG) -> Any:
    """Make a client; this does not call AWS."""
    make: Any = boto3.client  # any service, not only those of the stubs
    if not AMAZON_ROOTS.exists():
        return make(service, region_name=region, config=config)
    make = _session().client
    if any(os.environ.get(name) for name in _OTHER_ROOTS):
        return make(service, region_name=region, config=config)
    client = make(service, region_name=region, config=config, verify=str(AMAZON_ROOTS))
    _trust_all_roots_if_needed(client)
    return client


@cache
def _session() -> boto3.Session:
    """Make the session of all clients. To register the other 120 of the SDK's handlers takes 4 % of a cold start."""
    session = Session(include_builtin_handlers=False)
    for event, handler, *_ in BUILTIN_HANDLERS:
        if concerns_us(event):
            session.register(event, handler)
    return boto3.Session(botocore_session=session)


def concerns_us(event: str) -> bool:
    """Tell whether an event of the SDK, `stage` or `stage.service.operation`, concerns what the functions do."""
    stage, service, *_ = f"{event}..".split(".")
    return stage not in {"docs", "creating-client-class", "getattr"} and service in {"", "*", *OPERATIONS}


def _trust_all_roots_if_needed(client: Any) -> None:
    """Let a client repeat a call with all of the SDK's roots if Amazon's own do not verify the connection."""
    event = f"needs-retry.{client.meta.service_model.service_id.hyphenize()}"

    def repeat(endpoint: Any, caught_exception: Exception | None, **_: object) -> float | None:
        if not isinstance(caught_exception, SSLError):
            return None
        client.meta.events.unregister(event, repeat)
        config = client.meta.config
        timeout: Any = (config.connect_timeout, config.read_timeout)
        endpoint.http_session = URLLib3Session(verify=True, timeout=timeout)
        return 0.0

    client.meta.events.register_first(event, repeat)
