"""``sftp://``: as fsspec has it, but only with servers whose keys are known."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import unquote, urlsplit

import paramiko
from fsspec.implementations.sftp import SFTPFileSystem


class UnknownHost(paramiko.SSHException):  # type: ignore[misc]
    """The server's key is none of those in ~/.ssh/known_hosts."""


class _Refuse(paramiko.MissingHostKeyPolicy):  # type: ignore[misc]
    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        raise UnknownHost(hostname)


class _Sftp(SFTPFileSystem):  # type: ignore[misc]
    """fsspec's own trusts whichever key a server shows first."""

    def _connect(self) -> None:
        self.client = paramiko.SSHClient()
        self.client.load_system_host_keys()
        self.client.set_missing_host_key_policy(_Refuse())
        self.client.connect(self.host, **self.ssh_kwargs)
        self.ftp = self.client.open_sftp()


def opened(rest: str, connect_s: float, read_s: float) -> tuple[Any, str]:
    """The file system of ``user@host:port/path``, and the path in it."""
    authority, _, path = rest.partition("/")
    parts = urlsplit(f"sftp://{authority}")
    how: dict[str, Any] = {"timeout": connect_s, "banner_timeout": connect_s, "auth_timeout": connect_s}
    if parts.port:
        how["port"] = parts.port
    if parts.username:
        how["username"] = unquote(parts.username)
    if password := os.environ.get("KPI_SFTP_PASSWORD"):
        how |= {"password": password, "look_for_keys": False, "allow_agent": False}
    system = _Sftp(parts.hostname or "", skip_instance_cache=True, **how)
    channel = system.ftp.get_channel()
    if channel is not None:
        channel.settimeout(read_s)
    return system, f"/{path}".rstrip("/") or "/"
