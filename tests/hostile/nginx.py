"""nginx as a real peer, in plain and over TLS."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path

from tests.fakes.executor import free_port

NGINX = """
daemon off; master_process off; pid {directory}/pid; error_log {directory}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log {directory}/access.log;
    client_body_temp_path {directory}/b; proxy_temp_path {directory}/p; fastcgi_temp_path {directory}/f;
    uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    server {{ listen 127.0.0.1:{plain}; listen unix:{directory}/socket; {locations} }}
    server {{ listen 127.0.0.1:{tls} ssl; ssl_certificate {certificate}; ssl_certificate_key {key}; {locations} }}
}}
"""
LOCATIONS = """
location /health { return 200 "alive and well\\n"; } location /moved { return 301 /health; }
location /broken { return 503; } location / { root %s; }
"""


class Nginx:
    """A running nginx."""

    def __init__(self, directory: Path, certificate: str, key: str) -> None:
        """Start it, and wait until it listens."""
        self.plain, self.tls, self.socket = free_port(), free_port(), str(directory / "socket")
        (directory / "big").write_bytes(b"x" * 20_000_000 + b"alive")
        config = directory / "nginx.conf"
        settings = {"plain": self.plain, "tls": self.tls, "certificate": certificate, "key": key}
        config.write_text(NGINX.format(directory=directory, locations=LOCATIONS % directory, **settings))
        log = str(directory / "error.log")
        self._process = subprocess.Popen(["/usr/sbin/nginx", "-e", log, "-c", str(config)], stderr=subprocess.DEVNULL)
        self._wait(directory)

    def _wait(self, directory: Path) -> None:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.tls)) == 0:
                    return
            time.sleep(0.01)
        raise AssertionError((directory / "error.log").read_text())

    def end(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)
