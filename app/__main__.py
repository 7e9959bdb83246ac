"""Start the console: `python -m app`. It listens on $PORT, 8501 if that is not set."""

from __future__ import annotations

import os
import sys
from pathlib import Path

OPTIONS = {
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.maxUploadSize": "200",
    "browser.gatherUsageStats": "false",
    "client.showErrorDetails": "none",
    "client.toolbarMode": "minimal",
    "runner.magicEnabled": "false",
    "theme.primaryColor": "#1a5fb4",
    "theme.linkColor": "#1a5fb4",
    "theme.base": "light",
}


def main() -> None:
    """Become Streamlit's server."""
    from app.settings import Settings
    from contract import environment
    from contract.exceptions import ConfigError

    try:
        Settings.read().check()
    except ConfigError as error:
        sys.exit(f"error: {error.message}")
    environment.hide_secrets_from_programs()
    from streamlit.web import cli

    port = os.environ.get("PORT", "8501")
    is_local = environment.CLOUD_RUN_SERVICE not in os.environ
    address = ["--server.address=localhost"] if is_local else []
    options = [f"--{name}={value}" for name, value in OPTIONS.items()]
    script = str(Path(__file__).with_name("main.py"))
    sys.argv = ["streamlit", "run", script, f"--server.port={port}", *address, *options]
    cli.main()


if __name__ == "__main__":
    main()
