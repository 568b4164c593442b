"""The package `lfx-sitetwin`, built as its README says, and found by Langflow's own discovery."""

import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "packaging" / "lfx-sitetwin"
BUILD = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel installs."""
    made, folder = tmp_path_factory.mktemp("wheel"), tmp_path_factory.mktemp("site-packages")
    subprocess.run([sys.executable, "-c", BUILD, str(made)], cwd=PACKAGE, check=True, capture_output=True)
    (wheel,) = made.glob("lfx_sitetwin-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_sitetwins_own_package_has_the_page_that_components_link_to(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", BUILD, str(tmp_path)], cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("sitetwin-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.read("components/help.md") == (ROOT / "docs" / "components.md").read_bytes()


@pytest.fixture(scope="module")
def distribution(installed: Path) -> Distribution:
    (found,) = distributions(path=[str(installed)])
    return found


def test_it_has_the_components_and_what_they_stand_on(installed: Path) -> None:
    for package in ("components", "pipeline"):
        here = {path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py")}
        assert {path.relative_to(installed) for path in (installed / package).rglob("*.py")} == here
    assert {path.name for path in installed.iterdir() if path.suffix != ".dist-info"} == {"components", "pipeline"}


def test_version_and_dependencies_are_sitetwins(distribution: Distribution) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert distribution.version == project["version"]
    needed = {Requirement(line) for line in distribution.requires or []}
    assert needed == {Requirement(line) for line in [*project["dependencies"], "lfx>=1.13,<1.14"]}
    assert "SITETWIN_CONFIG" in str(distribution.metadata.get_payload())


def test_its_langflow_has_the_page_that_components_link_to(installed: Path, distribution: Distribution) -> None:
    (plugin,) = (one for one in distribution.entry_points if one.group == "langflow.plugins")
    assert plugin.value == "components.help:register"
    assert (installed / "components" / "help.md").read_bytes() == (ROOT / "docs" / "components.md").read_bytes()


def test_langflow_finds_its_bundle(installed: Path, distribution: Distribution) -> None:
    from lfx.extension.discovery import discover_installed_extensions

    ((found,), errors) = discover_installed_extensions([distribution])
    assert not errors
    assert (found.bundle_name, found.extension_root) == ("site_twin", installed / "components")
