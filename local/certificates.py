"""TLS for the local AWS: a certificate authority that lives as long as one run and is trusted by nobody else.

MiniStack decides on IAM policies that name `aws:SecureTransport` only over TLS, and the SDKs must meet the same
certificate checks here as on AWS, so nothing is told to skip verification.
"""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """Where the PEM files are: the authority that clients trust, and the server's own pair."""

    authority: Path
    certificate: Path
    key: Path


def issue(directory: Path) -> Certificates:
    """Writes a new authority and a certificate for 127.0.0.1 into an existing directory."""
    certificates = Certificates(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(str(certificates.authority))
    server.private_key_pem.write_to_path(str(certificates.key))
    for number, part in enumerate(server.cert_chain_pems):
        part.write_to_path(str(certificates.certificate), append=number > 0)
    return certificates
