"""`mmm`: run, plan and publish from a terminal. Each command is a module of its own."""

from __future__ import annotations

from mmm.commands.app import app

__all__ = ["app"]
