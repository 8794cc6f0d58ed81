"""The root certificates that the asset verifies AWS with: Amazon's own, and all others only if those do not do."""

import shutil
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import pytest

from local.certificates import Certificates, issue
from local.lightsail.server import listen
from tests.runtime.aws import Aws, batch
from tests.runtime.conftest import HANDLER, Log, Start

ROOTS = "lightsail_snapshots/aws/amazon_roots.pem"
BUNDLE = "botocore/cacert.pem"


@dataclass
class Tls:
    """A Lightsail over TLS: its certificates, the environment of a function that calls it, and an asset to change."""

    certificates: Certificates
    environment: dict[str, str]
    asset: Path

    def trust(self, bundle: str) -> None:
        """Add the authority to a bundle of the asset."""
        with (self.asset / bundle).open("a") as file:
            file.write(self.certificates.authority.read_text())


@pytest.fixture
def tls(aws: Aws, asset: Path, tmp_path: Path) -> Iterator[Tls]:
    certificates = issue(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.certificate, certificates.key)
    server = listen(aws.lightsail.emulator)
    server.http.socket = context.wrap_socket(server.http.socket, server_side=True, do_handshake_on_connect=False)
    thread = Thread(target=server.http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    address = {"AWS_ENDPOINT_URL_LIGHTSAIL": server.url.replace("http:", "https:")}
    yield Tls(certificates, aws.environment | address, Path(shutil.copytree(asset, tmp_path / "copy")))
    server.http.shutdown()
    thread.join()
    server.http.server_close()


def test_amazon_roots_alone_verify_aws(aws: Aws, tls: Tls, start: Start) -> None:
    tls.trust(ROOTS)
    (tls.asset / BUNDLE).unlink()
    start(tls.environment, HANDLER, tls.asset).invoke(batch(delivery=1))
    assert list(aws.snapshots().values()) == ["pending"]


@pytest.mark.parametrize("is_empty", [False, True])
def test_all_roots_verify_aws_when_amazon_roots_do_not(*, is_empty: bool, aws: Aws, tls: Tls, start: Start) -> None:
    if is_empty:
        (tls.asset / ROOTS).write_text("")
    tls.trust(BUNDLE)
    start(tls.environment, HANDLER, tls.asset).invoke(batch(delivery=1))
    assert list(aws.snapshots().values()) == ["pending"]


def test_aws_is_not_called_when_no_root_verifies_it(aws: Aws, tls: Tls, start: Start, log: Log) -> None:
    answer = start(tls.environment).invoke(batch(delivery=1)).payload
    assert answer["batchItemFailures"]
    assert not aws.snapshots()
    assert any("certificate verify failed" in (line.get("why") or "") for line in log())


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_only_a_users_own_roots_are_trusted_when_a_variable_names_them(
    variable: str, aws: Aws, tls: Tls, start: Start
) -> None:
    tls.trust(ROOTS)
    tls.trust(BUNDLE)
    (tls.asset / "other").mkdir()
    other = issue(tls.asset / "other").authority

    start(tls.environment | {variable: str(other)}, HANDLER, tls.asset).invoke(batch(delivery=1))
    assert not aws.snapshots()

    own = tls.certificates.authority
    start(tls.environment | {variable: str(own)}, HANDLER, tls.asset).invoke(batch(delivery=1))
    assert list(aws.snapshots().values()) == ["pending"]
