"""What is shipped: a wheel that installs in a clean environment, with exactly the packages that are meant."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = {"elige", "policies", "server", "simulator"}


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(folder), str(ROOT)]
    subprocess.run(command, check=True, timeout=300)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.slow
def test_top_level_names_are_those_intended(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    packages = {name.split("/")[0] for name in names if not name.split("/")[0].endswith(".dist-info")}
    assert packages == MODULES
    assert "elige/v1/decisions_pb2.py" in names
    assert not [name for name in names if name.endswith((".proto", ".db")) and "elige/v1" not in name]


@pytest.mark.slow
def test_it_installs_and_runs_in_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=True)
    binaries = tmp_path / "env" / "bin"
    constraints = ["--constraint", str(ROOT / "constraints.txt")]
    install = [str(binaries / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *constraints]
    subprocess.run([*install, str(wheel)], check=True, timeout=600)
    for command in (["--help"], ["campaign", "list"], ["evaluate", "--help"], ["demo", "--help"]):
        ran = subprocess.run(
            [str(binaries / "elige"), *command], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
        )
        assert ran.returncode == 0, ran.stderr
    # without the extra `report` and without any tool of development, the whole of it can be imported
    imports = "import server.app, server.demo.run, server.imports, simulator, policies.registry, elige.client"
    subprocess.run([str(binaries / "python"), "-c", imports], cwd=tmp_path, check=True, timeout=300)
