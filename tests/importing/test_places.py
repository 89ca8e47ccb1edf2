"""Exports that lie elsewhere: an S3 API and an HTTP server of this machine, what they refuse, and what is never printed."""

from __future__ import annotations

import json
import os
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from kpi.errors import UsageError
from kpi.importing.files import find
from kpi.importing.importer import import_inputs, import_paths

KEY, SECRET = "AKIAEXAMPLE", "wJalrEXAMPLESECRET"


@pytest.fixture(scope="module")
def s3_server() -> Iterator[str]:
    """moto's S3 API on a free port of this machine."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(s3_server: str, monkeypatch: pytest.MonkeyPatch):
    """A client with a bucket ``exports``; the environment leads fsspec there."""
    import botocore.session

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    client = botocore.session.get_session().create_client("s3")
    client.create_bucket(Bucket="exports")
    yield client
    for found in client.list_objects_v2(Bucket="exports").get("Contents", []):
        client.delete_object(Bucket="exports", Key=found["Key"])


class _Handler(SimpleHTTPRequestHandler):
    """Files of a folder; what is called private only with the right header, and what is called broken never."""

    def do_GET(self) -> None:
        if "broken" in self.path:
            self.send_error(503)
        elif "private" in self.path and self.headers.get("Authorization") != "Bearer right":
            self.send_error(401)
        else:
            super().do_GET()

    do_HEAD = do_GET

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "web").mkdir()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, directory=str(tmp_path / "web")))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


def _reported(report):
    return [(file.file, file.status, file.rows_loaded) for file in report.files]


def test_a_folder_of_a_bucket_is_imported_and_again_unchanged(settings, mappings, payments, s3, contents):
    s3.put_object(Bucket="exports", Key="2026/a.csv", Body=payments("a.csv", [1, 2]).read_bytes())
    s3.put_object(Bucket="exports", Key="2026/sub/b.csv", Body=payments("b.csv", [3]).read_bytes())
    s3.put_object(Bucket="exports", Key="2026/readme.md", Body=b"hello")
    s3.put_object(Bucket="exports", Key="2026/.hidden.csv", Body=b"hello")
    s3.put_object(Bucket="exports", Key="other/c.csv", Body=payments("c.csv", [4]).read_bytes())
    report = import_paths(settings, mappings, ["s3://exports/2026"])
    assert _reported(report) == [("s3://exports/2026/a.csv", "loaded", 2), ("s3://exports/2026/sub/b.csv", "loaded", 1)]
    assert len(contents(settings)["payment"]) == 3
    again = import_paths(settings, mappings, ["s3://exports/2026/"])
    assert [file.status for file in again.files] == ["unchanged", "unchanged"]
    assert again.generation == report.generation


def test_one_object_a_pattern_and_a_zip_of_a_bucket(settings, mappings, payments, s3, tmp_path):
    s3.put_object(Bucket="exports", Key="a.csv", Body=payments("a.csv", [1]).read_bytes())
    s3.put_object(Bucket="exports", Key="b.csv", Body=payments("b.csv", [2]).read_bytes())
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as packed:
        packed.write(payments("c.csv", [3, 4]), "in/c.csv")
    s3.put_object(Bucket="exports", Key="z.zip", Body=(tmp_path / "z.zip").read_bytes())
    report = import_paths(settings, mappings, ["s3://exports/a.csv", "s3://exports/b*.csv", "s3://exports/z.zip"])
    assert _reported(report) == [
        ("s3://exports/a.csv", "loaded", 1),
        ("s3://exports/b.csv", "loaded", 1),
        ("s3://exports/z.zip/in/c.csv", "loaded", 2),
    ]
    assert not list((settings.home / "staging").iterdir())


def test_what_is_not_in_a_bucket_is_a_sentence(s3):
    with pytest.raises(UsageError, match=r"^s3://exports/nothing\.csv is not there$"):
        find(["s3://exports/nothing.csv"])
    with pytest.raises(UsageError, match=r"^s3://no-such-bucket/a\.csv is not there$"):
        find(["s3://no-such-bucket/a.csv"])
    with pytest.raises(UsageError, match=r"^s3://exports/x\*\.csv is not there$"):
        find(["s3://exports/x*.csv"])


def test_without_credentials_the_sentence_says_where_they_come_from(s3, monkeypatch, tmp_path):
    monkeypatch.delenv("AWS_ACCESS_KEY_ID")
    monkeypatch.delenv("AWS_SECRET_ACCESS_KEY")
    monkeypatch.setenv("HOME", str(tmp_path))
    with pytest.raises(UsageError, match=r"access is refused\. Credentials come from AWS_ACCESS_KEY_ID and"):
        find(["s3://exports/a.csv"])


def test_a_server_that_is_away_is_a_sentence_without_a_secret(s3, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{KEY}:{SECRET}@127.0.0.1:9")
    with pytest.raises(UsageError) as caught:
        find(["s3://exports/a.csv"])
    assert "can't be reached" in str(caught.value)
    assert SECRET not in str(caught.value)
    assert SECRET not in repr(caught.value.__context__)


def test_a_file_of_a_web_server_is_named_without_its_signature(settings, mappings, payments, http, tmp_path):
    payments("web/a.csv", [1, 2])
    report = import_paths(settings, mappings, [f"{http}/a.csv?X-Signature={SECRET}"])
    assert _reported(report) == [(f"{http}/a.csv", "loaded", 2)]
    assert SECRET not in (settings.home / "archive" / "imports.jsonl").read_text()


def test_a_private_file_needs_the_header_of_the_environment(settings, mappings, payments, http, monkeypatch):
    payments("web/private.csv", [1])
    with pytest.raises(UsageError, match=r"access is refused\. Credentials come from KPI_HTTP_AUTHORIZATION"):
        import_paths(settings, mappings, [f"{http}/private.csv"])
    monkeypatch.setenv("KPI_HTTP_AUTHORIZATION", "Bearer right")
    assert _reported(import_paths(settings, mappings, [f"{http}/private.csv"])) == [(f"{http}/private.csv", "loaded", 1)]


def test_a_web_server_that_fails_and_one_without_the_file(http):
    with pytest.raises(UsageError, match="can't be reached, or doesn't answer"):
        find([f"{http}/broken.csv"])
    with pytest.raises(UsageError, match=r"nothing\.csv is not there"):
        find([f"{http}/nothing.csv"])


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("ftp://host/a.csv", "ftp:// is no place that can be read"),
        ("file:///etc/passwd", "file:// is no place that can be read"),
        ("memory://a.csv", "memory:// is no place"),
        ("github://o:r@/a.csv", "github:// is no place"),
        ("simplecache::s3://exports/a.csv", "is no place"),
        (f"s3://{KEY}:{SECRET}@exports/a.csv", "a password in an address is kept by shells and logs"),
        (f"https://user:{SECRET}@host/a.csv", "a password in an address is kept by shells and logs"),
        (f"sftp://user:{SECRET}@host/a.csv", "a password in an address is kept by shells and logs"),
    ],
)
def test_an_address_that_is_refused(word, said):
    with pytest.raises(UsageError) as caught:
        find([word])
    assert said in str(caught.value)
    assert SECRET not in str(caught.value)


def test_a_file_that_goes_before_it_is_fetched_harms_no_other(settings, mappings, payments, http, tmp_path):
    payments("web/a.csv", [1])
    payments("web/b.csv", [2])
    found = find([f"{http}/a.csv", f"{http}/b.csv"])
    (tmp_path / "web" / "a.csv").unlink()
    report = import_inputs(settings, mappings, found)
    assert [(file.status, file.message) for file in report.files] == [("held back", f"{http}/a.csv is not there"), ("loaded", "")]


def test_a_pattern_that_the_shell_left_alone(settings, mappings, payments, tmp_path):
    payments("in/a-1.csv", [1])
    payments("in/deep/a-2.csv", [2])
    payments("in/b.csv", [3])
    (tmp_path / "in" / "a-3.md").write_text("hello")
    report = import_paths(settings, mappings, [f"{tmp_path}/in/**/a-*"])
    assert [(Path(file.file).name, file.status) for file in report.files] == [("a-1.csv", "loaded"), ("a-2.csv", "loaded")]
    with pytest.raises(UsageError, match="there is no file or folder"):
        find([f"{tmp_path}/in/c*"])


def test_standard_input_is_a_file_like_any_other(settings, payments, command):
    with payments("a.csv", [1, 2]).open("rb") as exported:
        process = command(settings, "import", "-", "--json", stdin=exported)
        out, err = process.communicate()
    assert process.returncode == 0, err
    (file,) = json.loads(out)["files"]
    assert (file["file"], file["status"], file["rows_loaded"]) == ("standard input", "loaded", 2)
    assert not list((settings.home / "staging").iterdir())
