"""Folding an agent and its modules into one file."""

import subprocess
import sys
from pathlib import Path

import pytest

from tocsin_ocf import fold

TOP = Path(__file__).resolve().parents[2]
PYTHONS = sorted(Path.home().glob(".pyenv/versions/3.*/bin/python3"))
AGENT = '''\
#!/usr/bin/python3 -IS
"""An agent."""

import sys

sys.path.insert(0, __file__ + "/../lib")

from lib.words import GREETING


def main() -> int:
    """Greet."""
    from lib import rare

    print(GREETING, rare.word(), sys.modules["lib.words"].__name__, "lib.never" in sys.modules)
    return 3


if __name__ == "__main__":
    sys.exit(main())
'''


@pytest.fixture
def agent(tmp_path: Path) -> Path:
    """Return an agent and its small library."""
    library = tmp_path / "path/lib"
    library.mkdir(parents=True)
    (library / "__init__.py").write_text("")
    (library / "words.py").write_text('GREETING = "h\\u00e9\\\\n"  # ' + '"""ü\n')
    (library / "rare.py").write_text(
        "TYPE_CHECKING = False\nif TYPE_CHECKING:\n    import lib.never\nfrom lib.deep.inner import word\n"
    )
    (library / "never.py").write_text("raise SystemExit(99)\n")
    (library / "unused.py").write_text("raise SystemExit(98)\n")
    (library / "deep").mkdir()
    (library / "deep/__init__.py").write_text("")
    (library / "deep/inner.py").write_text("def word():\n    return __name__\n")
    path = tmp_path / "agent"
    path.write_text(AGENT)
    return path


def folded(agent: Path) -> str:
    """Return the one file's text."""
    return fold.fold(agent, [agent.parent / "path"])


def run(agent: Path, text: str) -> "subprocess.CompletedProcess[str]":
    """Execute the one file alone in a directory."""
    alone = agent.parent / "alone" / "agent"
    fold.write(alone, text)
    return subprocess.run(
        [sys.executable, "-IS", alone],
        capture_output=True,
        text=True,
        check=False,
        encoding="utf-8",
        env={"LC_ALL": "C.UTF-8"},
    )


def test_the_one_file_does_what_the_agent_did(agent: Path) -> None:
    """Imports mean what they meant: packages, lazy ones, and those only for the type checker."""
    done = run(agent, folded(agent))
    assert (done.returncode, done.stdout, done.stderr) == (3, "h\xe9\\n lib.deep.inner lib.words False\n", "")


def test_it_holds_what_is_imported_and_nothing_else(agent: Path) -> None:
    """Transitively; in the order of names; with the text of each as it was."""
    text = folded(agent)
    names = [line.split('"')[1] for line in text.splitlines() if line.startswith('"lib')]
    assert names == ["lib", "lib.deep", "lib.deep.inner", "lib.rare", "lib.words"]
    assert (agent.parent / "path/lib/words.py").read_text() in text


def test_the_agents_own_text_stays_around_it(agent: Path) -> None:
    """First line and all."""
    text = folded(agent)
    before, after = AGENT.split('sys.path.insert(0, __file__ + "/../lib")\n')
    assert text.startswith(before) and text.endswith(after)


@pytest.mark.parametrize("last", ["'x'", "'x' # \\"])
def test_a_module_may_end_without_a_line_break(agent: Path, last: str) -> None:
    """Whatever its last character is, which stands before the quotes around the text."""
    (agent.parent / "path/lib/deep/inner.py").write_text(f"def word(): return {last}")
    done = run(agent, folded(agent))
    assert (done.returncode, done.stdout) == (3, "h\xe9\\n x lib.words False\n")


def test_the_lines_of_an_agent_are_those_that_python_counts(agent: Path) -> None:
    """A form feed ends a page, and no line."""
    agent.write_text(AGENT.replace("import sys\n\n", "import sys\n\f\n# \u2028 is none, too\n"))
    assert run(agent, folded(agent)).returncode == 3


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("path/lib/rare.py", "import lib.missing\n", "imports lib.missing, but there is no module lib.missing"),
        ("path/lib/rare.py", "from lib.missing import x\n", "imports lib.missing, but there is no module"),
        ("path/lib/rare.py", "from . import words\n", "a relative import; name the module in full"),
        ("path/lib/rare.py", "X = '''y'''\n", "rare.py holds '''"),
        ("path/lib/rare.py", "X = 1\r\n", "carriage return"),
        ("agent", AGENT.replace("sys.path.insert", "sys.path.append"), "has 0 lines sys.path.insert(...)"),
        ("agent", AGENT.replace("def main", "sys.path.insert(1, 'x')\ndef main"), "has 2 lines sys.path.insert(...)"),
        ("agent", AGENT.replace("lib", "sys"), "imports nothing from"),
    ],
)
def test_what_cannot_be_folded_is_refused(agent: Path, file: str, text: str, why: str) -> None:
    """A file that fails on a node is worse than none."""
    (agent.parent / file).write_bytes(text.encode())
    with pytest.raises(fold.CannotFold) as refused:
        folded(agent)
    assert why in str(refused.value)


TOCSIN = "import sys; sys.path[:0] = sys.argv.pop(1).split(); from tocsin_daemon.cli import main; main()"
COMMANDS = {
    "tocsin fold": [sys.executable, "-c", TOCSIN, f"{TOP}/ocf {TOP}/daemon", "fold"],
    "python3 -m tocsin_ocf.fold": [sys.executable, fold.__file__],
}


@pytest.mark.parametrize("call", COMMANDS.values(), ids=list(COMMANDS))
def test_the_command_writes_an_executable_file(agent: Path, call: "list[str]") -> None:
    """And says in one line what it cannot do."""
    command = [*call, str(agent), "-o", str(agent.parent / "out/agent"), "--path"]
    done = subprocess.run([*command, str(agent.parent / "path")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    out = agent.parent / "out/agent"
    assert out.read_text() == folded(agent) and out.stat().st_mode & 0o777 == 0o755
    assert [path.name for path in out.parent.iterdir()] == ["agent"]
    done = subprocess.run([*command, "/nonexistent"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and done.stderr.startswith("tocsin fold: ") and done.stderr.count("\n") == 1


def test_every_python_folds_our_agent_to_the_same_bytes(tmp_path: Path) -> None:
    """From 3.9 on; whichever are here."""
    expected = fold.fold(TOP / "agent/service", [TOP / "ocf"])
    supported = [python for python in PYTHONS if int(python.parts[-3].split(".")[1]) >= 9]
    for python in [sys.executable, *supported]:
        out = tmp_path / "service"
        subprocess.run([python, fold.__file__, TOP / "agent/service", "-o", out], check=True)
        assert out.read_text() == expected, python
