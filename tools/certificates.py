"""Certificates for the test servers, made anew for each run by openssl, which PostgreSQL's package brings."""

from pathlib import Path

from tools.console import run

CA, CERTIFICATE, KEY = "ca.pem", "server.pem", "server-key.pem"


def make(folder: Path) -> None:
    """Write an authority and a certificate of 127.0.0.1 under it, good for a day."""
    authority: list[str | Path] = ["-x509", "-subj", "/CN=test authority", "-out", folder / CA]
    _request(folder / "ca-key.pem", *authority)
    signed: list[str | Path] = ["-x509", "-CA", folder / CA, "-CAkey", folder / "ca-key.pem", "-subj", "/CN=test server"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    _request(folder / KEY, *signed, *names, "-out", folder / CERTIFICATE)


def _request(key: Path, *words: str | Path) -> None:
    fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1"]
    run(["openssl", "req", *fresh, "-keyout", str(key), *map(str, words)])
