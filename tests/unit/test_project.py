"""What a user gets by installing Sayso, and what the checkout may hold."""

import importlib.metadata
import importlib.util
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
SITE_PACKAGES = Path(sysconfig.get_path("purelib")).resolve()
SOURCES = {"sayso": ROOT / "sdk" / "sayso", "sayso_server": ROOT / "widget_server" / "sayso_server"}
TOP_LEVEL = {
    ".ci",
    ".editorconfig",
    ".gitignore",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "SECURITY.md",
    "examples",
    "pyproject.toml",
    "sdk",
    "tests",
    "widget_server",
}


def run_elsewhere(code: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a line of Python outside the checkout, with nothing but the installed packages to import."""
    return subprocess.run([sys.executable, "-c", code], cwd=cwd, env={}, capture_output=True, text=True, check=False)


def files_under(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.mark.parametrize("folder", ["sdk", "widget_server", "tests"])
def test_outside_the_checkout_its_folders_are_not_importable(folder: str, tmp_path: Path) -> None:
    done = run_elsewhere(f"import {folder}", tmp_path)

    assert done.returncode == 1
    assert f"ModuleNotFoundError: No module named '{folder}'" in done.stderr


@pytest.mark.parametrize("package", ["sayso", "sayso_server"])
def test_outside_the_checkout_the_packages_are_importable(package: str, tmp_path: Path) -> None:
    done = run_elsewhere(f"import {package}", tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


def test_importing_the_sdk_does_not_import_aiohttp(tmp_path: Path) -> None:
    done = run_elsewhere("import sayso, sys; print('aiohttp' in sys.modules)", tmp_path)

    assert done.stdout == "False\n", done.stderr


@pytest.mark.parametrize("package", SOURCES)
def test_the_suite_runs_against_the_installed_wheel(package: str) -> None:
    spec = importlib.util.find_spec(package)

    assert spec is not None
    assert spec.origin == str(SITE_PACKAGES / package / "__init__.py")


@pytest.mark.parametrize("package", SOURCES)
def test_the_wheel_holds_every_file_of_the_checkout_unchanged(package: str) -> None:
    """Catches a data file that was left out and a wheel that is older than the sources."""
    assert files_under(SITE_PACKAGES / package) == files_under(SOURCES[package])


@pytest.mark.parametrize("package", SOURCES)
def test_the_packages_are_typed(package: str) -> None:
    assert (SITE_PACKAGES / package / "py.typed").is_file()


def test_the_base_install_needs_four_libraries() -> None:
    requirements = map(Requirement, importlib.metadata.requires("sayso") or [])
    base = {
        requirement.name.lower()
        for requirement in requirements
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""})
    }

    assert base == {"aiohttp", "pydantic", "pyjwt", "tenacity"}


@pytest.mark.parametrize(("command", "target"), [("sayso", "sayso.cli"), ("sayso-server", "sayso_server.cli")])
def test_a_console_command_leads_to_its_package(command: str, target: str) -> None:
    (script,) = importlib.metadata.entry_points(group="console_scripts", name=command)

    assert script.value == f"{target}:main"
    assert callable(script.load())


@pytest.mark.parametrize("folder", ["sdk", "widget_server", "tests"])
def test_a_source_root_is_no_package(folder: str) -> None:
    assert not (ROOT / folder / "__init__.py").exists()


def test_the_top_level_holds_only_what_belongs_there() -> None:
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listing.returncode == 0:
        names = {line.split("/", 1)[0] for line in listing.stdout.splitlines()}
    else:  # an unpacked archive: what is hidden is the tools'
        names = {path.name for path in ROOT.iterdir() if not path.name.startswith(".")}

    assert names <= TOP_LEVEL
