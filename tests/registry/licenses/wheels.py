"""Wheels made of literals."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from pathlib import Path


def make_wheel(
    folder: Path, name: str, version: str, fields: str, files: Mapping[str, str] | None = None
) -> Path:
    """Write a wheel that holds metadata with these fields and files beside it."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    head = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{stem}.dist-info/METADATA", f"{head}{fields}\n")
        for member, text in (files or {}).items():
            wheel.writestr(f"{stem}.dist-info/{member}", text)
    return path
