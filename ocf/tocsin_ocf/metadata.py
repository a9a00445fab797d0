"""
Renders what an agent declares as OCF 1.1 meta-data, and as a usage text.

By hand, because an XML module would cost several times the bare interpreter, before every start.
"""

import sys

from tocsin_ocf.declared import Action, Declaration, Parameter
from tocsin_ocf.exit_codes import OCF_ERR_UNIMPLEMENTED

SUBSET = """\
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd" [
  <!ATTLIST parameter unique-group CDATA #IMPLIED reloadable (1|0) #IMPLIED>
  <!ATTLIST action name CDATA #REQUIRED>
]>
"""
"""
The subset adds to the DTD, which ocf-tester validates by, what OCF 1.1 has added since. No encoding is declared:
crmsh 4.4 decodes the text first, and then its parser (lxml) refuses such a declaration.
"""
WHOLE = """\
<!DOCTYPE resource-agent [
  <!ELEMENT resource-agent (version,longdesc,shortdesc,parameters?,actions)>
  <!ATTLIST resource-agent name CDATA #REQUIRED version CDATA #IMPLIED>
  <!ELEMENT version (#PCDATA)>
  <!ELEMENT parameters (parameter*)>
  <!ELEMENT actions (action*)>
  <!ELEMENT parameter (longdesc+,shortdesc+,deprecated?,content)>
  <!ATTLIST parameter name CDATA #REQUIRED required (1|0) "0" unique (1|0) "0" unique-group CDATA #IMPLIED
    reloadable (1|0) #IMPLIED>
  <!ELEMENT longdesc (#PCDATA)>
  <!ATTLIST longdesc lang NMTOKEN #IMPLIED>
  <!ELEMENT shortdesc (#PCDATA)>
  <!ATTLIST shortdesc lang NMTOKEN #IMPLIED>
  <!ELEMENT deprecated (replaced-with*,desc*)>
  <!ELEMENT replaced-with EMPTY>
  <!ATTLIST replaced-with name CDATA #REQUIRED>
  <!ELEMENT desc (#PCDATA)>
  <!ATTLIST desc lang NMTOKEN #IMPLIED>
  <!ELEMENT content (option*)>
  <!ATTLIST content type CDATA #REQUIRED default CDATA #IMPLIED>
  <!ELEMENT option EMPTY>
  <!ATTLIST option value CDATA #REQUIRED>
  <!ELEMENT action EMPTY>
  <!ATTLIST action name CDATA #REQUIRED timeout CDATA #REQUIRED interval CDATA #IMPLIED depth CDATA #IMPLIED
    role CDATA #IMPLIED>
]>
"""
"""No subset can add what deprecated parameters and choices need, so a document with these brings a DTD of its own."""
COLUMNS = 100


def describe(agent: Declaration, action: str) -> "tuple[int, str]":
    """Print what an agent is. Needs nothing: the controller asks for meta-data as another user."""
    if action == "meta-data":
        sys.stdout.write(render(agent))
    elif action in ("usage", "help", "-h", "--help"):
        sys.stdout.write(usage(agent))
    else:
        sys.stderr.write(usage(agent))
        return OCF_ERR_UNIMPLEMENTED, f"unknown action {action!r}" if action else "no action was given"
    return 0, ""


def render(agent: Declaration) -> str:
    """Return the meta-data."""
    rows = "".join(f"{_parameter(row)}{_former(row) if row.formerly else ''}" for row in agent.parameters)
    plain = not any(row.choices or row.formerly or row.deprecated for row in agent.parameters)
    return (
        f'<?xml version="1.0"?>\n{SUBSET if plain else WHOLE}'
        f'<resource-agent name="{agent.name}" version="{agent.version}">\n<version>1.1</version>\n'
        f"{_texts(agent.short, agent.long)}<parameters>\n{rows}</parameters>\n"
        f"<actions>\n{''.join(map(_action, agent.actions))}</actions>\n</resource-agent>\n"
    )


def usage(agent: Declaration) -> str:
    """Return how the agent is called."""
    names = "|".join([*dict.fromkeys(action.name for action in agent.actions), "usage"])
    more = (
        f"{agent.short}; called by Pacemaker.\nIts parameters: pcs resource describe ocf:{agent.provider}:{agent.name}"
    )
    return f"usage: {agent.name} {names}\n\n{more}\n"


def _parameter(row: "Parameter[object]") -> str:
    required, deprecated = int(row.required and not row.formerly), ""
    if row.deprecated:
        deprecated = f'<deprecated>\n<desc lang="en">{_escape(row.deprecated)}</desc>\n</deprecated>\n'
    return (
        f'<parameter name="{row.name}" unique="{int(row.unique)}" required="{required}"{_attributes(row)}>\n'
        f"{_texts(row.short, _paragraphs(row.long))}{deprecated}{_content(row)}</parameter>\n"
    )


def _former(row: "Parameter[object]") -> str:
    """Return the parameter under the name that it once had."""
    texts = _texts(row.short, f"The former name of {row.name}, which counts where that is not set.")
    deprecated = f'<deprecated>\n<replaced-with name="{row.name}"/>\n</deprecated>\n'
    return (
        f'<parameter name="{row.formerly}" unique="{int(row.unique)}" required="0"{_attributes(row)}>\n{texts}'
        f'{deprecated}<content type="{_type(row)}"/>\n</parameter>\n'
    )


def _attributes(row: "Parameter[object]") -> str:
    own = row.group or (row.name if row.unique else "")  # alone, unique means nothing to OCF 1.1
    group = f' unique-group="{own}"' if own else ""
    return f'{group} reloadable="1"' if row.reloadable else group


def _content(row: "Parameter[object]") -> str:
    default = f' default="{_escape(row.default)}"' if row.default else ""
    if not row.choices:
        return f'<content type="{row.type}"{default}/>\n'
    options = "".join(f'<option value="{_escape(choice)}"/>\n' for choice in row.choices)
    return f'<content type="select"{default}>\n{options}</content>\n'


def _type(row: "Parameter[object]") -> str:
    return "string" if row.choices else row.type


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
    for word in paragraph.split():
        if len(lines[-1]) + len(word) > COLUMNS:
            lines.append("")
        lines[-1] += f"{word} "
    return "\n".join(line.rstrip(" ") for line in lines)


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
