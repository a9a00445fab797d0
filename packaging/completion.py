"""The shells' completion of our commands, as click generates it: it asks the command itself what may come next."""

from collections.abc import Iterable, Iterator

import click
from click.shell_completion import BashComplete, FishComplete, ShellComplete, ZshComplete

BASH = "usr/share/bash-completion/completions"
FISH = "usr/share/fish/vendor_completions.d"
AUTOLOADED = """\
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    {function} "$@"
else
    compdef {function} {name}
fi
"""
"""What click before 8.1.4 leaves out: zsh loads the file at the first Tab, and that one shall complete, too."""


def files(names: "Iterable[str]", zsh: str) -> "Iterator[tuple[str, str]]":
    """Yield path and text of what completes each command; `zsh` is where its shell looks."""
    for name in names:
        yield f"{BASH}/{name}", _script(BashComplete, name)
        yield f"{zsh}/_{name}", _script(ZshComplete, name)
        yield f"{FISH}/{name}.fish", _script(FishComplete, name)


def _script(shell: "type[ShellComplete]", name: str) -> str:
    """Return the script for one command; which options there are, it asks at the time."""
    own = shell(click.Command(name), {}, name, f"_{name.upper()}_COMPLETE")
    text = own.source_template % own.source_vars()  # not source(), which runs bash to look at its version
    before, compdef, _ = text.rpartition(f"compdef {own.func_name} {name};")
    if shell is not ZshComplete or not compdef:
        return text
    return before + AUTOLOADED.format(function=own.func_name, name=name)
