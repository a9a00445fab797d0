"""What holds for every test."""

import gc
from collections.abc import Iterator

import pytest
from twisted.logger import LogEvent, LogLevel, globalLogPublisher


@pytest.fixture(autouse=True)
def critical_events() -> Iterator["list[LogEvent]"]:
    """Fail a test on a critical event, an unhandled Deferred's above all; one that expects it clears the list."""
    seen: list[LogEvent] = []

    def observe(event: LogEvent) -> None:
        if event.get("log_level") is LogLevel.critical:
            seen.append(event)

    globalLogPublisher.addObserver(observe)
    yield seen
    gc.collect(1)  # a Deferred complains when it is collected
    globalLogPublisher.removeObserver(observe)
    assert not seen, "\n".join(str(event.get("log_failure") or event.get("log_format")) for event in seen)


def pytest_collection_modifyitems(items: "list[pytest.Item]") -> None:
    """Begin with files that say `TAKES_MINUTES`: where several run side by side, none of them is left for the end."""
    items.sort(key=lambda item: not getattr(item.getparent(pytest.Module).obj, "TAKES_MINUTES", False))  # type: ignore[union-attr]
