"""Completion in the real shells, from the files that are installed, loaded the way the shells load them."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import completion
from tests.requirements import require_program

TOP = Path(completion.__file__).parents[1]
BASH = """
source usr/share/bash-completion/completions/tocsin
COMP_WORDS=({words}) COMP_CWORD={last}
_tocsin_completion tocsin
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
ZSH = """
zmodload zsh/zpty
zpty inner zsh -f -i
zpty -w inner "fpath=($PWD/zsh \\$fpath); autoload -Uz compinit; compinit -D -u; print rea''dy"
zpty -r inner text '*ready*'
zpty -w -n inner $'tocsin sta\\t'
zpty -r -m inner text '*tocsin status*' && print status
zpty -d inner
"""
FISH = "source usr/share/fish/vendor_completions.d/tocsin.fish; complete --do-complete 'tocsin sta'"


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the files below a directory that is the current one, and the command on PATH."""
    for path, text in completion.files(["tocsin"], "zsh"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    command = tmp_path / "bin/tocsin"
    command.parent.mkdir()
    command.write_text(f"#!{sys.executable}\nfrom tocsin_daemon.cli import main\nmain(prog_name='tocsin')\n")
    command.chmod(command.stat().st_mode | stat.S_IXUSR)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{command.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONPATH", f"{TOP}/ocf:{TOP}/daemon")
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def said(*words: str) -> "list[str]":
    """Return the words that a shell prints."""
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_bash_completes_commands_and_options(shell: Path) -> None:
    """What may come next, it asks the command itself."""
    bash = require_program("bash")
    assert said(bash, "--norc", "-c", BASH.format(words="tocsin sta", last=1)) == ["status"]
    assert "--json" in said(bash, "--norc", "-c", BASH.format(words="tocsin status --", last=2))


def test_zsh_completes_at_the_first_tab(shell: Path) -> None:
    """Which only loads the file, where that does not mind."""
    assert said(require_program("zsh"), "-f", "-c", ZSH) == ["status"]


def test_fish_completes(shell: Path) -> None:
    """With what the command says of it."""
    assert "status" in said(require_program("fish"), "--no-config", "-c", FISH)[0]
