"""`bootstrap.py` in a folder of its own, with a lock of one tiny package that lies on the disk: no network, no mock."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent


class Checkout:
    """A folder with bootstrap.py, its locks, and the wheels that the locks name."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.venv, self.wheels = folder, folder / ".venv", folder / "wheels"
        self.wheels.mkdir(parents=True)
        shutil.copy(ROOT / "bootstrap.py", folder)
        self.lock("1.0")

    def lock(self, version: str, digest: str = "") -> None:
        """Write a wheel of that version, and locks that name it."""
        digest = digest or make_wheel(self.wheels, version)
        for name in ("requirements.lock", "requirements-dev.lock"):
            (self.folder / name).write_text(f"tiny=={version} \\\n    --hash=sha256:{digest}\n")

    def __call__(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run bootstrap.py as `make setup` does, with nothing to install from but the folder of wheels."""
        environ = {k: v for k, v in os.environ.items() if not k.startswith(("PIP_", "UV_", "PYTHON", "COVERAGE"))}
        environ |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(self.wheels), "PIP_NO_CACHE_DIR": "1"}
        environ |= {"UV_OFFLINE": "1", "UV_NO_INDEX": "1", "UV_FIND_LINKS": str(self.wheels), "UV_NO_CACHE": "1"}
        line = [sys.executable, "bootstrap.py", *words]
        return subprocess.run(line, cwd=self.folder, env=environ, capture_output=True, text=True, check=False)

    def installed(self) -> str:
        """The version of the tiny package as the environment's own interpreter sees it, with its path.

        It leaves no bytecode: another version, as long and made in the same second, would be taken for this one.
        """
        line = [self.venv / "bin" / "python", "-I", "-B", "-c", "import tiny; print(tiny.VERSION)"]
        return subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip()


def make_wheel(folder: Path, version: str) -> str:
    """A wheel with one module in it; gives its sha256."""
    path, info = folder / f"tiny-{version}-py3-none-any.whl", f"tiny-{version}.dist-info"
    files = {
        "tiny.py": f'VERSION = "{version}"\n',
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tiny\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_record(text)},{len(text)}\n" for name, text in files.items())
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in (files | {f"{info}/RECORD": f"{record}{info}/RECORD,,\n"}).items():
            wheel.writestr(name, text)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _record(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose environment was made."""
    checkout = Checkout(tmp_path_factory.mktemp("checkout"))
    done = checkout()
    assert done.returncode == 0, done.stderr
    return checkout


def footprints(folder: Path) -> dict[Path, int]:
    """Every file and when it was written."""
    return {path: path.lstat().st_mtime_ns for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_the_first_call_makes_the_environment_and_the_command(made):
    assert made.installed() == "1.0"
    assert os.access(made.venv / "bin" / "pairbook", os.X_OK)
    assert (made.venv / "pairbook-stamp.json").exists()
    code = "import bootstrap; print(bootstrap.ROOT)"
    seen = subprocess.run([made.venv / "bin" / "python", "-I", "-c", code], capture_output=True, text=True, check=True)
    assert seen.stdout.strip() == str(made.folder), "the checkout is not importable"


def test_a_second_call_changes_nothing_and_says_nothing(made):
    before = footprints(made.venv)
    done = made()
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert footprints(made.venv) == before


def test_a_changed_lock_is_installed_and_the_environment_kept(made):
    interpreter = (made.venv / "bin" / "python").lstat().st_mtime_ns
    made.lock("1.1")
    done = made()
    assert done.returncode == 0, done.stderr
    assert made.installed() == "1.1"
    assert (made.venv / "bin" / "python").lstat().st_mtime_ns == interpreter


@pytest.mark.parametrize("damage", ["interpreter", "half filled", "moved", "emptied"])
def test_a_broken_environment_is_made_anew(made, damage):
    if damage == "interpreter":
        (made.venv / "bin" / "python").unlink()
        (made.venv / "bin" / "python").symlink_to("/nowhere/python3")
    elif damage == "half filled":
        (made.venv / ".pairbook-unfinished").touch()
        (made.venv / "pairbook-stamp.json").unlink()
    elif damage == "moved":
        stamp = made.venv / "pairbook-stamp.json"
        stamp.write_text(stamp.read_text().replace(str(made.folder), "/somewhere/else"))
    else:
        shutil.rmtree(made.venv)
        made.venv.mkdir()
    done = made()
    assert done.returncode == 0, done.stderr
    assert made.installed()
    assert made().stderr == ""


def test_a_file_that_is_not_the_one_of_the_lock_is_refused_and_what_stands_is_kept(made):
    before = made.installed()
    lock = (made.folder / "requirements.lock").read_text()
    made.lock("1.2", digest="0" * 64)
    make_wheel(made.wheels, "1.2")
    done = made()
    assert done.returncode == 1
    assert "requirements.lock could not be installed" in done.stderr
    assert "Traceback" not in done.stderr
    assert made.installed() == before
    for name in ("requirements.lock", "requirements-dev.lock"):
        (made.folder / name).write_text(lock)
    assert made().returncode == 0


def test_a_missing_lock_says_how_to_get_it_back(made):
    lock = made.folder / "requirements.lock"
    text = lock.read_text()
    lock.unlink()
    done = made()
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "git checkout requirements.lock" in done.stderr
    lock.write_text(text)


# ---- what no machine of ours lacks -----------------------------------------------------------------------


@pytest.fixture
def bootstrap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The module itself, on a folder of its own."""
    shutil.copy(ROOT / "bootstrap.py", tmp_path)
    for name in ("requirements.lock", "requirements-dev.lock"):
        (tmp_path / name).write_text("tiny==1.0\n")
    spec = importlib.util.spec_from_file_location("bootstrap_alone", tmp_path / "bootstrap.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_the_module_venv_it_names_the_package(bootstrap, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "venv", None)  # an import of it fails, as where it is not installed
    assert bootstrap.main([]) == 1
    assert "sudo apt install python3-venv" in capsys.readouterr().err


def test_without_any_pip_it_names_the_package(bootstrap, monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr(bootstrap, "quiet", lambda *_args, **_kw: None)  # nothing that it could start is there
    monkeypatch.setattr(bootstrap, "configured_index", lambda: None)
    with pytest.raises(bootstrap.Trouble, match="sudo apt install python3-venv"):
        bootstrap.find_pip(tmp_path)


def test_an_old_python_is_told_which_one_is_needed(bootstrap, monkeypatch, capsys):
    monkeypatch.setattr(bootstrap, "OLDEST", (9, 9))
    assert bootstrap.main([]) == 1
    said = capsys.readouterr().err
    assert "needs Python 3.11 or newer" in said
    assert "make PYTHON=" in said


def test_a_lock_is_split_into_wheels_and_what_has_none(bootstrap, tmp_path):
    lock = tmp_path / "both.lock"
    lock.write_text(
        "aa==1 \\\n    --hash=sha256:1\nflask-principal==2 \\\n    --hash=sha256:2\nzz==3 \\\n    --hash=x\n"
    )
    wheels, sources = bootstrap.split_lock(lock, tmp_path)
    assert [line for line in wheels.read_text().splitlines() if "==" in line] == ["aa==1 \\", "zz==3 \\"]
    assert sources.read_text().startswith("flask-principal==2")
    assert wheels.read_text().count("--hash") + sources.read_text().count("--hash") == 3
