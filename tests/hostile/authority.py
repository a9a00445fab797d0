"""A private authority and the certificates of servers, made with the openssl command."""

from __future__ import annotations

import subprocess
from pathlib import Path

YESTERDAY, LONG_AGO = "20200102000000Z", "20200101000000Z"


class Authority:
    """An authority of its own, in a directory of its own."""

    def __init__(self, directory: Path, name: str = "authority") -> None:
        """Make its key and certificate."""
        self.directory = directory
        self.certificate = str(directory / f"{name}.pem")
        self._key = str(directory / f"{name}.key")
        self._run(
            "req", "-x509", "-subj", f"/CN={name}", "-days", "2", *self._new_key(self._key), "-out", self.certificate
        )

    def _new_key(self, path: str) -> list[str]:
        return ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", path]

    def _run(self, *words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=self.directory, timeout=30)

    def issue(self, name: str, names: str, *, expired: bool = False) -> tuple[str, str]:
        """Return the files of a certificate for names such as "DNS:x,IP:127.0.0.1", and of its key."""
        key, asked, made, extension = (str(self.directory / f"{name}.{end}") for end in ("key", "csr", "pem", "ext"))
        Path(extension).write_text(f"subjectAltName={names}\n")
        self._run("req", "-subj", f"/CN={name}", *self._new_key(key), "-out", asked)
        days = self._past() if expired else ["-days", "2"]
        if expired:
            config = self.directory / "ca.conf"
            config.write_text(
                f"[ca]\ndefault_ca=c\n[c]\ndatabase={self.directory}/index\nnew_certs_dir={self.directory}\n"
                "rand_serial=yes\ndefault_md=sha256\npolicy=p\n[p]\ncommonName=supplied\n"
            )
            (self.directory / "index").write_text("")
            by = ["-cert", self.certificate, "-keyfile", self._key, "-extfile", extension]
            self._run("ca", "-batch", "-config", str(config), *by, *days, "-in", asked, "-out", made, "-notext")
        else:
            by = ["-CA", self.certificate, "-CAkey", self._key, "-CAcreateserial", "-extfile", extension]
            self._run("x509", "-req", "-in", asked, *by, *days, "-out", made)
        return made, key

    def _past(self) -> list[str]:
        return ["-startdate", LONG_AGO, "-enddate", YESTERDAY]
