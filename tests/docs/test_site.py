"""The documentation site is whole: it builds without a warning, names every page, and explains what is public."""

from __future__ import annotations

import inspect
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import tocsin_daemon.driver
import tocsin_ocf.agent
import tocsin_ocf.pacemaker
from tests.requirements import require

TOP = Path(__file__).resolve().parents[2]
DOCS = TOP / "docs"
PYTHON = "/usr/bin/python3"
MODULES = (tocsin_ocf.agent, tocsin_ocf.pacemaker, tocsin_daemon.driver)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build it as ./dev docs does."""
    there = subprocess.run([PYTHON, "-c", "import sphinx, furo, myst_parser"], capture_output=True, check=False)
    require(there.returncode == 0, "python3-sphinx, furo and python3-myst-parser")
    place = tmp_path_factory.mktemp("site")
    command = [PYTHON, "-B", "-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html", DOCS, place]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return place


def explained(site: Path) -> set[str]:
    """Return every name that has an entry: Sphinx's inventory is four lines and a compressed list."""
    packed = (site / "objects.inv").read_bytes().split(b"\n", 4)[4]
    return {line.split(" ")[0] for line in zlib.decompress(packed).decode().splitlines() if " py:" in line}


def public(module: ModuleType) -> Iterator[tuple[str, object]]:
    """Yield the names of a module that others may use, and of what is in its classes."""
    own = [name for name, found in vars(module).items() if getattr(found, "__module__", "") == module.__name__]
    for name in getattr(module, "__all__", own):
        found = getattr(module, name)
        if name.startswith("_") or not (inspect.isclass(found) or inspect.isfunction(found)):
            continue
        yield f"{module.__name__}.{name}", found
        if inspect.isclass(found) and found.__name__ == name:  # else it is another name of one that is explained
            yield from ((f"{module.__name__}.{name}.{inner}", value) for inner, value in inside(found))


def inside(found: type) -> Iterator[tuple[str, object]]:
    """Yield the public methods and properties of a class; its fields are told in its own text."""
    for name, value in vars(found).items():
        if name.startswith("_") or name in getattr(found, "__dataclass_fields__", {}):
            continue
        if inspect.isfunction(value) or isinstance(value, property):
            yield name, value


def test_every_page_is_in_the_navigation(site: Path) -> None:
    """What cannot be found from the front page is not read."""
    front = (site / "index.html").read_text()
    pages = [page.relative_to(DOCS).with_suffix(".html") for page in DOCS.rglob("*.md") if page.stem != "index"]
    assert len(pages) >= 6
    assert [str(page) for page in pages if f'href="{page}"' not in front] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_everything_public_is_explained(site: Path, module: ModuleType) -> None:
    """With a text, and on the site."""
    names = dict(public(module))
    assert len(names) > 10
    assert [name for name, found in names.items() if not inspect.getdoc(found)] == []
    assert sorted(set(names) - explained(site)) == []


def test_a_name_that_is_not_explained_would_be_found(site: Path) -> None:
    """The comparison can fail."""
    assert "tocsin_ocf.agent.Asked.is_probe" in explained(site)
    assert "tocsin_ocf.agent.Asked.nothing_of_the_kind" not in explained(site)
