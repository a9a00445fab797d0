"""
Fold an agent and the modules that it imports into one file.

    tocsin fold AGENT -o FILE [--path LIBRARY]...     or, without the daemon: python3 -m tocsin_ocf.fold ...

One file on the node is one atomic rename at an upgrade, no search path in a root process, and can be copied by
hand. The agent keeps its text, but its line `sys.path.insert(...)`, by which it finds the library while it
is written, gives way to a table of the modules' texts and a finder that compiles a module when it is imported.
So every import means what it meant before and costs only the action that needs it: compiling takes half a
millisecond per hundred lines, on each call of the agent.
"""

import argparse
import ast
import sys
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

LIBRARY = Path(__file__).resolve().parent.parent
"""Where tocsin_ocf lies; what an agent imports from elsewhere is named."""
QUOTES = "'''"

FINDER = '''

class Folded:
    """Finds the modules in FOLDED, and compiles each when it is first imported."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        """Return the spec of a folded module, None for any other."""
        if name in FOLDED:
            file = FOLDED[name][0]
            return type(sys.__spec__)(name, Folded, origin=file, is_package=file.endswith("/__init__.py"))

    @staticmethod
    def create_module(spec):
        """Leave it to the interpreter to make an empty module."""

    @staticmethod
    def exec_module(module):
        """Fill the module; not by compile(), whose first call takes half a millisecond to set `ast` up."""
        exec(FOLDED[module.__name__][1], module.__dict__)


sys.meta_path.insert(0, Folded)
'''


class CannotFold(Exception):
    """The agent cannot be made one file; the text says why."""


def fold(agent: Path, paths: "list[Path]") -> str:
    """Return the text of the one file."""
    text = _read(agent)
    tree = ast.parse(text)
    line = _search_path(tree, agent)
    modules: dict[str, tuple[str, Path]] = {}
    _collect(tree, agent, paths, modules)
    if not modules:
        raise CannotFold(f"{agent} imports nothing from {' '.join(map(str, paths))}")
    table = "".join(_entry(name, *modules[name]) for name in sorted(modules))
    lines = [*StringIO(text)]  # as Python counts them; str.splitlines takes a form feed for the end of one, too
    return "".join([*lines[: line.lineno - 1], f"FOLDED = {{\n{table}}}\n{FINDER}", *lines[line.end_lineno :]])


def _search_path(tree: ast.Module, agent: Path) -> ast.Expr:
    """Return the agent's one statement that the table replaces."""
    found = [node for node in tree.body if isinstance(node, ast.Expr) and "sys.path.insert(" in ast.unparse(node)]
    if len(found) != 1:
        raise CannotFold(f"{agent} has {len(found)} lines sys.path.insert(...); one must show where the modules go")
    return found[0]


def _collect(tree: ast.AST, file: Path, paths: "list[Path]", modules: "dict[str, tuple[str, Path]]") -> None:
    """Add all modules under `paths` that `tree` imports, wherever the import stands, and what those import."""
    for name, is_module in _imported(tree, file):
        parts = name.split(".")
        for parent in (".".join(parts[:depth]) for depth in range(1, len(parts) + 1)):
            if parent in modules:
                continue
            found = _locate(parent, paths)
            if found:
                modules[parent] = found
                _collect(ast.parse(_read(found[1])), found[1], paths, modules)
            elif parts[0] in modules and (is_module or parent != name):
                raise CannotFold(f"{file} imports {name}, but there is no module {parent}")


def _imported(tree: ast.AST, file: Path) -> "Iterator[tuple[str, bool]]":
    """Yield (name, True) of a module, (name, False) of what may be a module or a name inside one."""
    for node in _executed(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, True) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level:
            raise CannotFold(f"{file}:{node.lineno}: a relative import; name the module in full")
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, True
            yield from ((f"{node.module}.{alias.name}", False) for alias in node.names)


def _executed(node: ast.AST) -> "Iterator[ast.AST]":
    """Yield what may ever be executed: not what is for type checkers alone."""
    yield node
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and ast.unparse(child.test) == "TYPE_CHECKING":
            for other in child.orelse:
                yield from _executed(other)
        else:
            yield from _executed(child)


def _locate(name: str, paths: "list[Path]") -> "tuple[str, Path] | None":
    """Return a module's file, relative and absolute, None where it is not under `paths`."""
    stem = name.replace(".", "/")
    candidates = ((relative, path / relative) for path in paths for relative in (f"{stem}/__init__.py", f"{stem}.py"))
    return next((found for found in candidates if found[1].is_file()), None)


def _entry(name: str, relative: str, file: Path) -> str:
    """Return a module's line of the table: its name, its file for those who look for a fault, its text."""
    text = _read(file)
    text = text if text.endswith("\n") else f"{text}\n"  # or its last character could be one with the quotes
    if QUOTES in text:
        raise CannotFold(f"{file} holds {QUOTES}, which is how the folded file quotes it")
    return f'"{name}": ("{relative}", r{QUOTES}{text}{QUOTES}),\n'


def _read(file: Path) -> str:
    text = file.read_bytes().decode()
    if "\r" in text or "\0" in text:
        raise CannotFold(f"{file} holds a carriage return or NUL, which a quoted text would lose")
    return text


def main(words: "list[str] | None" = None) -> int:
    """Fold what the command line (or `words`) names; 1 with a line on stderr where that cannot be."""
    parser = argparse.ArgumentParser(
        prog="tocsin fold", description="Fold an OCF agent and the modules that it imports into one file."
    )
    parser.add_argument("agent", type=Path, help="the agent as written")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the one file to write")
    parser.add_argument("--path", type=Path, action="append", default=[], help="where modules of your own lie")
    arguments = parser.parse_args(words)
    try:
        write(arguments.output, fold(arguments.agent, [*arguments.path, LIBRARY]))
    except (CannotFold, OSError, SyntaxError, UnicodeDecodeError) as error:
        sys.stderr.write(f"tocsin fold: {error}\n")
        return 1
    return 0


def write(output: Path, text: str) -> None:
    """Replace `output` by an executable file with this text, at once: Pacemaker may call it any time."""
    output.parent.mkdir(parents=True, exist_ok=True)
    new = output.with_name(f".{output.name}.new")
    new.write_bytes(text.encode())
    new.chmod(0o755)
    new.replace(output)


if __name__ == "__main__":
    sys.exit(main())
