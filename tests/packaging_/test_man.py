"""The manual pages and the example that are rendered from the agent's tables and from the schema."""

import re
import subprocess
from pathlib import Path

import pytest

import command_pages
import definition_keys
import example
import man
import yaml_page
from tests.requirements import require_program
from tocsin_daemon import __main__ as tocsind
from tocsin_daemon import cli
from tocsin_ocf.advertised import ACTIONS
from tocsin_ocf.parameters import PARAMETERS

HERE = Path(man.__file__).parent
PAGES = [HERE / name for name in ("tocsin.1", "tocsin.yaml.5", "ocf_tocsin_service.7", "tocsind.8")]


def test_what_is_committed_is_current() -> None:
    """Otherwise render it again, with packaging/render.py."""
    assert [page.read_text() for page in PAGES] == [
        command_pages.tocsin(),
        yaml_page.render(),
        man.render(),
        command_pages.tocsind(),
    ]
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


def test_the_pages_of_the_commands_name_every_command_option_and_exit_status() -> None:
    """All that --help does; a status that a command ends with is told, and its section stands once."""
    for page, command in ((command_pages.tocsin(), cli.main), (command_pages.tocsind(), tocsind.main)):
        commands = [command, *getattr(command, "commands", {}).values()]
        options = {name for one in commands for option in one.params for name in option.opts if name.startswith("-")}
        terms = page.replace(".SS", ".B").replace("\\-", "-").splitlines()
        for name in options | set(getattr(command, "commands", {})):
            assert any(re.match(rf"\.B (-\w, )?{name}\b", term) for term in terms), name
        codes = re.findall(r"^\.B (\d+)$", page.partition(".SH EXIT STATUS")[2], re.MULTILINE)
        assert codes[0] == "0" and "78" in codes and page.count(".SH EXIT STATUS") == 1


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
