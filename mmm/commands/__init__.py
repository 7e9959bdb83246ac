"""The commands of `mmm`, one module per command."""

from __future__ import annotations

from mmm.commands.app import app

__all__ = ["app"]
