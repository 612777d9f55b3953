"""Certificates for tests, made by openssl: an authority, what it signed for a server and a client, a stranger's."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.support.tools import missing_tool


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM files."""

    certificate: Path
    key: Path


@dataclass(frozen=True)
class Certificates:
    """``authority`` signed ``server`` and ``client``; ``stranger`` signed itself."""

    authority: Pair
    server: Pair
    client: Pair
    stranger: Pair


def make_certificates(folder: Path) -> Certificates:
    """Make them all, valid for a day."""
    if shutil.which("openssl") is None:
        missing_tool("openssl is not on PATH: apt-get install openssl")
    authority = _self_signed(folder, "authority")
    return Certificates(
        authority,
        _signed(folder, "server", authority, "subjectAltName=IP:127.0.0.1,DNS:localhost"),
        _signed(folder, "client", authority, "extendedKeyUsage=clientAuth"),
        _self_signed(folder, "stranger"),
    )


def _self_signed(folder: Path, name: str) -> Pair:
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    _openssl("req", "-x509", *_new_key(pair, name), "-days", "1", "-out", str(pair.certificate))
    return pair


def _signed(folder: Path, name: str, authority: Pair, extension: str) -> Pair:
    pair = Pair(folder / f"{name}.pem", folder / f"{name}.key")
    request, extensions = folder / f"{name}.csr", folder / f"{name}.ext"
    extensions.write_text(extension)
    _openssl("req", "-new", *_new_key(pair, name), "-out", str(request))
    signer = ["-CA", str(authority.certificate), "-CAkey", str(authority.key), "-CAcreateserial", "-days", "1"]
    _openssl("x509", "-req", "-in", str(request), *signer, "-extfile", str(extensions), "-out", str(pair.certificate))
    return pair


def _new_key(pair: Pair, name: str) -> list[str]:
    algorithm = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    return [*algorithm, "-keyout", str(pair.key), "-subj", f"/O=tests/CN={name}"]


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=60)
