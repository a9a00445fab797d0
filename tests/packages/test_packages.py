"""The Debian package and the RPM: what their critics say, what is in them, and what they ask for."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import cleanroot
import deb
import source
import venvs

import layout
import rpm
from tests.requirements import require, require_program, require_root

TAKES_MINUTES = True
TOP = layout.TOP
RENAMED = {
    "pacemaker-cli": "pacemaker-cli-utils",
    "python3-pyyaml": "python3-yaml",
    "python3-pyOpenSSL": "python3-openssl",
    "python3-pyopenssl": "python3-openssl",
    "python3-prometheus_client": "python3-prometheus-client",
}
"""What one distribution, or the Python index, calls what Debian calls otherwise."""


def output(*words: str | Path) -> str:
    """Return what a command prints."""
    return subprocess.run(words, stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout


def same(path: str) -> str:
    """Return a path as both packages may have it: not compressed, and where Debian has it."""
    path = re.sub(r"^usr/lib/python3\.\d+/site-packages", "usr/lib/python3/dist-packages", path.strip("/"))
    path = path.replace("zsh/site-functions", "zsh/vendor-completions")
    return path.removesuffix(".gz")


def in_debian(package: Path) -> set[str]:
    """Return the files of the Debian package, without those that every package has."""
    lines = output("dpkg-deb", "--contents", package).splitlines()
    paths = {same(line.split()[5].lstrip(".")) for line in lines if line[0] != "d"}
    return (
        paths
        - {f"{layout.DOC}/{name}" for name in ("changelog", "copyright")}
        - {
            "usr/share/python3/runtime.d/tocsin.rtupdate"  # compiles the modules when Python is upgraded
        }
    )


def in_rpm(package: Path) -> set[str]:
    """Return the files of the RPM, without the compiled modules, which Debian's makes when it is installed."""
    lines = output("rpm", "-qp", "--qf", "[%{FILEMODES:perms} %{FILENAMES}\n]", package).splitlines()
    paths = {same(line.split()[1]) for line in lines if line[0] != "d"}
    return {path for path in paths if "__pycache__" not in path and not path.startswith("usr/share/licenses/")}


def test_lintian_finds_nothing(debian: Path) -> None:
    """Not even what is a matter of taste; there is no override."""
    deb.lint(debian)


def test_rpmlint_finds_nothing(red_hat: Path) -> None:
    """Each exception has its reason in packaging/rpm/rpmlint.toml."""
    rpm.lint(red_hat)


def test_both_packages_have_the_files_of_the_one_list(debian: Path, red_hat: Path) -> None:
    """With a manual page for each command."""
    wanted = set(layout.layout())
    assert in_debian(debian) == wanted
    assert in_rpm(red_hat) == wanted
    pages = {Path(path).stem for path in wanted if path.startswith("usr/share/man/")}
    assert set(layout.COMMANDS) <= pages


def test_the_scripts_are_complete(debian: Path, red_hat: Path) -> None:
    """Everything is filled in, and dash can read Debian's; both end the daemons once the agent has gone."""
    assert "kill -TERM" in output("rpm", "-qp", "--scripts", red_hat)
    for name in ("postinst", "prerm", "postrm"):
        script = output("dpkg-deb", "--info", debian, name)
        assert "@" not in script.replace("tocsind@", "") and "#DEBHELPER#" not in script
        subprocess.run(["dash", "-n"], input=script, text=True, check=True)
    assert "kill -TERM" in output("dpkg-deb", "--info", debian, "postrm")


def names(text: str) -> set[str]:
    """Return the packages of a list of dependencies, as Debian calls them, without alternatives and versions."""
    found = {re.split(r"[\s(<>=]", item.strip(" ("))[0] for item in re.split(r"[,\n]", text) if item.strip()}
    return {RENAMED.get(name, name) for name in found}


def test_all_lists_of_dependencies_agree() -> None:
    """Of pip, of both packages, and of ./dev; what https checks need is recommended, what metrics need suggested."""
    needed = names(",".join(f"python3-{requirement}" for requirement in venvs.requirements("newest")[:7]))
    control = (TOP / "packaging/debian/control").read_text()
    depends, recommends = re.findall(r"^(?:Depends|Recommends): (.*?)(?=^\S)", control, re.MULTILINE | re.DOTALL)
    assert names(depends) - {"${python3:Depends}", "${misc:Depends}", "pacemaker-cli-utils"} == needed
    spec = (TOP / "packaging/rpm/tocsin.spec").read_text()
    requires = names("\n".join(re.findall(r"^Requires: (.*)$", spec, re.MULTILINE)))
    assert requires - {"python3", "pacemaker-cli-utils"} == needed
    optional = {"pacemaker", "python3-openssl", "python3-service-identity"}
    assert names(recommends) == optional == names("\n".join(re.findall(r"^Recommends: (.*)$", spec, re.MULTILINE)))
    run_time = re.search(r"^run_time=\((.*?)\)", (TOP / "dev").read_text(), re.MULTILINE | re.DOTALL)
    suggested = {"python3-prometheus-client"}
    (suggests,) = re.findall(r"^Suggests: (.*?)(?=^\S)", control, re.MULTILINE | re.DOTALL)
    assert names(suggests) == suggested | {"prometheus"}
    assert suggested == names("\n".join(re.findall(r"^Suggests: (.*)$", spec, re.MULTILINE)))
    assert run_time and set(run_time.group(1).split()) == needed | optional - {"pacemaker"} | suggested | {"python3"}


def test_versions_are_ordered_by_dpkg_and_by_rpm_alike(tmp_path: Path) -> None:
    """What is built of a commit is newer than that of an older one, and older than the release."""
    require_program("rpm")
    tree = source.copy(tmp_path / "tree").tree
    changelog = tree / "packaging/CHANGELOG.md"
    early, late = source.version(tree, 1_700_000_000), source.version(tree, 1_700_000_001)
    released = early.partition("~")[0]
    changelog.write_text(changelog.read_text().replace("## Unreleased", f"## {released} (2026-12-01)"))
    assert source.version(tree, 1_700_000_000) == released
    for older, newer in ((early, late), (late, released)):
        subprocess.run(["dpkg", "--compare-versions", older, "lt", newer], check=True)
        assert output("rpm", "--eval", f'%{{lua:print(rpm.vercmp("{older}", "{newer}"))}}').strip() == "-1"


def test_in_a_clean_debian_it_needs_nothing_else_works_and_leaves_nothing(debian: Path) -> None:
    """Installed by apt alone, started, upgraded under what runs, stopped, purged."""
    require_root()
    require_program("mmdebstrap")
    try:
        cleanroot.check(debian)
    except cleanroot.Unreachable as fault:
        require(False, f"Debian's mirror: {fault}")
