"""The few macros of roff that our manual pages are made of; mandoc -Tlint and groff find no fault with them."""

import textwrap

WIDTH = 78
"""mandoc -Tlint wants lines below 80 bytes."""


def section(title: str, *parts: str) -> str:
    """Return a section; parts that are not items are paragraphs of their own."""
    body = "\n".join(
        part if part.startswith((".TP", ".SS")) or index == 0 else f".PP\n{part}" for index, part in enumerate(parts)
    )
    return f".SH {title}\n{body}"


def subsection(title: str, *parts: str) -> str:
    """Return a part of a section, with a title of its own."""
    body = "\n".join(parts)
    return f".SS {escape(title)}\n{body}"


def item(term: str, text: str) -> str:
    """Return a term and what it means."""
    return f".TP\n.B {escape(term)}\n{paragraphs(text, 'IP')}"


def code(text: str) -> str:
    """Return lines as they are."""
    lines = "\n".join(f"\\&{line}" if line.startswith(".") else line for line in escape(text).splitlines())
    return f".PP\n.nf\n{lines}\n.fi"


def paragraphs(text: str, macro: str = "PP") -> str:
    """Return paragraphs, which an empty line parts."""
    return f"\n.{macro}\n".join(fill(paragraph) for paragraph in text.split("\n\n"))


def fill(text: str) -> str:
    """Return a paragraph in lines that roff's critics accept; a line that begins with a control mark is no macro."""
    lines = textwrap.wrap(escape(text), WIDTH, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f"\\&{line}" if line.startswith(".") else line for line in lines)


def escape(text: str) -> str:
    """Return text that roff prints as it is: backslashes, dashes of options, straight quotes and accents."""
    plain = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq")
    return plain.replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
