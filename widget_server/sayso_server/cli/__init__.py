"""The `sayso-server` command."""

from sayso_server.cli.command import main

__all__ = ["main"]
