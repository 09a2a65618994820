"""Certificates for the test servers, made anew for each run by openssl, which PostgreSQL's package brings."""

from pathlib import Path

from tools.console import run

CA, CERTIFICATE, KEY = "ca.pem", "server.pem", "server-key.pem"


def make(folder: Path) -> None:
    """Write an authority and a certificate of 127.0.0.1 under it, good for a day."""
    authority, secret = str(folder / CA), str(folder / "ca-key.pem")
    _request("test authority", out=authority, key=secret)
    signed = ["-CA", authority, "-CAkey", secret]
    signed += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE"]
    _request("test server", *signed, out=str(folder / CERTIFICATE), key=str(folder / KEY))


def _request(name: str, *words: str, out: str, key: str) -> None:
    fresh = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key]
    run(["openssl", "req", "-x509", *fresh, "-days", "1", "-subj", f"/CN={name}", *words, "-out", out])
