"""``sftp://``: a server of this machine, which answers only who knows its key."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import paramiko
import pytest

from kpi.errors import UsageError
from kpi.importing.files import find
from kpi.importing.importer import import_paths

USER, PASSWORD = "exporter", "open-sesame"


class _Login(paramiko.ServerInterface):
    def check_auth_password(self, username: str, password: str) -> int:
        return paramiko.AUTH_SUCCESSFUL if (username, password) == (USER, PASSWORD) else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "password"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED


class _Files(paramiko.SFTPServerInterface):
    root: Path

    def _path(self, path: str) -> Path:
        return self.root / self.canonicalize(path).lstrip("/")

    def list_folder(self, path: str) -> object:
        return [paramiko.SFTPAttributes.from_stat(file.stat(), file.name) for file in self._path(path).iterdir()]

    def stat(self, path: str) -> object:
        try:
            return paramiko.SFTPAttributes.from_stat(self._path(path).stat())
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)

    lstat = stat

    def open(self, path: str, flags: int, attr: object) -> object:
        try:
            handle = paramiko.SFTPHandle(flags)
            handle.readfile = self._path(path).open("rb")  # type: ignore[attr-defined]
        except OSError as error:
            return paramiko.SFTPServer.convert_errno(error.errno or 0)
        return handle


@pytest.fixture
def sftp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of a server of ``tmp_path / "there"``; its key stands in the user's known_hosts."""
    (tmp_path / "there").mkdir()
    key = paramiko.RSAKey.generate(2048)
    files = type("Files", (_Files,), {"root": tmp_path / "there"})
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    open_transports: list[paramiko.Transport] = []

    def serve() -> None:
        while True:
            try:
                accepted, _ = listening.accept()
            except OSError:
                return
            transport = paramiko.Transport(accepted)
            open_transports.append(transport)
            transport.add_server_key(key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, files)
            try:
                transport.start_server(server=_Login())
            except (paramiko.SSHException, EOFError):
                continue

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    home = tmp_path / "user"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "known_hosts").write_text(f"[127.0.0.1]:{port} {key.get_name()} {key.get_base64()}\n")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("KPI_SFTP_PASSWORD", PASSWORD)
    yield f"sftp://{USER}@127.0.0.1:{port}"
    listening.shutdown(socket.SHUT_RDWR)
    listening.close()
    thread.join(5)
    for transport in open_transports:
        transport.close()


def test_a_folder_of_a_server_is_imported(settings, mappings, payments, sftp):
    payments("there/exports/a.csv", [1, 2])
    payments("there/exports/deep/b.csv", [3])
    payments("there/other/c.csv", [4])
    report = import_paths(settings, mappings, [f"{sftp}/exports"])
    assert [(file.file, file.status, file.rows_loaded) for file in report.files] == [
        (f"{sftp}/exports/a.csv", "loaded", 2),
        (f"{sftp}/exports/deep/b.csv", "loaded", 1),
    ]


def test_a_server_whose_key_is_not_known_gets_no_password(sftp, tmp_path):
    (tmp_path / "user" / ".ssh" / "known_hosts").write_text("")
    with pytest.raises(UsageError, match="whose key isn't known here; connect to it once with ssh"):
        find([f"{sftp}/exports"])


def test_a_wrong_password_and_a_file_that_is_not_there(sftp, monkeypatch):
    with pytest.raises(UsageError, match=r"/nothing\.csv is not there$"):
        find([f"{sftp}/nothing.csv"])
    monkeypatch.setenv("KPI_SFTP_PASSWORD", "wrong-password")
    with pytest.raises(UsageError, match="access is refused") as caught:
        find([f"{sftp}/exports"])
    assert "wrong-password" not in str(caught.value)
