"""Exports that lie elsewhere: ``s3://``, ``gs://``, ``sftp://``, ``https://`` and ``http://``, read through fsspec.

Credentials come from the environment, as each service has it: AWS_ACCESS_KEY_ID and the rest of AWS's variables,
GOOGLE_APPLICATION_CREDENTIALS, the keys that ssh uses or KPI_SFTP_PASSWORD, and ~/.netrc or KPI_HTTP_AUTHORIZATION. What
libraries say when something fails may hold them, so no such text is passed on: a failure is told in words of our own.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from kpi.errors import Unreadable, UsageError
from kpi.printing import printable

#: Scheme -> where its credentials come from.
SCHEMES: Final = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile of AWS",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    "sftp": "the keys that ssh uses, or KPI_SFTP_PASSWORD",
    "https": "KPI_HTTP_AUTHORIZATION, or ~/.netrc",
    "http": "KPI_HTTP_AUTHORIZATION, or ~/.netrc",
}
#: Objects of these appear whole or not at all.
WHOLE: Final = frozenset({"s3", "gs"})
#: Seconds until a server that doesn't answer counts as away.
_CONNECT_S: Final = 20
_READ_S: Final = 60
#: Seconds between two sentences about a long download.
_TELL_S: Final = 5.0
_PATTERN: Final = ("*", "?", "[")

_AWAY: Final = frozenset(
    {
        *("ConnectionError", "TimeoutError", "gaierror", "ClientConnectionError", "ClientConnectorError", "ServerTimeoutError"),
        *("EndpointConnectionError", "ConnectTimeoutError", "ReadTimeoutError", "NoValidConnectionsError", "SSHException", "EOFError"),
        *("ServerDisconnectedError", "ClientPayloadError", "TransportError", "HTTPClientError"),
    }
)
_REFUSED: Final = frozenset(
    {
        *("PermissionError", "NoCredentialsError", "PartialCredentialsError", "AuthenticationException", "DefaultCredentialsError"),
        *("RefreshError", "TokenRetrievalError", "ProfileNotFound", "PasswordRequiredException", "BadAuthenticationType"),
    }
)
_STRANGER: Final = frozenset({"UnknownHost", "BadHostKeyException"})


@dataclass(frozen=True)
class Remote:
    """A file of a place.

    Attributes:
        name: its address without anything secret; what messages and the archive call it.
        scheme: of :data:`SCHEMES`.
        stamp: what changes when the file does: size and the server's own mark or time.
        system, path: how fsspec finds it; an address may hold a signature, so neither is printed.
    """

    name: str
    scheme: str
    stamp: tuple[str, ...]
    system: Any = field(repr=False)
    path: str = field(repr=False)

    def fetch(self, target: Path, say: Callable[[str], None]) -> None:
        """Copy the file's bytes to ``target``; of a long copy ``say`` is told how far it is.

        Raises:
            Unreadable: it is gone, access is refused, or the server is away.
        """
        try:
            with _failures(self.name, self.scheme):
                self.system.get_file(self.path, str(target), callback=_Progress(self.name, say))
        except UsageError as error:
            raise Unreadable(str(error)) from None


def is_address(word: str) -> bool:
    """Whether a word names a place elsewhere rather than a file or folder of this machine."""
    return "://" in word


def find(word: str, wanted: Callable[[str], bool]) -> list[Remote]:
    """The files that an address names: itself, those that its pattern matches, or the ``wanted`` ones of its folder, by name.

    Raises:
        UsageError: no such scheme, a secret in the address, nothing there, or a server that refuses or is away.
    """
    scheme, _, rest = word.partition("://")
    scheme = {"gcs": "gs"}.get(scheme.lower(), scheme.lower())
    if scheme not in SCHEMES:
        raise UsageError(f"{printable(scheme)}:// is no place that can be read; these can: {', '.join(f'{name}://' for name in SCHEMES)}")
    authority = rest.partition("/")[0]
    if ":" in authority.rpartition("@")[0] or (scheme in ("http", "https") and "@" in authority):
        raise UsageError(f"a password in an address is kept by shells and logs; leave it out, it comes from {SCHEMES[scheme]}")
    shown = _shown(scheme, rest)
    with _failures(shown, scheme):
        system, path = _opened(scheme, rest)
        return sorted(_files(system, path, scheme, shown, wanted), key=lambda remote: remote.name)


def _files(system: Any, path: str, scheme: str, shown: str, wanted: Callable[[str], bool]) -> Iterator[Remote]:
    if scheme in ("http", "https"):
        yield _remote(system, path, shown, scheme, system.info(path))
        return
    try:
        found = system.info(path)
    except FileNotFoundError:
        if not any(mark in path for mark in _PATTERN):
            raise
        matched = system.glob(path, detail=True)
        if not matched:
            raise
        inside = {name: details for name, details in matched.items() if details["type"] == "file"}
    else:
        if found["type"] == "file":
            yield _remote(system, path, shown, scheme, found)
            return
        inside = {name: details for name, details in system.find(path, detail=True).items() if wanted(name)}
    # fsspec's names of files begin with the bucket, but without the server
    server = shown.split("/", 3)[2] if scheme == "sftp" else ""
    for name, details in inside.items():
        yield _remote(system, name, printable(f"{scheme}://{server}{name}"), scheme, details)


def _remote(system: Any, path: str, shown: str, scheme: str, details: dict[str, Any]) -> Remote:
    marks = (details.get(key) for key in ("size", "ETag", "etag", "LastModified", "last_modified", "mtime", "updated", "generation"))
    return Remote(shown, scheme, tuple("" if mark is None else str(mark) for mark in marks), system, path)


def _shown(scheme: str, rest: str) -> str:
    """The address without a signature behind its question mark."""
    if scheme in ("http", "https"):
        parts = urlsplit(f"{scheme}://{rest}")
        return printable(f"{scheme}://{parts.netloc}{parts.path}")
    return printable(f"{scheme}://{rest}")


def _opened(scheme: str, rest: str) -> tuple[Any, str]:
    """The file system of an address, and the path in it."""
    import fsspec

    fresh: dict[str, Any] = {"skip_instance_cache": True, "use_listings_cache": False}
    if scheme == "s3":
        waits = {"connect_timeout": _CONNECT_S, "read_timeout": _READ_S, "retries": {"max_attempts": 3}}
        return fsspec.filesystem("s3", config_kwargs=waits, **fresh), rest.rstrip("/")
    if scheme == "gs":
        return fsspec.filesystem("gs", **fresh), rest.rstrip("/")
    if scheme == "sftp":
        from kpi.importing.sftp import opened

        return opened(rest, _CONNECT_S, _READ_S)
    import aiohttp

    told = os.environ.get("KPI_HTTP_AUTHORIZATION")
    client: dict[str, Any] = {
        "timeout": aiohttp.ClientTimeout(total=None, connect=_CONNECT_S, sock_read=_READ_S),
        "headers": {"Authorization": told} if told else {},
        "trust_env": True,
    }
    return fsspec.filesystem(scheme, client_kwargs=client, **fresh), f"{scheme}://{rest}"


@contextmanager
def _failures(name: str, scheme: str) -> Iterator[None]:
    """Failures of libraries as sentences of our own."""
    try:
        yield
    except (UsageError, Unreadable, KeyboardInterrupt):
        raise
    except Exception as error:
        raise UsageError(f"{name} {_reason(error, scheme)}") from None


def _reason(error: BaseException, scheme: str) -> str:
    told: BaseException | None = error
    while told is not None:
        kinds = {kind.__name__ for kind in type(told).__mro__}
        status = getattr(told, "status", None) or getattr(told, "code", None)
        if kinds & _STRANGER:
            return "is on a server whose key isn't known here; connect to it once with ssh, which keeps the key in ~/.ssh/known_hosts"
        if kinds & _REFUSED or status in (401, 403):
            return f"can't be read: access is refused. Credentials come from {SCHEMES[scheme]}"
        if "NoSuchBucket" in kinds or status == 404:
            return "is not there"
        if kinds & _AWAY or (isinstance(status, int) and status >= 500):
            return "can't be read: its server can't be reached, or doesn't answer"
        told = told.__cause__ or told.__context__
    if isinstance(error, FileNotFoundError):
        return "is not there"
    if isinstance(error, OSError) and error.errno is not None and error.filename is not None:
        return f"can't be copied to this machine: {error.strerror}"
    return f"can't be read ({type(error).__name__})"


class _Progress:
    """What fsspec calls while it copies; says how far it is when that takes long."""

    def __init__(self, name: str, say: Callable[[str], None]) -> None:
        self._name, self._say, self._size, self._done = name, say, 0, 0
        self._told = time.monotonic()

    def set_size(self, size: int | None) -> None:
        """How many bytes there will be, where the server says so."""
        self._size = size or 0

    def relative_update(self, count: int = 1) -> None:
        """So many bytes more."""
        self._done += count
        if time.monotonic() - self._told > _TELL_S:
            self._told = time.monotonic()
            of = f" of {self._size / 1e6:,.0f}" if self._size else ""
            self._say(f"  {self._name}: {self._done / 1e6:,.0f}{of} MB fetched")

    def absolute_update(self, count: int) -> None:
        """So many bytes in all."""
        self.relative_update(count - self._done)

    def __getattr__(self, _name: str) -> Callable[..., None]:
        return lambda *_, **__: None
