"""The manual page that is rendered from the agent's tables."""

import subprocess
from pathlib import Path

import man
from tests.requirements import require_program
from tocsin_ocf.parameters import ACTIONS, PARAMETERS

PAGE = Path(man.__file__).with_name("ocf_tocsin_service.7")


def test_the_committed_page_is_current() -> None:
    """Otherwise render it again, with packaging/man.py."""
    assert PAGE.read_text() == man.render()


def test_the_page_names_every_parameter_and_action() -> None:
    """As terms of their own."""
    lines = man.render().splitlines()
    for row in (*PARAMETERS, *ACTIONS):
        assert f".B {row.name.replace('-', chr(92) + '-')}" in lines


def test_mandoc_finds_no_fault() -> None:
    """Neither in structure nor in style."""
    done = subprocess.run([require_program("mandoc"), "-Tlint", PAGE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_man_warns_of_nothing() -> None:
    """The other reader is groff."""
    command = [require_program("man"), "--warnings", "-l", str(PAGE)]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"}
    )
    assert (done.returncode, done.stderr) == (0, "") and "OCF_TOCSIN_SERVICE(7)" in done.stdout
