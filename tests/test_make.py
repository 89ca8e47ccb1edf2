"""``make`` on machines that lack something: one clear sentence, nothing half-made left, and the second time is quick.

The programs of a bare machine are stubs in a folder that is the whole PATH, so nothing is installed for real.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

#: What every Debian has; the scripts may use these and no others.
BASE = (
    *("make", "sh", "bash", "env", "cat", "cut", "rm", "mkdir", "touch", "chmod", "grep", "head", "tail", "mktemp"),
    *("sleep", "sha256sum", "dirname", "id", "flock", "kill", "ls", "true"),
)

#: Stands for a Python of 3.11. ``-m venv`` makes a folder whose python is this very stub, unless the file `no-venv`
#: lies beside it; ``-m pip install`` waits while `slow-pip` is there and fails where `no-network` or `no-package` is.
PYTHON_STUB = """#!/bin/sh
here=@HERE@
case "$*" in
*version_info*sys.version_info*) echo "3.11 True" ;;
*version_info*) echo "3.11" ;;
--version) echo "Python 3.11.2" ;;
"-m venv .venv")
    mkdir -p .venv/bin
    [ -e "$here/no-venv" ] && exit 1
    cat "$here/python3" >.venv/bin/python
    chmod +x .venv/bin/python ;;
*"pip install"*)
    echo "Collecting everything"
    while [ -e "$here/slow-pip" ]; do sleep 0.1; done
    [ -e "$here/no-network" ] && echo "WARNING: Retrying after connection broken by 'NewConnectionError(-3, name resolution)'"
    [ -e "$here/no-network" ] || [ -e "$here/no-package" ] && { echo "ERROR: No matching distribution found for duckdb==1.5.6"; exit 1; }
    touch "$here/installed" ;;
esac
exit 0
"""


class Machine:
    """A copy of what ``make environment`` reads, and a PATH of our own."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.bin = folder / "bin"
        self.bin.mkdir(parents=True)
        shutil.copytree(ROOT / ".ci", self.project / ".ci")
        for name in ("Makefile", "requirements.txt"):
            shutil.copy(ROOT / name, self.project / name)
        for name in BASE:
            found = shutil.which(name)
            assert found, f"{name} is part of every Debian"
            (self.bin / name).symlink_to(found)

    def has(self, name: str, script: str) -> None:
        """Put a program on the PATH."""
        path = self.bin / name
        path.unlink(missing_ok=True)
        path.write_text(script.replace("@HERE@", str(self.bin)))
        path.chmod(0o755)

    def has_python(self, *lacks: str) -> None:
        self.has("python3", PYTHON_STUB)
        for lack in lacks:
            (self.bin / lack).touch()

    def start(self, *words: str) -> subprocess.Popen[str]:
        env = {"PATH": str(self.bin), "HOME": str(self.project), "TMPDIR": str(self.bin), "LC_ALL": "C.UTF-8"}
        return subprocess.Popen(
            ["make", *words],
            cwd=self.project,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            # a suite that was started in a shell's background ignores Ctrl-C, and so would make
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )

    def make(self, *words: str) -> tuple[int, str, str]:
        """Exit code, standard output, and standard error without make's own closing line."""
        with self.start(*words) as process:
            out, err = process.communicate(timeout=60)
        return process.returncode, out, "".join(line for line in err.splitlines(keepends=True) if not line.startswith("make: ***"))

    @property
    def venv(self) -> Path:
        return self.project / ".venv"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_python_too_old(machine: Machine) -> None:
    machine.has("python3", '#!/bin/sh\necho "3.9 False"\n')
    code, _, said = machine.make("environment")
    assert code != 0
    assert said == (
        "Python 3.11 or newer is needed, and python3 is 3.9: install a newer one, or name it with make PYTHON=/path/to/python3.\n"
    )
    assert not machine.venv.exists()


def test_a_python_that_was_named_is_not_replaced_by_another(machine: Machine) -> None:
    machine.has_python()
    machine.has("old", '#!/bin/sh\necho "3.9 False"\n')
    code, _, said = machine.make("environment", "PYTHON=old")
    assert code != 0
    assert said == "Python 3.11 or newer is needed, and old is 3.9: install a newer one, or name it with make PYTHON=/path/to/python3.\n"


@pytest.mark.parametrize("named", ["nowhere/python3", "true"])
def test_what_was_named_is_no_python(machine: Machine, named: str) -> None:
    machine.has_python()
    machine.has("true", "#!/bin/sh\nexit 0\n")
    code, _, said = machine.make("environment", f"PYTHON={named}")
    assert code != 0
    assert said == f"PYTHON={named} is no Python that runs: name one of 3.11 or newer, or leave PYTHON out.\n"


def test_a_newer_python_under_another_name_is_taken(machine: Machine) -> None:
    machine.has("python3", '#!/bin/sh\necho "3.9 False"\n')
    machine.has("python3.12", PYTHON_STUB.replace('cat "$here/python3"', 'cat "$here/python3.12"'))
    code, out, said = machine.make("environment")
    assert (code, said) == (0, "")
    assert out.startswith("Making a virtual environment in .venv with Python 3.11.2…\n")


def test_a_name_that_does_not_work_is_passed_over(machine: Machine) -> None:
    """pyenv leaves such names: python3.13 is there and says "command not found"."""
    machine.has("python3", "#!/bin/sh\necho 'python3: command not found' >&2\nexit 127\n")
    code, _, said = machine.make("environment")
    assert code != 0
    assert said == "Python 3.11 or newer is needed and none was found: install it with apt-get install python3 python3-venv.\n"


def test_venv_missing_and_no_apt(machine: Machine) -> None:
    machine.has_python("no-venv")
    code, _, said = machine.make("environment")
    assert code != 0
    assert said == (
        "Python's venv is missing, and this system has no apt-get: install python3.11-venv in its own way, then run make again.\n"
    )
    assert not machine.venv.exists()


def test_venv_missing_and_not_root(machine: Machine) -> None:
    machine.has_python("no-venv")
    machine.has("apt-get", "#!/bin/sh\nexit 0\n")
    machine.has("id", "#!/bin/sh\necho 1000\n")
    code, _, said = machine.make("environment")
    assert code != 0
    assert said == "Python's venv is missing: install with 'apt-get install python3.11-venv' as root, then run make again.\n"
    assert not machine.venv.exists()


def test_sudo_that_would_ask_is_not_waited_for(machine: Machine) -> None:
    machine.has_python("no-venv")
    machine.has("apt-get", "#!/bin/sh\nexit 0\n")
    machine.has("id", "#!/bin/sh\necho 1000\n")
    machine.has("sudo", '#!/bin/sh\n[ "$1" = -n ] && exit 1\nsleep 600\n')
    code, _, said = machine.make("environment")
    assert code != 0
    assert "as root, then run make again" in said


def test_venv_is_installed_by_apt_where_that_is_allowed(machine: Machine) -> None:
    """The first install fails as in an image without package lists; after the update it works."""
    machine.has_python("no-venv")
    machine.has("id", "#!/bin/sh\necho 1000\n")
    machine.has("sudo", '#!/bin/sh\n[ "$1" = -n ] && shift\nexec "$@"\n')
    machine.has(
        "apt-get",
        '#!/bin/sh\ncase "$*" in\nupdate) touch @HERE@/updated ;;\n'
        '*python3.11-venv) [ -e @HERE@/updated ] && rm -f @HERE@/no-venv || { echo "E: Unable to locate package"; exit 100; } ;;\nesac\n',
    )
    code, out, said = machine.make("environment")
    assert (code, said) == (0, "")
    assert "Installing python3.11-venv from Debian (once)…\n" in out
    assert (machine.venv / "complete").exists()


def test_apt_fails(machine: Machine) -> None:
    machine.has_python("no-venv")
    machine.has("id", "#!/bin/sh\necho 0\n")
    machine.has("apt-get", '#!/bin/sh\necho "E: Unable to locate package python3.11-venv"\nexit 100\n')
    code, _, said = machine.make("environment")
    assert code != 0
    assert said == (
        "Python's venv is missing, and apt-get could not install python3.11-venv (E: Unable to locate package python3.11-venv).\n"
    )
    assert not machine.venv.exists()


@pytest.mark.parametrize(
    ("what", "why"),
    [("no-package", "ERROR: No matching distribution found for duckdb==1.5.6"), ("no-network", "the package index can't be reached")],
)
def test_packages_can_not_be_installed(machine: Machine, what: str, why: str) -> None:
    machine.has_python(what)
    code, _, said = machine.make("environment")
    assert code != 0
    assert said == f"The packages could not be installed ({why}); nothing half-made was kept, so run make again when that is mended.\n"
    assert not machine.venv.exists()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_leaves_nothing_half_made(machine: Machine, how: signal.Signals) -> None:
    machine.has_python("slow-pip")
    with machine.start("environment") as process:
        wait_for(machine.venv / "install.log")
        os.killpg(process.pid, how)
        process.communicate(timeout=30)
    assert process.returncode != 0
    assert not machine.venv.exists()


def test_killed_and_started_again(machine: Machine) -> None:
    machine.has_python("slow-pip")
    with machine.start("environment") as process:
        wait_for(machine.venv / "install.log")
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate(timeout=30)
    (machine.venv / "of the first try").touch()
    (machine.bin / "slow-pip").unlink()
    assert machine.make("environment")[0] == 0
    assert (machine.venv / "complete").exists()
    assert not (machine.venv / "of the first try").exists()


def test_two_at_once_install_once(machine: Machine) -> None:
    machine.has_python("slow-pip")
    with machine.start("environment") as first:
        wait_for(machine.venv / "install.log")
        with machine.start("environment") as second:
            time.sleep(0.5)
            (machine.bin / "slow-pip").unlink()
            first.communicate(timeout=30)
            out, _ = second.communicate(timeout=30)
    assert (first.returncode, second.returncode) == (0, 0)
    assert out == "Waiting for another make to finish the environment…\n"


def test_the_second_time_installs_nothing_until_the_lock_file_changes(machine: Machine) -> None:
    machine.has_python()
    assert machine.make("environment")[0] == 0
    (machine.bin / "installed").unlink()
    began = time.monotonic()
    assert machine.make("environment") == (0, "", "")
    assert time.monotonic() - began < 3
    assert not (machine.bin / "installed").exists()

    lock = machine.project / "requirements.txt"
    lock.write_text(lock.read_text() + "# changed\n")
    assert machine.make("environment")[0] == 0
    assert (machine.bin / "installed").exists()
    assert (machine.venv / "complete").read_text().strip() == hashlib.sha256(lock.read_bytes()).hexdigest()


def test_test_programs_without_root(machine: Machine) -> None:
    machine.has("apt-get", "#!/bin/sh\nexit 0\n")
    machine.has("id", "#!/bin/sh\necho 1000\n")
    machine.has("ls", "#!/bin/sh\nexit 1\n")  # no PostgreSQL under /usr/lib either
    code, _, said = machine.make("test-programs")
    assert code != 0
    assert said == (
        "The tests drive a browser and a PostgreSQL server: "
        "install with 'apt-get install chromium postgresql' as root, then run make again.\n"
    )


def dashboard(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / ".ci/dashboard.py", *words],
        capture_output=True,
        text=True,
        env=os.environ | env,
        cwd=ROOT,
        timeout=60,
        check=False,
    )


def test_port_taken(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = dashboard(str(port), KPI_HOME=str(tmp_path))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"Port {port} of 127.0.0.1 is taken: choose another, such as make run PORT={port + 1}.\n"
    assert not list(tmp_path.iterdir())  # found out before the sample company was made


@pytest.mark.parametrize("word", ["0", "65536", "http"])
def test_not_a_port(word: str) -> None:
    done = dashboard(word)
    assert (done.returncode, done.stderr) == (1, f"PORT={word} is not a port: a number from 1 to 65535 is.\n")


@pytest.mark.slow
def test_run_makes_the_sample_company_once_and_says_where_it_is(tmp_path: Path, free_port: int) -> None:
    env = os.environ | {"KPI_HOME": str(tmp_path / "home")}
    for turn in ("first", "second"):
        with subprocess.Popen(
            ["make", "run", f"PORT={free_port}", "-o", "environment"],
            cwd=ROOT,
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            assert process.stdout is not None
            lines = []
            for line in process.stdout:
                lines.append(line)
                if line.startswith("North Star is open"):
                    break
            with urllib.request.urlopen(f"http://127.0.0.1:{free_port}/") as answer:
                assert answer.status == 200
            os.killpg(process.pid, signal.SIGINT)
            process.communicate(timeout=30)
        assert lines[-1] == f"North Star is open at http://127.0.0.1:{free_port} (Ctrl-C stops it)\n"
        assert any("sample company" in line for line in lines) == (turn == "first")


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 20
    while not path.exists():
        assert time.monotonic() < deadline, f"{path.name} never came"
        time.sleep(0.05)
