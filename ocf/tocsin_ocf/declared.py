"""
What an agent declares of itself, once: its parameters, its actions, its texts.

Everything else is derived: meta-data, usage, manual page, validation, typed values. Times are text as Pacemaker spells
them, such as 20s. Plain classes, because `enum` and `dataclasses` cost a monitor more than its whole budget; the types
of parameters are known to type checkers all the same.
"""

from tocsin_ocf.exit_codes import OCF_ERR_CONFIGURED, ActionFailed, wrong

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Generic, TypedDict, TypeVar

    from typing_extensions import Unpack

    from tocsin_ocf.call import Call

    T_co = TypeVar("T_co", covariant=True)

    class Options(TypedDict, total=False):
        """What every parameter may say by name: see `Parameter`."""

        default: str
        required: bool
        unique: bool
        group: str
        reloadable: bool
        formerly: str
        deprecated: str
else:
    T_co = None

    class Generic:
        """Stands for typing's, whose import costs too much; `Parameter[int]` is Parameter."""

        def __class_getitem__(cls, _: object) -> type:
            """Return the class itself."""
            return cls


TRUE = ("yes", "true", "1", "on", "ja")
FALSE = ("no", "false", "0", "off", "nein")
SECONDS = {"": 1.0, "ms": 0.001, "msec": 0.001, "s": 1.0, "sec": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "hr": 3600.0}
"""Seconds per unit, as Pacemaker spells time; a number alone is seconds."""


class Parameter(Generic[T_co]):
    """
    One parameter; the subclass says of which type. `read` of a subclass of your own makes a new type.

    `default` is text, as an administrator would write it. `unique`: no two resources may have the same value; `group`
    names several parameters whose values together no two resources may share. `reloadable`: a change of it alone calls
    reload-agent, and restarts nothing. `formerly` is an older name of it, which still counts where the new one is not
    set. `deprecated` says why it should not be set any more. Source: OCF Resource Agent API 1.1, "Parameters".
    """

    type = "string"
    choices: "tuple[str, ...]" = ()

    def __init__(  # noqa: PLR0913 as many as OCF gives a parameter attributes
        self,
        name: str,
        short: str,
        long: str,
        *,
        default: str = "",
        required: bool = False,
        unique: bool = False,
        group: str = "",
        reloadable: bool = False,
        formerly: str = "",
        deprecated: str = "",
    ) -> None:
        """Declare it: `short` is a title of at most 60 characters, `long` says when to change it."""
        self.name = name
        self.short = short
        self.long = long
        self.default = default
        self.required = required
        self.unique = unique
        self.group = group
        self.reloadable = reloadable
        self.formerly = formerly
        self.deprecated = deprecated

    def of(self, call: "Call") -> "T_co":
        """Return its value in a call; ActionFailed (OCF_ERR_CONFIGURED) where it is faulty, or missing."""
        text = call.parameter(self.name) or (self.formerly and call.parameter(self.formerly)) or self.default
        if not text and self.required:
            raise ActionFailed(OCF_ERR_CONFIGURED, f"parameter {self.name}: missing; give {self.short.lower()}")
        try:
            return self.read(text)
        except ValueError as error:
            raise wrong(self.name, text, str(error)) from None

    def read(self, text: str) -> "T_co":
        """Return the value of `text`, "" where neither it nor a default is given; ValueError says what is right."""
        raise NotImplementedError


class Text(Parameter[str]):
    """Any text; "" where it is not set."""

    def read(self, text: str) -> str:
        """Return it."""
        return text


class Path(Text):
    """An absolute path; "" where it is not set. Nothing is looked at."""

    def read(self, text: str) -> str:
        """Return it."""
        if text and (text[0] != "/" or not text.isprintable()):
            raise ValueError("use an absolute path")
        return text


class Select(Text):
    """One of a few words; "" where it is not set."""

    def __init__(self, name: str, short: str, long: str, choices: "tuple[str, ...]", **more: "Unpack[Options]") -> None:
        """Declare it, and the words."""
        super().__init__(name, short, long, **more)
        self.choices = choices

    def read(self, text: str) -> str:
        """Return it."""
        if text and text not in self.choices:
            raise ValueError(f"use one of {', '.join(self.choices)}")
        return text


class Integer(Parameter[int]):
    """A whole number, from `least` to `most`; 0 where neither it nor a default is given."""

    type = "integer"

    def __init__(
        self, name: str, short: str, long: str, *, least: int = 0, most: int = 2**31 - 1, **more: "Unpack[Options]"
    ) -> None:
        """Declare it, and its range."""
        super().__init__(name, short, long, **more)
        self.least = least
        self.most = most

    def read(self, text: str) -> int:
        """Return it."""
        digits = text[1:] if text[:1] in ("-", "+") else text
        if not text:
            return 0
        if not (digits.isascii() and digits.isdigit() and len(digits) < 20 and self.least <= int(text) <= self.most):
            raise ValueError(f"use a whole number from {self.least} to {self.most}")
        return int(text)


class Boolean(Parameter[bool]):
    """Yes or no, in any word that OCF's shell library takes; False where neither it nor a default is given."""

    type = "boolean"

    def read(self, text: str) -> bool:
        """Return it."""
        if text and text.lower() not in TRUE + FALSE:
            raise ValueError("use true or false")
        return text.lower() in TRUE


class Duration(Parameter[float]):
    """A time as Pacemaker spells it, such as 30s, in seconds; 0 where neither it nor a default is given."""

    def read(self, text: str) -> float:
        """Return the seconds."""
        number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
        digits = number.replace(".", "", 1)
        if not text:
            return 0.0
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10) or text[len(number) :] not in SECONDS:
            raise ValueError("use seconds, or a number with ms, s, min or h, such as 30s")
        return float(number) * SECONDS[text[len(number) :]]


class Action:
    """One action as it is advertised; "" where it has no such attribute."""

    def __init__(self, name: str, timeout: str, interval: str = "", depth: str = "", role: str = "") -> None:
        """Keep the row. Pacemaker tells the monitors of two roles apart by their `interval` alone."""
        self.name = name
        self.timeout = timeout
        self.interval = interval
        self.depth = depth
        self.role = role


class Declaration:
    """All that an agent says of itself."""

    def __init__(  # noqa: PLR0913 as many as there is to say
        self,
        name: str,
        version: str,
        short: str,
        long: str,
        parameters: "tuple[Parameter[object], ...]" = (),
        actions: "tuple[Action, ...]" = (),
        *,
        provider: str = "",
    ) -> None:
        """Declare an agent, whose file has this name; `long` may have paragraphs."""
        self.name = name
        self.version = version
        self.short = short
        self.long = long
        self.parameters = parameters
        self.actions = actions
        self.provider = provider
