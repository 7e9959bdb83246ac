"""Google's metadata server, reached as an HTTP proxy: it signs identity tokens of one account."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import crypt
from google.auth import jwt as google_jwt

IDENTITY = "/computeMetadata/v1/instance/service-accounts/default/identity"


@dataclass
class FakeMetadata:
    """A metadata server; `subject` is the unique id of the service account."""

    subject: str = "113000000000000000042"
    key: rsa.RSAPrivateKey = field(
        default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048)
    )
    port: int = 0

    @property
    def public_key(self) -> str:
        """The key in PEM form by which the tokens can be verified."""
        return (
            self.key.public_key()
            .public_bytes(
                serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
            )
            .decode()
        )

    @property
    def env(self) -> dict[str, str]:
        """Variables that lead the connector here, and let it trust a server on this machine."""
        address = f"http://127.0.0.1:{self.port}"
        return {
            "http_proxy": address,
            "no_proxy": "127.0.0.1",
            "SNOWFLAKE_WIF_ALLOWED_HOST_SUFFIXES": "127.0.0.1",
        }

    def token(self, audience: str) -> str:
        now = int(time.time())
        claims: dict[str, object] = {
            "iss": "https://accounts.google.com",
            "aud": audience,
            "sub": self.subject,
        }
        pem = self.key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        signer = crypt.RSASigner.from_string(pem)  # type: ignore[no-untyped-call]
        claims |= {"iat": now, "exp": now + 3600}
        return google_jwt.encode(signer, claims).decode()  # type: ignore[no-untyped-call,no-any-return]


@contextmanager
def running() -> Iterator[FakeMetadata]:
    """Serve until the block ends."""
    metadata = FakeMetadata()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            audience = parse_qs(url.query).get("audience")
            named = url.hostname == "metadata.google.internal" and url.path == IDENTITY
            if not named or not audience:
                self._answer(404, "")
            elif self.headers.get("Metadata-Flavor") != "Google":
                self._answer(403, "Missing Metadata-Flavor:Google header.")
            else:
                self._answer(200, metadata.token(audience[0]))

        def _answer(self, status: int, text: str) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            """Print nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    metadata.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield metadata
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
