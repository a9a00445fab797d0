"""Which function performs which action; only what is asked for is imported."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin_ocf.invocation import Invocation

    Function = Callable[[Invocation], tuple[int, str]]


def function_of(action: str) -> "Function | None":  # noqa: PLR0911 one for each
    """Return what performs an action; None where tocsind has nothing to do with it."""
    if action in ("monitor", "status", "asyncmon"):
        from tocsin_ocf.actions.monitor import monitor

        return monitor
    if action == "start":
        from tocsin_ocf.actions.start import start

        return start
    if action == "stop":
        from tocsin_ocf.actions.stop import stop

        return stop
    if action == "promote":
        from tocsin_ocf.actions.promote import promote

        return promote
    if action == "demote":
        from tocsin_ocf.actions.demote import demote

        return demote
    if action == "notify":
        from tocsin_ocf.actions.notify import notify

        return notify
    if action == "reload-agent":
        from tocsin_ocf.actions.reload_agent import reload_agent

        return reload_agent
    if action == "validate-all":
        from tocsin_ocf.actions.validate_all import validate_all

        return validate_all
    return None
