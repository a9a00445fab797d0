"""
The trace of an exception that nobody expected, for the log.

A module of a folded agent has no file that `traceback` could name, so the modules' own names are printed.
"""


def trace(error: BaseException) -> str:
    """Return the calls that led to `error`, the last one last, one a line, and the error."""
    lines = ["Traceback (most recent call last):"]
    step = error.__traceback__
    while step is not None:
        names = step.tb_frame.f_globals
        spec = names.get("__spec__")
        file = spec.origin if spec else names.get("__file__", "?")
        lines.append(f"  {file}:{step.tb_lineno} in {step.tb_frame.f_code.co_name}")
        step = step.tb_next
    return "\n".join([*lines, f"{type(error).__name__}: {error}"]) + "\n"
