"""Certificates that are made for one test, and the directives that name them."""

import ssl
from pathlib import Path
from typing import Final

import trustme

from tests.support import LOOPBACK

PASSWORD: Final = "open sesame"  # noqa: S105 - of keys that are made for a test


class Authority:
    """It signs certificates, whose files are in its directory."""

    def __init__(self, directory: Path) -> None:
        """It has signed one, `node`."""
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._signs = trustme.CA()
        self._signs.cert_pem.write_to_path(str(directory / "ca.pem"))
        self.sign("node")

    def file(self, name: str) -> str:
        """Where it is."""
        return str(self._directory / name)

    def sign(self, name: str) -> bytes:
        """There is a certificate of this name, and its key; the answer is the certificate."""
        signed = self._signs.issue_cert(LOOPBACK, common_name=name)
        signed.cert_chain_pems[0].write_to_path(self.file(f"{name}.pem"))
        signed.private_key_pem.write_to_path(self.file(f"{name}.key"))
        return ssl.PEM_cert_to_DER_cert(signed.cert_chain_pems[0].bytes().decode())

    def directives(self, name: str = "node") -> dict[str, str]:
        """Those by which a node shows the certificate of this name, and believes the authority."""
        return {
            "tls-cert-file": self.file(f"{name}.pem"),
            "tls-key-file": self.file(f"{name}.key"),
            "tls-ca-cert-file": self.file("ca.pem"),
        }

    def client(self, name: str | None = "node") -> ssl.SSLContext:
        """How a client begins that shows the certificate of this name, or none."""
        context = ssl.create_default_context(cafile=self.file("ca.pem"))
        if name is not None:
            context.load_cert_chain(self.file(f"{name}.pem"), self.file(f"{name}.key"))
        return context


def encrypt_key(source: str, target: str, password: str) -> None:
    """The target has the key of the source, and needs the password."""
    from cryptography.hazmat.primitives import serialization as forms  # noqa: PLC0415 - trustme's

    key = forms.load_pem_private_key(Path(source).read_bytes(), None)
    Path(target).write_bytes(
        key.private_bytes(
            forms.Encoding.PEM,
            forms.PrivateFormat.PKCS8,
            forms.BestAvailableEncryption(password.encode()),
        )
    )
