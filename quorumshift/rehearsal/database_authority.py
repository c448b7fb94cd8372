"""The authority that signs the certificates of rehearsed databases.

One a machine, because its file is packaged with the functions: with a new one, no rehearsal would
find its cloud assembly in the cache. Certificates are made anew for each database.
"""

from __future__ import annotations

import datetime
import ipaddress
import os
import shutil
import tempfile
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from quorumshift.rehearsal.synthesis import cache_folder

_FROM = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
_UNTIL = datetime.datetime(2100, 1, 1, tzinfo=datetime.UTC)
"""Fixed: a rehearsal shall not depend on what a laptop thinks the date is."""
_NAME = "quorumshift rehearsal"


def ca_file() -> Path:
    """The authority's certificate (PEM), made when there is none yet."""
    return _authority() / "ca.pem"


def certificate(address: str) -> bytes:
    """A certificate for a server at ``address`` (an IP address), and its key, as PEM."""
    folder = _authority()
    issuer = x509.load_pem_x509_certificate((folder / "ca.pem").read_bytes())
    issuer_key = serialization.load_pem_private_key((folder / "ca.key").read_bytes(), None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key = ec.generate_private_key(ec.SECP256R1())
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    made = (
        _builder(address, key, issuer.subject, issuer_key)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(names, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM) + _pem(key)


def _authority() -> Path:
    """The folder with its certificate and key: moved into place as a whole, so that of two
    rehearsals that make one at once, both use that of the first."""
    wanted = cache_folder() / "database-authority"
    if not wanted.exists():
        made = Path(tempfile.mkdtemp(prefix="authority-", dir=wanted.parent))
        _make(made)
        try:
            made.rename(wanted)
        except OSError:
            shutil.rmtree(made)
            if not wanted.exists():
                raise
    return wanted


def _make(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    usage = dict.fromkeys(
        (
            "digital_signature",
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    made = (
        _builder(_NAME, key, _subject(_NAME), key)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.KeyUsage(key_cert_sign=True, crl_sign=True, **usage), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "ca.key").touch(mode=0o600)
    (folder / "ca.key").write_bytes(_pem(key))
    (folder / "ca.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    os.chmod(folder, 0o700)


def _builder(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: x509.Name,
    issuer_key: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    """What every certificate has; the key identifiers because strict verification (Python 3.13's
    default) asks for them."""
    signed_by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    return (
        x509.CertificateBuilder()
        .subject_name(_subject(name))
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(_FROM)
        .not_valid_after(_UNTIL)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(signed_by, critical=False)
    )


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
