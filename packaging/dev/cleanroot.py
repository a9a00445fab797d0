"""
The package in a Debian 12 that has nothing else: installed with apt alone, used as Pacemaker would, and removed.

The root directory is made once, kept packed below .venv/, and unpacked for each check. What runs in it has mounts,
processes and names of its own, and dies with the check; the network is the machine's, for apt.
"""

import os
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from source import Rejected
from venvs import VENVS

ROOT = VENVS / "bookworm.tar"
FRESH = 7 * 24 * 3600.0
"""Seconds after which the root is made anew: its lists of packages name files that the mirror has replaced."""
NO_SERVICES = '#!/bin/sh\n[ "$1" = tocsind ] || exit 101\n'
AGENT = "/usr/lib/ocf/resource.d/tocsin/service"
PREPARE = """
set -eu
mount -t proc proc /proc
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
"""
UPDATE = "apt-get -qq -o APT::Update::Error-Mode=any update"
INSTALL = """
apt-get -qq -y install ./tocsin.deb >/dev/null
"""
USE = f"""
test ! -e /usr/bin/pip
python3 -I -c 'import tocsin_daemon.driver, tocsin_ocf; print("version", tocsin_ocf.__version__)'
tocsin check --anywhere /usr/share/doc/tocsin/tocsin.yaml
tocsin --version && tocsind --version
for shell in bash zsh fish; do _TOCSIN_COMPLETE=${{shell}}_source tocsin >/dev/null; done
{AGENT} meta-data | grep -q '<resource-agent name="service"'
export OCF_ROOT=/usr/lib/ocf OCF_RESOURCE_INSTANCE=x
export OCF_RESKEY_command='/bin/sleep 1000' OCF_RESKEY_check=exec:/bin/true
{AGENT} validate-all
{AGENT} start
OCF_RESKEY_CRM_meta_interval=60000 {AGENT} monitor
tocsin status | grep running
cd /usr/lib/tocsin && touch tocsin_ocf/gone.py # as if by a former ./dev install, over which the package comes
printf '%s\\n' usr/bin/tocsin usr/lib/tocsin/ usr/lib/tocsin/tocsin_ocf/gone.py >manifest && cd /
apt-get -qq -y install --reinstall ./tocsin.deb | grep 'has taken over'
test ! -e /usr/lib/tocsin/manifest && test ! -e /usr/lib/tocsin/tocsin_ocf/gone.py
tocsin status | grep running
{AGENT} stop
tocsin status | grep stopped
"""
REMOVE = """
apt-get -qq -y purge tocsin >/dev/null
rm /tocsin.deb
find / -xdev -path '*tocsin*'
"""


class Failed(Rejected):
    """The package does not do what it should; the text says where."""


class Unreachable(Rejected):
    """Debian's mirror is not there, so there is no clean root to look in."""


def check(package: Path) -> None:
    """Install, use and remove it; raises Failed, and Unreachable where that cannot be tried."""
    with tempfile.TemporaryDirectory(prefix="tocsin-root-") as place:
        _unpack(Path(place))
        _inside(place, UPDATE, Unreachable)
        shutil.copy(package, Path(place, "tocsin.deb"))
        for name, script in {"install": INSTALL, "use": USE}.items():
            print(f"./dev deb: {name}:\n{_inside(place, script)}", end="")
        left = _inside(place, REMOVE)
    if left:
        raise Failed(f"left behind after apt purge:\n{left}")


def _unpack(place: Path) -> None:
    """Make the root directory, afresh where it is old."""
    if not ROOT.exists() or time.time() - ROOT.stat().st_mtime > FRESH:
        new = ROOT.with_suffix(f".{os.getpid()}.tar")
        if subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", "bookworm", new], check=False).returncode:
            new.unlink(missing_ok=True)
            raise Unreachable("mmdebstrap cannot make a Debian 12; it says why above")
        new.replace(ROOT)
    subprocess.run(["tar", "-x", "-p", "--numeric-owner", "-f", ROOT, "-C", place], check=True)
    policy = place / "usr/sbin/policy-rc.d"
    policy.write_text(NO_SERVICES)
    policy.chmod(0o755)
    shutil.copy("/etc/resolv.conf", place / "etc/resolv.conf")


def _inside(root: str, script: str, fault: "type[Exception]" = Failed) -> str:
    """Run a script of the shell in the root, and return what it prints; raises `fault`."""
    apart = ["unshare", "--mount", "--pid", "--uts", "--ipc", "--fork", "--kill-child", "--propagation=private"]
    command = [*apart, "chroot", root, "/bin/sh", "-c", PREPARE + script]
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode != 0:
        raise fault(f"exit code {done.returncode} in the clean root:\n{done.stdout}{done.stderr}")
    return done.stdout
