"""The catalogue that a server to try things on starts with."""

from importlib import resources
from pathlib import Path


def starter_text() -> bytes:
    """Give the starter catalogue, in TOML."""
    return (resources.files("sayso_server") / "starter.toml").read_bytes()


def copy_starter(folder: Path) -> Path:
    """Put the starter catalogue where it can be edited."""
    path = folder / "catalogue.toml"
    path.write_bytes(starter_text())
    return path
