"""The manual pages and the example that are rendered from the agent's tables and from the schema."""

import subprocess
from pathlib import Path

import pytest

import definition_keys
import example
import man
import yaml_page
from tests.requirements import require_program
from tocsin_ocf.advertised import ACTIONS
from tocsin_ocf.parameters import PARAMETERS

HERE = Path(man.__file__).parent
PAGES = [HERE / "ocf_tocsin_service.7", HERE / "tocsin.yaml.5"]


def test_what_is_committed_is_current() -> None:
    """Otherwise render it again, with packaging/render.py."""
    assert [page.read_text() for page in PAGES] == [man.render(), yaml_page.render()]
    assert (HERE / "examples/tocsin.yaml").read_text() == example.render()


def test_the_page_names_every_parameter_and_action() -> None:
    """As terms of their own."""
    lines = man.render().splitlines()
    for row in (*PARAMETERS, *ACTIONS):
        assert f".B {row.name.replace('-', chr(92) + '-')}" in lines


def test_the_page_of_the_file_names_every_key() -> None:
    """Of the definition, of every check, and of each kind."""
    lines = yaml_page.render().splitlines()
    kinds = list(definition_keys.kinds())
    options = [option for _, _, target, own in kinds for option in (target, *own)]
    for key in (*definition_keys.top(), *definition_keys.common(), *options):
        assert f".B {key.name}" in lines and key.text


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_mandoc_finds_no_fault(page: Path) -> None:
    """Neither in structure nor in style."""
    done = subprocess.run([require_program("mandoc"), "-Tlint", page], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_man_warns_of_nothing(page: Path) -> None:
    """The other reader is groff."""
    command = [require_program("man"), "--warnings", "-l", str(page)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    )
    assert (done.returncode, done.stderr) == (0, "") and page.stem.upper() in done.stdout
