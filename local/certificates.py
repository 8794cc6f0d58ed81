"""Certificates for the local AWS, from a certificate authority that exists for one run only.

MiniStack evaluates `aws:SecureTransport` in IAM policies only over TLS. The SDKs verify certificates as they do on AWS.
"""

from dataclasses import dataclass
from pathlib import Path

import trustme


@dataclass(frozen=True)
class Certificates:
    """The paths of the PEM files: the authority that clients trust, and the server's certificate and key."""

    authority: Path
    certificate: Path
    key: Path


def issue(directory: Path) -> Certificates:
    """Write a new authority and a certificate for 127.0.0.1 into an existing directory."""
    certificates = Certificates(directory / "ca.pem", directory / "server.pem", directory / "server.key")
    authority = trustme.CA()
    server = authority.issue_cert("127.0.0.1", "localhost")
    authority.cert_pem.write_to_path(str(certificates.authority))
    server.private_key_pem.write_to_path(str(certificates.key))
    for number, part in enumerate(server.cert_chain_pems):
        part.write_to_path(str(certificates.certificate), append=number > 0)
    return certificates
