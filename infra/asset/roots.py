"""Amazon's own root certificates, cut from the bundle of the installed botocore at every build."""

import re
from pathlib import Path

import botocore

BUNDLE = Path(botocore.__file__).with_name("cacert.pem")

LABELS = (
    "Amazon Root CA 1",
    "Amazon Root CA 2",
    "Amazon Root CA 3",
    "Amazon Root CA 4",
    "Starfield Services Root Certificate Authority - G2",
)
"""The roots of Amazon Trust Services, as the bundle names them: https://www.amazontrust.com/repository/."""

_CERTIFICATE = re.compile(
    r'# Label: "([^"]+)"\n(?:#.*\n)+(-----BEGIN CERTIFICATE-----\n[\w+/=\n]+-----END CERTIFICATE-----\n)'
)


def amazon_roots(bundle: str) -> str:
    """Return those certificates of a bundle, as PEM; raise ValueError if it does not have each of them once."""
    found = [(label, certificate) for label, certificate in _CERTIFICATE.findall(bundle) if label in LABELS]
    if sorted(label for label, _ in found) != sorted(LABELS):
        raise ValueError(f"botocore's bundle must have each of these roots once: {', '.join(LABELS)}")
    return "".join(certificate for _, certificate in sorted(found))
