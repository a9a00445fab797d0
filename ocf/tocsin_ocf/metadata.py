"""
Renders the tables of `tocsin_ocf.parameters` and `tocsin_ocf.advertised` as OCF 1.1 meta-data, and as a usage text.

By hand, because an XML module would cost several times the bare interpreter, before every start.
"""

from tocsin_ocf import __version__
from tocsin_ocf.advertised import ACTIONS, Action
from tocsin_ocf.parameters import LONG, PARAMETERS, SHORT, Parameter

AGENT = "service"

HEAD = """\
<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd" [
  <!ATTLIST parameter unique-group CDATA #IMPLIED reloadable (1|0) #IMPLIED>
  <!ATTLIST action name CDATA #REQUIRED>
]>
"""
"""
The subset adds to the DTD, which ocf-tester validates by, what OCF 1.1 has added since. No encoding is declared:
crmsh 4.4 decodes the text first, and then its parser (lxml) refuses such a declaration.
"""
COLUMNS = 100


def render() -> str:
    """Return the meta-data."""
    return (
        f'{HEAD}<resource-agent name="{AGENT}" version="{__version__}">\n<version>1.1</version>\n'
        f"{_texts(SHORT, LONG)}<parameters>\n{''.join(map(_parameter, PARAMETERS))}</parameters>\n"
        f"<actions>\n{''.join(map(_action, ACTIONS))}</actions>\n</resource-agent>\n"
    )


def usage() -> str:
    """Return how the agent is called."""
    names = "|".join([*dict.fromkeys(action.name for action in ACTIONS), "usage"])
    more = f"{SHORT}; called by Pacemaker.\nIts parameters: pcs resource describe ocf:tocsin:{AGENT}"
    return f"usage: {AGENT} {names}\n\n{more}\n"


def _parameter(row: Parameter) -> str:
    group = f' unique-group="{row.group}"' if row.group else ""
    reloadable = ' reloadable="1"' if row.reloadable else ""
    default = f' default="{_escape(row.default)}"' if row.default else ""
    return (
        f'<parameter name="{row.name}" unique="{int(row.unique)}" required="0"{group}{reloadable}>\n'
        f'{_texts(row.short, _paragraphs(row.long))}<content type="{row.type}"{default}/>\n</parameter>\n'
    )


def _action(row: Action) -> str:
    interval = f' interval="{row.interval}"' if row.interval else ""
    depth = f' depth="{row.depth}"' if row.depth else ""
    role = f' role="{row.role}"' if row.role else ""
    return f'<action name="{row.name}" timeout="{row.timeout}"{interval}{depth}{role}/>\n'


def _texts(short: str, long: str) -> str:
    return f'<longdesc lang="en">\n{_escape(long)}\n</longdesc>\n<shortdesc lang="en">{_escape(short)}</shortdesc>\n'


def _paragraphs(text: str) -> str:
    return "\n\n".join(map(_fill, text.split("\n\n")))


def _fill(paragraph: str) -> str:
    """Break the lines of a paragraph, which crmsh prints as they come (importing `textwrap` would cost 9 ms)."""
    lines = [""]
    for word in paragraph.split(" "):
        if len(lines[-1]) + len(word) > COLUMNS:
            lines.append("")
        lines[-1] += f"{word} "
    return "\n".join(line.rstrip(" ") for line in lines)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
