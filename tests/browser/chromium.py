"""Where the browser is that the tests of this folder drive.

As a program, for `make test`: see that there is one, or say what is left out and how to mend that.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
REMEDY = (
    "the tests in tests/browser need a Chromium: `sudo apt install chromium` (Ubuntu: `sudo snap install chromium`), "
    "or name one with SAYSO_BROWSER, or let Playwright fetch one: `.venv/bin/playwright install --with-deps chromium`"
)

_PATIENCE = 300  # seconds


def find_chromium() -> str | None:
    """Give the one that is named, the machine's own, or the one that Playwright fetched."""
    named = os.environ.get("SAYSO_BROWSER")
    if named:
        return named
    return next(filter(None, map(shutil.which, NAMES)), None) or _fetched()


def _fetched() -> str | None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def fetch_chromium() -> None:
    """Have a Chromium installed: by Debian's packages where that needs no question, else by Playwright.

    Ubuntu's package of that name is a snap, which no container can run; so what counts is what is there afterwards.
    """
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quietly = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        install = ["apt-get", "install", "-y", "-q", "--no-install-recommends", "chromium"]
        if "ID=debian" in Path("/etc/os-release").read_text("utf-8").splitlines():
            for command in (["apt-get", "update", "-q"], install):
                _run(command, quietly)
    if find_chromium() is None:
        needs = ["--with-deps"] if os.geteuid() == 0 else []
        _run([sys.executable, "-m", "playwright", "install", *needs, "chromium"], dict(os.environ))


def _run(command: list[str], environment: dict[str, str]) -> None:
    sys.stderr.write(f"The browser tests need a Chromium: {' '.join(command)}\n")
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(command, env=environment, stdout=sys.stderr, timeout=_PATIENCE, check=False)


if __name__ == "__main__":
    if find_chromium() is None:
        fetch_chromium()
    if find_chromium() is None:
        sys.stderr.write(f"Left out: {REMEDY}\n")
        sys.stdout.write("--ignore=tests/browser\n")
