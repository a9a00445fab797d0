"""Real services for the tests of checks, and resources made of them the way an administrator does."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import kills
from lab import Lab, Node

OURS = "ocf:tocsin:service"
HOME = "/run/lab"
WEB = f"{HOME}/web"
NGINX = f"/usr/sbin/nginx -c {WEB}/nginx.conf"
CONFIGURATION = """\
daemon {daemon};
pid {web}/nginx.pid;
error_log {web}/error.log;
worker_processes 1;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_body_temp_path {web}/1; proxy_temp_path {web}/2; fastcgi_temp_path {web}/3;
  uwsgi_temp_path {web}/4; scgi_temp_path {web}/5;
  server {{
    listen 127.0.0.1:8080;
    listen 127.0.0.1:8443 ssl;
    ssl_certificate {web}/server.pem;
    ssl_certificate_key {web}/server.key;
    location / {{ if (-f {web}/sick) {{ return 503; }} return 200 "status: ok\\n"; }}
  }}
}}
"""
CERTIFICATES = {
    "good": ("IP:127.0.0.1", "10"),
    "expired": ("IP:127.0.0.1", "0"),
    "wrong": ("DNS:other.example", "10"),
}
"""Of the private authority: the name that each is for, and how many days from now it holds."""


def certificates(place: Path) -> Path:
    """Have openssl make a private authority and its certificates."""
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    openssl(place, "req", "-x509", *key, "-keyout", "ca.key", "-out", "ca.pem", "-days", "10", "-subj", "/CN=Ours")
    for name, (subject, days) in CERTIFICATES.items():
        (place / "names").write_text(f"subjectAltName={subject}")
        openssl(place, "req", *key, "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", "/CN=server")
        sign = ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-extfile", "names", "-days", days]
        openssl(place, "x509", "-req", "-in", f"{name}.csr", *sign, "-out", f"{name}.pem")
    return place


def openssl(place: Path, *words: str) -> None:
    """Run it in a directory."""
    subprocess.run(["openssl", *words], cwd=place, check=True, capture_output=True)


class Web:
    """An nginx in the node: http on 8080, https on 8443."""

    def __init__(self, node: Node, certificates: Path, *, daemon: str = "off") -> None:
        """Write its configuration, with a good certificate; nothing is started."""
        self._certificates = certificates
        self._place = node.path(WEB)
        self._place.mkdir(exist_ok=True)
        self._put("ca.pem", certificates / "ca.pem")
        (self._place / "nginx.conf").write_text(CONFIGURATION.format(web=WEB, daemon=daemon))
        self.present("good")
        self.be_well()

    def present(self, certificate: str) -> None:
        """Let it present this certificate, from its next reload on."""
        for suffix in ("pem", "key"):
            self._put(f"server.{suffix}", self._certificates / f"{certificate}.{suffix}")

    def be_sick(self) -> None:
        """Let it answer 503."""
        (self._place / "sick").touch()

    def be_well(self) -> None:
        """Let it answer 200."""
        (self._place / "sick").unlink(missing_ok=True)

    def _put(self, name: str, source: Path) -> None:
        (self._place / name).write_bytes(source.read_bytes())


def put(node: Node, name: str, text: str) -> str:
    """Put a file into the node by one rename, as an editor does, and return its path there."""
    fresh = node.path(f"{HOME}/{name}.new")
    fresh.write_text(text)
    fresh.chmod(0o755)
    fresh.rename(node.path(f"{HOME}/{name}"))
    return f"{HOME}/{name}"


def row(node: Node, name: str) -> dict[str, Any]:
    """Return a resource's row of `tocsin status`, with no phase where the daemon does not know it."""
    told = (row for row in kills.rows(node, check=False) if row["resource"] == name)
    return next(told, {"phase": "", "pid": None, "incidents": 0})


def explain(node: Node, name: str) -> dict[str, Any]:
    """Return what `tocsin explain` knows."""
    told: dict[str, Any] = json.loads(node.run(["tocsin", "explain", "--json", name]).stdout)
    return told


def create(node: Node, name: str, *words: str, monitor: str = "interval=60s", agent: str = OURS) -> None:
    """Create a resource, and do not wait for it; words that begin with "op" come after the monitor."""
    parameters = [word for word in words if not word.startswith("op ")]
    operations = [part for word in words if word.startswith("op ") for part in word.split()]
    argv = ["pcs", "resource", "create", name, agent, *parameters]
    node.run([*argv, "op", "monitor", *monitor.split(), *operations], timeout=60)


@contextmanager
def running(
    lab: Lab, node: Node, name: str, *words: str, monitor: str = "interval=60s", agent: str = OURS
) -> Iterator[dict[str, Any]]:
    """Run a resource; gives its row of `tocsin status` when Pacemaker and Tocsin both see it up."""
    create(node, name, *words, monitor=monitor, agent=agent)
    try:
        yield lab.wait(lambda: settled(node, name), timeout=45, what=f"{name} to be up")
    finally:
        remove(lab, node, name)


def settled(node: Node, name: str) -> dict[str, Any] | None:
    """Return the row of a resource that is up and whose first recurring monitor Pacemaker has run."""
    found = row(node, name)
    return found if found["phase"] == "running" and kills.has_monitor(node, found) else None


def where(lab: Lab, name: str) -> Node:
    """Wait until a resource is settled on a node, and return that."""
    return lab.wait(lambda: next((node for node in lab.nodes if settled(node, name)), None), 45, f"{name} to be up")


def remove(lab: Lab, node: Node, name: str) -> None:
    """Delete a resource from the configuration, and wait until Pacemaker has stopped and forgotten it."""
    node.run(["cibadmin", "--delete", "--xml-text", f'<primitive id="{name}"/>'])

    def gone() -> bool:
        return not history(node, name) and all(row(one, name)["phase"] in ("stopped", "") for one in lab.nodes)

    lab.wait(gone, timeout=45, what=f"{name} to be gone")


def history(node: Node, name: str) -> list[ElementTree.Element]:
    """Return the operations of a resource that Pacemaker remembers."""
    return node.crm_mon().findall(f".//resource_history[@id='{name}']/operation_history")


def start_seconds(node: Node, name: str) -> float:
    """Return how long the last start took, by Pacemaker's own clock."""
    took = next(one.get("exec-time", "") for one in history(node, name) if one.get("task") == "start")
    return float(took.removesuffix("ms")) / 1000


def failure(node: Node, name: str, task: str) -> dict[str, str]:
    """Return what crm_mon shows as a failed action of a resource; nothing where there is none."""
    failures = node.crm_mon().findall(f"failures/failure[@task='{task}']")
    return next((one.attrib for one in failures if one.get("op_key", "").startswith(f"{name}_")), {})


def recovered(lab: Lab, node: Node, name: str, before: dict[str, Any]) -> dict[str, Any]:
    """Wait until a resource is up again after one more incident, and return its row."""

    def now() -> dict[str, Any] | None:
        found = settled(node, name)
        return found if found and found["incidents"] == before["incidents"] + 1 else None

    return lab.wait(now, timeout=45, what=f"{name} to be recovered")
