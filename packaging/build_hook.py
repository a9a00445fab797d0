"""Folds the agent before the wheel is built; hatchling then puts build/agent/service where Pacemaker looks."""

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class FoldAgent(BuildHookInterface):  # type: ignore[type-arg] # older hatchlings know no parameters
    """Writes build/agent/service, which `shared-data` in pyproject.toml names."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: "dict[str, Any]") -> None:  # noqa: ARG002 hatchling's signature
        """Fold before anything is collected."""
        root = Path(self.root)
        sys.path.insert(0, str(root / "ocf"))
        from tocsin_ocf import fold  # noqa: PLC0415 found only now

        fold.write(root / "build/agent/service", fold.fold(root / "agent/service", [root / "ocf"]))
