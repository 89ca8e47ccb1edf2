"""The editor's bundle is the one that its sources make, whole and with the licences of what is in it."""

from __future__ import annotations

import hashlib
import json
import re

from .conftest import ROOT

EDITOR = ROOT / "kpi" / "dashboard" / "editor"
SOURCES = ("build.mjs", "package-lock.json", "src/completing.js", "src/context.js", "src/editor.js")


def test_the_bundle_is_made_of_these_sources():
    made = hashlib.sha256(b"".join((EDITOR / "frontend" / name).read_bytes() for name in SOURCES)).hexdigest()[:12]
    found = [path.name for path in (EDITOR / "assets").glob("*.js")]
    assert found == [f"editor-{made}.js"], "in kpi/dashboard/editor/frontend: npm ci && npm run build"
    assert sorted(path.name for path in (EDITOR / "frontend" / "src").iterdir()) == ["completing.js", "context.js", "editor.js"]


def test_every_package_in_it_is_pinned_and_has_its_licence():
    package = json.loads((EDITOR / "frontend" / "package.json").read_text(encoding="utf-8"))
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for key in ("dependencies", "devDependencies") for version in package[key].values())
    notices = (EDITOR / "assets" / "LICENSES.txt").read_text(encoding="utf-8")
    for name, version in package["dependencies"].items():
        assert f"{name} {version} (MIT)" in notices
    locked = json.loads((EDITOR / "frontend" / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    assert all("integrity" in about for path, about in locked.items() if path)


def test_it_fetches_nothing():
    (bundle,) = (EDITOR / "assets").glob("*.js")
    text = bundle.read_text(encoding="utf-8")
    assert not re.search(r"\b(fetch|importScripts|XMLHttpRequest|WebSocket|eval)\s*\(|\bimport\s*\(", text)
