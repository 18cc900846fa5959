#!/usr/bin/env python3
"""Create or refresh `.venv` from the hashed lock, with nothing but a bare Python 3.11.

    python3 bootstrap.py          what it takes to run Pairbook
    python3 bootstrap.py --dev    the tools of a developer as well

A stamp in `.venv` remembers what was installed, so that a second call returns at once. The order of attempts:
uv when it is on PATH; pip inside the environment; Python's own ensurepip; a pip elsewhere on the system; on Debian
the wheel of the package python3-pip-whl, unpacked and not installed; last, the package index that pip is configured
for. Every file is checked against the hashes of the lock, and no compiler is needed.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "pairbook-stamp.json"
UNFINISHED = VENV / ".pairbook-unfinished"  # stands while files are being written; found at the start, it means a crash
LOCKS = {"run": ROOT / "requirements.lock", "dev": ROOT / "requirements-dev.lock"}
OLDEST = (3, 11)
OLDEST_PIP = (22, 3)  # the first pip that installs into another interpreter (--python)
# These never had a wheel. They are plain Python: the setuptools of the lock builds them, no compiler is involved.
SOURCE_ONLY = ("flask-principal",)
LAYOUT = 1  # raise it when an environment made by an older bootstrap.py must be looked at again
COMMAND = """\
#!/bin/sh
'''exec' "$(dirname -- "$0")/python" "$0" "$@"
' '''
import sys

from webapp.cli import main

sys.exit(main())
"""


class Trouble(Exception):
    """Something a person has to repair; the text says what and how."""


def main(argv: Sequence[str] | None = None) -> int:
    """Bring `.venv` up to date; return 0, or 1 after one sentence on standard error."""
    parser = argparse.ArgumentParser(description="Create or refresh .venv from the hashed lock.")
    parser.add_argument("--dev", action="store_true", help="install the tools for testing and checking as well")
    want = "dev" if parser.parse_args(argv).dev else "run"
    try:
        if sys.version_info < OLDEST:
            raise Trouble(
                f"Pairbook needs Python 3.11 or newer, and {sys.executable} is {sys.version.split()[0]}: "
                "install a newer one, then name it: make PYTHON=python3.12 …"
            )
        if not is_current(want):
            refresh(want)
    except Trouble as trouble:
        print(f"bootstrap: {trouble}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bootstrap: stopped; the next call goes on from here", file=sys.stderr)
        return 130
    return 0


# ── What is there, what is wanted ────────────────────────────────────────────────────────────────────────────────


def fingerprint(want: str) -> dict[str, str]:
    """What an environment that serves `want` ("run" or "dev") would have on its stamp."""
    lock = LOCKS[want].read_bytes() if LOCKS[want].is_file() else b""
    if not lock:
        raise Trouble(f"{LOCKS[want].name} is missing: fetch it again with git checkout {LOCKS[want].name}")
    return {"layout": str(LAYOUT), "root": str(ROOT), want: hashlib.sha256(lock).hexdigest()}


def read_stamp() -> dict[str, str]:
    """The stamp of the environment; empty where there is none that can be read."""
    with suppress(OSError, ValueError):
        stamp = json.loads(STAMP.read_text("utf-8"))
        if isinstance(stamp, dict):
            return stamp
    return {}


def is_current(want: str) -> bool:
    """Whether nothing needs to be done. The developer's lock contains the other, so its stamp names both."""
    return PYTHON.exists() and fingerprint(want).items() <= read_stamp().items()


def refresh(want: str) -> None:
    """Make the environment, fill it, write the stamp last: a run that was cut off leaves none and is repeated."""
    with only_one():
        if is_current(want):  # somebody else did it while we waited for the lock
            return
        if "dev" in read_stamp():
            want = "dev"  # never leave a developer's environment half old
        stamp = fingerprint("run") | fingerprint(want)
        make_environment()
        STAMP.unlink(missing_ok=True)
        UNFINISHED.touch()
        try:
            install(LOCKS[want])
            link_project()
        except Trouble:
            UNFINISHED.unlink()  # refused in good order: what stands there is whole, and kept
            raise
        UNFINISHED.unlink()
        STAMP.write_text(json.dumps(stamp, indent=1) + "\n", "utf-8")


@contextmanager
def only_one() -> Iterator[None]:
    """Hold a lock on the folder, so that two `make` at once do not fill one environment twice."""
    VENV.mkdir(exist_ok=True)
    with (VENV / ".bootstrap-lock").open("w") as handle:
        os.set_inheritable(handle.fileno(), True)  # a pip that outlives its killed bootstrap keeps the lock
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("another bootstrap is at work here; waiting for it")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def make_environment() -> None:
    """A virtual environment without pip (its installer may be missing); one that works is kept as it is."""
    if environment_works():
        return
    try:
        import venv  # here, as below: what only a first run needs must not slow down every start
    except ImportError as error:
        raise Trouble("Python's module venv is missing: sudo apt install python3-venv, and try again") from error

    say(f"creating .venv with Python {sys.version.split()[0]}")
    for folder in ("bin", "lib", "lib64", "include"):  # all but our lock: an interpreter that is gone leaves dead links
        old = VENV / folder
        if old.is_symlink() or not old.is_dir():
            old.unlink(missing_ok=True)
        else:
            shutil.rmtree(old)
    try:
        venv.EnvBuilder(symlinks=True, with_pip=False).create(VENV)
    except (OSError, subprocess.CalledProcessError) as error:
        raise Trouble(f"no virtual environment can be made in {VENV}: {error}") from error


def environment_works() -> bool:
    """Whether `.venv` was made in this very place, was never left half filled, and its interpreter starts."""
    if UNFINISHED.exists() or not PYTHON.exists() or read_stamp().get("root", str(ROOT)) != str(ROOT):
        return False
    code = f"import sys; sys.exit(sys.version_info < {OLDEST} or sys.prefix == sys.base_prefix)"
    return quiet([str(PYTHON), "-I", "-c", code]) is not None


def link_project() -> None:
    """Make the checkout importable and write the command `pairbook`: a development install without a build."""
    library = quiet([str(PYTHON), "-I", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"])
    if library is None:
        raise Trouble(f"{PYTHON} does not start: remove {VENV} and try again")
    (Path(library.strip()) / "pairbook.pth").write_text(f"{ROOT}\n", "utf-8")
    command = VENV / "bin" / "pairbook"
    command.write_text(COMMAND, "utf-8")
    command.chmod(0o755)


# ── Installing ───────────────────────────────────────────────────────────────────────────────────────────────────


def install(lock: Path) -> None:
    """Install exactly what the lock names, every file checked against its hash, and nothing beyond it."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="pairbook-") as folder:
        scratch = Path(folder)
        wheels, sources = split_lock(lock, scratch)
        count = len(re.findall(r"^\w", lock.read_text("utf-8"), re.MULTILINE))
        say(f"installing up to {count} packages of {lock.name}; the first time this takes about a minute")
        hashed = ["--quiet", "--no-deps", "--require-hashes"]
        steps = [
            [*hashed, "--only-binary", ":all:", "-r", str(wheels)],
            [*hashed, "--no-build-isolation", "-r", str(sources)],
        ]
        uv = shutil.which("uv")
        if uv and all(run([uv, "pip", "install", "--python", str(PYTHON), *step]) for step in steps):
            return
        steps[1].append("--use-pep517")  # or an old pip looks for a package named wheel
        pip = [*find_pip(scratch), "install", "--disable-pip-version-check", "--no-input", "--no-user"]
        if not all(run([*pip, *step]) for step in steps):
            raise Trouble(
                f"{lock.name} could not be installed; pip's own words are above. "
                "With the network back, the next call goes on from here."
            )


def split_lock(lock: Path, scratch: Path) -> tuple[Path, Path]:
    """Two requirement files in `scratch`: what comes as a wheel, and the packages of SOURCE_ONLY."""
    entries = re.split(r"^(?=\S)", lock.read_text("utf-8"), flags=re.MULTILINE)
    of_source = [entry for entry in entries if entry.partition("==")[0] in SOURCE_ONLY]
    wheels, sources = scratch / "wheels.txt", scratch / "sources.txt"
    wheels.write_text("".join(entry for entry in entries if entry not in of_source), "utf-8")
    sources.write_text("".join(of_source), "utf-8")
    return wheels, sources


def find_pip(scratch: Path) -> list[str]:
    """A command that runs pip for `.venv`; the first of the ways in the opening lines that works here."""
    ways: list[Callable[[Path], list[str] | None]] = [
        pip_inside,
        pip_of_ensurepip,
        pip_of_system,
        pip_wheel_on_disk,
        pip_of_debian,
        pip_of_index,
    ]
    for way in ways:
        pip = way(scratch)
        if pip and quiet([*pip, "--version"]) is not None:
            return pip
    raise Trouble(
        "neither pip nor Python's venv installer is here. Install one, for instance with "
        "sudo apt install python3-venv, and try again."
    )


def pip_inside(scratch: Path) -> list[str] | None:
    """pip in the environment itself."""
    return [str(PYTHON), "-I", "-m", "pip"]


def pip_of_ensurepip(scratch: Path) -> list[str] | None:
    """pip from the copy that Python carries, unless the distribution cut it out."""
    done = quiet([str(PYTHON), "-I", "-m", "ensurepip", "--default-pip"]) is not None
    return pip_inside(scratch) if done else None


def pip_of_system(scratch: Path) -> list[str] | None:
    """A pip outside that is new enough to install into another interpreter."""
    version = quiet([sys.executable, "-m", "pip", "--version"]) or ""
    found = re.match(r"pip (\d+)\.(\d+)", version)
    if not found or (int(found[1]), int(found[2])) < OLDEST_PIP:
        return None
    return [sys.executable, "-m", "pip", "--python", str(PYTHON)]


def pip_wheel_on_disk(scratch: Path) -> list[str] | None:
    """The wheel that Debian's python3-pip-whl leaves on disk, if that package is installed."""
    return run_from_wheel(Path("/usr/share/python-wheels"))


def pip_of_debian(scratch: Path) -> list[str] | None:
    """The same package, fetched with apt into a scratch folder; the system stays as it is."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return None
    say("fetching pip from Debian's package python3-pip-whl (nothing is installed into the system)")
    for step in ("with the lists there are", "with lists of our own"):
        private = apt_options(scratch, own_lists=step == "with lists of our own")
        if private and quiet(["apt-get", *private, "update"]) is None:
            return None
        if quiet(["apt-get", *private, "download", "python3-pip-whl"], cwd=scratch) is not None:
            break
    for package in scratch.glob("python3-pip-whl_*.deb"):
        if quiet(["dpkg-deb", "-x", str(package), str(scratch / "deb")]) is not None:
            return run_from_wheel(scratch / "deb" / "usr" / "share" / "python-wheels")
    return None


def apt_options(scratch: Path, *, own_lists: bool) -> list[str]:
    """Options that keep apt's state in `scratch`; none when the system's lists are to be used."""
    if not own_lists:
        return []
    for folder in ("lists/partial", "cache/archives/partial"):
        (scratch / folder).mkdir(parents=True, exist_ok=True)
    return [
        "-o",
        f"Dir::State::lists={scratch / 'lists'}",
        "-o",
        f"Dir::Cache={scratch / 'cache'}",
        "-o",
        "APT::Sandbox::User=",
        "-o",
        "APT::Update::Post-Invoke-Success::=true",
    ]


def pip_of_index(scratch: Path) -> list[str] | None:
    """The newest pip wheel of the index that pip's settings name, checked against the sha256 the index states."""
    index = configured_index()
    if index is None:
        return None
    with suppress(OSError, ValueError):
        page = f"{index.rstrip('/')}/pip/"
        wheels = list(pip_wheels(fetch(page).decode("utf-8", "replace"), page))
        if wheels:
            _, address, digest = max(wheels)
            data = fetch(address)
            if hashlib.sha256(data).hexdigest() != digest:
                raise Trouble(f"the pip that {index} serves is not the file it announces: its sha256 differs")
            (scratch / address.rpartition("/")[2]).write_bytes(data)
            return run_from_wheel(scratch)
    return None


def configured_index() -> str | None:
    """The index address from PIP_INDEX_URL or pip's configuration files; None when neither names one."""
    if os.environ.get("PIP_INDEX_URL"):
        return os.environ["PIP_INDEX_URL"]
    import configparser

    home = Path.home()
    named = os.environ.get("PIP_CONFIG_FILE")
    files = [Path(named)] if named else []
    files += [
        home / ".config/pip/pip.conf",
        home / ".pip/pip.conf",
        Path("/etc/xdg/pip/pip.conf"),
        Path("/etc/pip.conf"),
    ]
    for path in files:
        settings = configparser.RawConfigParser()
        with suppress(OSError, configparser.Error):
            settings.read(path, "utf-8")
            if settings.has_option("global", "index-url"):
                return settings.get("global", "index-url")
    return None


def pip_wheels(page: str, base: str) -> Iterator[tuple[tuple[int, ...], str, str]]:
    """(version, address, sha256) of the released pip wheels on an index page that this Python can run."""
    import html
    from urllib.parse import urljoin

    for tag in re.findall(r"<a\s[^>]*>", page):
        link = re.search(r'href="([^"#]+/pip-([\d.]+)-py3-none-any\.whl)#sha256=([0-9a-f]{64})"', html.unescape(tag))
        needs = re.search(r'data-requires-python="[^"]*>=\s*3\.(\d+)', html.unescape(tag))
        if link and (needs is None or int(needs[1]) <= sys.version_info.minor):
            yield tuple(map(int, link[2].split("."))), urljoin(base, link[1]), link[3]


def fetch(address: str) -> bytes:
    """The bytes at an http or https address."""
    import urllib.request

    if not address.startswith(("http://", "https://")):
        raise ValueError(f"not a web address: {address}")
    with urllib.request.urlopen(address, timeout=60) as answer:  # noqa: S310 - the scheme was checked above
        body: bytes = answer.read()
    return body


def run_from_wheel(folder: Path) -> list[str] | None:
    """Install the pip wheel of `folder` into the environment with its own code; no network is needed."""
    for wheel in sorted(folder.glob("pip-*.whl"), reverse=True):
        command = [str(PYTHON), f"{wheel}/pip", "install", "--quiet", "--no-index", "--no-deps", str(wheel)]
        if quiet(command) is not None:
            return pip_inside(folder)
    return None


# ── Talking to programs and to people ────────────────────────────────────────────────────────────────────────────


def say(sentence: str) -> None:
    """A line of progress on standard error, so that standard output stays the caller's."""
    print(f"bootstrap: {sentence}", file=sys.stderr, flush=True)


def run(command: list[str]) -> bool:
    """Run a program that speaks for itself on standard error; True when it ended well."""
    with suppress(OSError):
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, close_fds=False, check=False)
        return done.returncode == 0
    return False


def quiet(command: list[str], cwd: Path | None = None) -> str | None:
    """What a program printed; None when it failed or is not there."""
    with suppress(OSError):
        done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None
    return None


if __name__ == "__main__":
    sys.exit(main())
