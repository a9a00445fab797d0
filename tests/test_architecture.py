"""What the rooms may hold and import, read from the source; each rule's docstring says why."""

import ast
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

TOP = Path(__file__).resolve().parents[1]
ROOMS = {"tocsin_ocf": TOP / "ocf", "tocsin_daemon": TOP / "daemon"}
AGENT = TOP / "agent/service"
OCF = sorted((TOP / "ocf").rglob("*.py"))
DAEMON = sorted((TOP / "daemon").rglob("*.py"))
CORE = [file for file in DAEMON if "core" in file.parts]
PACKAGING = sorted((TOP / "packaging").rglob("*.py"))
TESTS = sorted((TOP / "tests").rglob("*.py"))
PRODUCT = [AGENT, *OCF, *DAEMON, *PACKAGING]

THIRD_PARTY = {
    *("twisted", "zope", "yaml", "jsonschema", "psutil", "jeepney", "click", "rich", "prometheus_client"),
    *("pytest", "hypothesis", "pytest_twisted"),
}
WORLD = {
    *THIRD_PARTY,
    *("asyncio", "datetime", "fcntl", "glob", "io", "os", "pathlib", "posix", "pwd", "random", "secrets", "select"),
    *("shutil", "socket", "_socket", "ssl", "subprocess", "sys", "syslog", "tempfile", "threading", "time"),
}
"""What `core` may not import: clocks, chance, files, processes, the network, and who wraps them."""
DEAR = {"dataclasses", "enum", "functools", "json", "logging", "pathlib", "re", "shlex", "signal", "socket", "typing"}
"""Each costs a monitor more than is left of its budget, or close to it."""
COMMANDS = {file for file in DAEMON if "admin" in file.parts}
"""What `tocsin` can do, a module per group of commands: each says by click what it is asked."""
IMPORTERS = {"yaml": 1, "jsonschema": 1, "psutil": 1, "click": 2, "rich": 2, "prometheus_client": 1}
"""How many other modules may import a library: one that wraps it, or the two command lines, or the two screens."""
VAGUE = {"handler", "manager", "helper", "helpers", "util", "utils", "engine", "processor"}
LONGEST = 250
MACHINE = re.compile(rb"(?<![\w})])/(work|root)/")
"""Paths of a developer's machine; not /proc/PID/root/."""


@cache
def tree(file: Path) -> ast.Module:
    """Return the syntax of a file, as Python 3.9 reads it."""
    return ast.parse(file.read_text(), str(file), feature_version=(3, 9))


def name_of(file: Path) -> str:
    """Return how a file is named in a failure."""
    return str(file.relative_to(TOP))


def imports(file: Path, *, whenever: bool = True) -> Iterator[str]:
    """Yield the full names that a file imports: all, or those of module level, which every import of it pays for."""
    nodes = ast.walk(tree(file)) if whenever else paid_at_once(tree(file).body)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def paid_at_once(body: "list[ast.stmt]") -> Iterator[ast.stmt]:
    """Yield the statements of module level, without those for the type checker only."""
    for node in body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            continue
        yield node
        for inner in ("body", "orelse", "finalbody"):
            if isinstance(node, (ast.If, ast.Try, ast.With)):
                yield from paid_at_once(getattr(node, inner, []))


def naming(files: "Iterable[Path]", forbidden: "set[str]") -> "list[str]":
    """Return, as "file: package", every import of a forbidden top-level package."""
    return [f"{name_of(file)}: {package}" for file in files for package in sorted(tops(file) & forbidden)]


def tops(file: Path) -> "set[str]":
    """Return the top-level packages that a file imports."""
    return {name.split(".")[0] for name in imports(file)}


def module_file(name: str) -> "Path | None":
    """Return the file of one of our modules."""
    room = ROOMS.get(name.split(".")[0])
    stem = (room or TOP) / name.replace(".", "/")
    return next((file for file in (stem.with_suffix(".py"), stem / "__init__.py") if room and file.is_file()), None)


def monitor_path() -> "set[Path]":
    """Return the files that a monitor loads: what the agent and its action import at module level, and so on."""
    found: set[Path] = set()
    new = {AGENT, TOP / "ocf/tocsin_ocf/actions/monitor.py"}
    while new:
        found |= new
        loaded = (module_file(name) for file in new for name in imports(file, whenever=False))
        new = {file for file in loaded if file} - found
    return found


def test_the_agent_and_its_library_need_only_the_standard_library() -> None:
    """The agent runs as root on every node, on the system's Python, whatever is installed."""
    assert naming([AGENT, *OCF], {*THIRD_PARTY, "tocsin_daemon"}) == []


def test_no_import_of_the_product_points_outward_or_is_relative() -> None:
    """The daemon imports the vocabulary, never the agent or what packs it; and every module is named in full."""
    assert naming([*OCF, *DAEMON], {"agent", "fold", "install", "man", "example", "packaging", "tests", ""}) == []


def test_the_core_knows_neither_the_world_nor_the_shell() -> None:
    """Decisions are functions from values to values; so every history can be enumerated and replayed."""
    assert naming(CORE, WORLD) == []
    ours = {f"{name_of(file)}: {name}" for file in CORE for name in imports(file) if name.startswith("tocsin_daemon.")}
    assert {line for line in ours if ": tocsin_daemon.core" not in line} == set()


def test_only_the_composition_root_names_the_reactor() -> None:
    """Everywhere else the reactor is an argument, so that no test sleeps."""
    found = {name_of(file) for file in DAEMON if "twisted.internet.reactor" in set(imports(file))}
    assert found <= {"daemon/tocsin_daemon/__main__.py"}


def test_a_library_has_few_importers() -> None:
    """What one module wraps can be replaced, and faked, in one place."""
    others = [file for file in [*OCF, *DAEMON] if file not in COMMANDS]
    importers = {library: naming(others, {library}) for library in IMPORTERS}
    assert {library: found for library, found in importers.items() if len(found) > IMPORTERS[library]} == {}


def test_a_monitor_loads_nothing_dear() -> None:
    """A monitor may cost half as much again as the bare interpreter; enum or typing alone cost more."""
    loaded = {file: {name.split(".")[0] for name in imports(file, whenever=False)} for file in monitor_path()}
    assert {name_of(file): names & DEAR for file, names in loaded.items() if names & DEAR} == {}


def test_a_file_holds_one_thing() -> None:
    """Over 250 lines a file holds two."""
    lengths = {name_of(file): len(file.read_text().splitlines()) for file in PRODUCT}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_python_3_9_can_read_every_file() -> None:
    """RHEL 9's system Python is 3.9: one newer construct kills the whole file."""
    assert all(tree(file) for file in [*PRODUCT, *TESTS])


def test_names_are_the_domains() -> None:
    """A handler, a manager or a util says nothing about what it is."""
    defined = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    names = [(file, node.name) for file in PRODUCT for node in ast.walk(tree(file)) if isinstance(node, defined)]
    names += [(file, file.stem) for file in PRODUCT]
    assert [f"{name_of(file)}: {name}" for file, name in names if split_words(name) & VAGUE] == []


def split_words(name: str) -> "set[str]":
    """Split snake_case and CapWords into lower-case words."""
    spaced = "".join(f" {letter}" if letter.isupper() else letter for letter in name)
    return set(spaced.replace("_", " ").lower().split())


def test_packaging_is_no_package() -> None:
    """It has the name of a library that pytest imports."""
    assert not list((TOP / "packaging").rglob("__init__.py"))


def test_no_file_names_a_developers_machine() -> None:
    """A path that exists on one machine only is a fault on every other."""
    rooms = [TOP / room for room in ("agent", "ocf", "daemon", "packaging", "tests", ".ci")]
    files = [*TOP.iterdir(), *(file for room in rooms for file in room.rglob("*"))]
    texts = [file for file in files if file.is_file() and file.suffix != ".pyc"]
    assert [name_of(file) for file in texts if MACHINE.search(file.read_bytes())] == []
