"""What a service says itself, by sd_notify(3): whether it is asked to, where, and whether it has said to be ready."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin_daemon.core.spec import specs
from tocsin_daemon.driver import CannotStart
from tocsin_daemon.environment import identity
from tocsin_ocf import definition as definitions
from tocsin_ocf.exit_codes import OCF_ERR_GENERIC
from tocsin_ocf.values import seconds

if TYPE_CHECKING:
    from tocsin_daemon.checks.notify_socket import Notify
    from tocsin_ocf.definition import Definition

READY = "notify"
"""The readiness that the service says itself."""


class Speech:
    """How the service of one resource speaks to us; one that was not asked to has no socket."""

    def __init__(self, notify: Notify) -> None:
        """Listen to nobody yet."""
        self.notify = notify

    def invite(self, definition: Definition) -> Definition:
        """Return the definition with where to speak in its environment, if it is asked to, and listen; CannotStart."""
        self.notify.forget_what_was_said()
        if not self.listen(definition):
            return definition
        said = {**definition.environment, **self.notify.environment(watchdog(definition))}
        told = definitions.read({**definition.as_dict(), "environment": said})[0]
        assert told is not None, "only its environment has changed"
        return told

    def listen(self, definition: Definition) -> bool:
        """Listen, if it is asked to speak; CannotStart where there can be no socket."""
        if definition.ready != READY and not watchdog(definition):
            return False
        try:
            self.notify.listen(identity(definition.user, definition.group)[0])
        except (OSError, KeyError) as error:
            raise CannotStart(OCF_ERR_GENERIC, f"its notify socket cannot be made: {error}") from None
        return True

    def unsaid(self, definition: Definition | None) -> str:
        """Say what it should have said by now, "" where there is nothing."""
        waited_for = definition is not None and definition.ready == READY and not self.notify.ready
        return "it has not said READY=1" if waited_for else ""


def watchdog(definition: Definition) -> float:
    """Return the seconds within which the service is to give a sign of life, 0.0 for: none is wanted."""
    wanted = [spec.target for spec in specs(definition.checks) if spec.kind == "sd_notify"]
    return min(map(seconds, wanted), default=0.0)
