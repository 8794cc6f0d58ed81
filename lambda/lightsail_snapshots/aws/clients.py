"""Makes the SDK's clients. In Lambda they verify AWS with Amazon's own root certificates first.

For each new connection, the SDK reads all of its 127 root certificates: a sixth of a cold start. Five of them, those of
Amazon Trust Services, have issued what AWS presents. The asset has these five in a file of their own. If they do not
verify a connection, the call is repeated with all 127. No connection is ever left unverified.
"""

import os
from pathlib import Path
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import SSLError
from botocore.httpsession import URLLib3Session

from lightsail_snapshots.aws import CONFIG

AMAZON_ROOTS = Path(__file__).with_name("amazon_roots.pem")
"""Only the asset has it: infra/asset writes it."""

_OTHER_ROOTS = ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
"""With one of these variables a user says which certificates to trust, and no others are."""


def make_client(service: str, region: str, config: Config = CONFIG) -> Any:
    """Make a client; this does not call AWS."""
    if not AMAZON_ROOTS.exists() or any(os.environ.get(name) for name in _OTHER_ROOTS):
        return boto3.client(service, region_name=region, config=config)  # type: ignore[call-overload]  # any service
    client = boto3.client(service, region_name=region, config=config, verify=str(AMAZON_ROOTS))  # type: ignore[call-overload]
    _trust_all_roots_if_needed(client)
    return client


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
