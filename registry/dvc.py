"""The one caller of DVC: fetch objects by digest into a cache folder of our own.

DVC's configuration can name commands that it runs (credential helpers of remotes), so DVC never
sees a change: it runs in a throw-away workspace whose configuration is made from the BASE
commit's `.dvc/config`, which the maintainers merged and which is trusted to name such commands,
and whose pointers are written here from digests.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from lab.errors import without_paths
from registry import objects
from registry.dvcconfig import DvcConfig, merge, read_config, write_config
from registry.errors import MissingWeights
from registry.pointers import UNKNOWN_SIZE, Pointer, PointerKind

TIMEOUT = 1800  # seconds for one fetch
_PASSED = {
    "HOME", "PATH", "LANG", "USER", "TMPDIR", "SSH_AUTH_SOCK", "SSL_CERT_FILE", "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE", "XDG_CONFIG_HOME", "XDG_CONFIG_DIRS", "HTTP_PROXY", "HTTPS_PROXY",
    "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
}  # fmt: skip
_PASSED_PREFIXES = ("AWS_", "AZURE_", "GOOGLE_", "CLOUDSDK_", "OSS_")


def configuration(
    base_config: bytes, local_config: Path | None, repository: Path | None
) -> DvcConfig:
    """Read the base commit's `.dvc/config`, overlaid with the operator's own `config.local`.

    Relative urls are resolved against `repository`/.dvc, as DVC itself does.
    """
    folder = (repository or Path("/nonexistent")) / ".dvc"
    config = read_config(base_config, folder)
    if local_config is not None and objects.is_at_hand(local_config):
        config = merge(config, read_config(local_config.read_bytes(), local_config.parent))
    return config


def fetch(
    pointers: tuple[Pointer, ...],
    base_config: bytes,
    local_config: Path | None,
    repository: Path | None,
    target_cache: Path,
    *,
    timeout: float = TIMEOUT,
) -> None:
    """Fetch what `pointers` name into `target_cache`, and prove every digest.

    `local_config` must not be a file that a commit tracks. Raises MissingWeights, CorruptWeights.
    """
    config = configuration(base_config, local_config, repository)
    names = ", ".join(sorted({p.path for p in pointers})[:3])
    if not config.remotes:
        raise MissingWeights(
            f"{names}: not in the local DVC cache, and the base commit names no DVC remote",
            "run 'dvc pull' in this clone first, or merge a remote into .dvc/config",
        )
    if importlib.util.find_spec("dvc") is None:
        raise MissingWeights(
            f"{names}: not in the local DVC cache, and DVC is not installed to fetch it",
            "run 'dvc pull' first, or install modelwarden with its dvc extra",
        )
    with tempfile.TemporaryDirectory(prefix="modelwarden-dvc-") as workspace:
        _lay_out(Path(workspace), pointers, config, target_cache)
        reason = _run(Path(workspace), timeout)
    for pointer in pointers:
        _prove(pointer, target_cache, reason)


def _lay_out(
    workspace: Path, pointers: tuple[Pointer, ...], config: DvcConfig, cache: Path
) -> None:
    (workspace / ".dvc").mkdir()
    (workspace / ".dvc" / "config").write_text(write_config(config, cache.resolve()), "utf-8")
    for number, pointer in enumerate(pointers):
        suffix = ".dir" if pointer.kind is PointerKind.DVC_FOLDER else ""
        out: dict[str, str | int] = {"md5": pointer.digest + suffix, "path": f"o{number}"}
        if not pointer.legacy:
            out["hash"] = "md5"
        if pointer.size != UNKNOWN_SIZE:
            out["size"] = pointer.size
        # JSON is YAML, and quotes everything.
        (workspace / f"o{number}.dvc").write_text(json.dumps({"outs": [out]}), "utf-8")


def environment(workspace: Path) -> dict[str, str]:
    """Return what DVC may know of ours in a throw-away workspace: how to reach its remotes."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in _PASSED or name.startswith(_PASSED_PREFIXES)
    }
    return kept | {"DVC_NO_ANALYTICS": "1", "DVC_SITE_CACHE_DIR": str(workspace / "site")}


def _run(workspace: Path, timeout: float) -> str:
    """Run `dvc fetch`; return "" or one line that says why it did not succeed."""
    command = [sys.executable, "-I", "-m", "dvc", "fetch"]
    try:
        done = subprocess.run(
            command,
            cwd=workspace,
            env=environment(workspace),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=timeout,
        )
    except subprocess.TimeoutExpired:
        return f"dvc fetch took longer than {timeout:g} s"
    if done.returncode == 0:
        return ""
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    errors = [line for line in lines if line.startswith("ERROR")] or lines[-1:]
    text = (errors or [f"exit code {done.returncode}"])[0].removeprefix("ERROR: ")
    return "".join(c for c in without_paths(text) if c.isprintable())[:300]


def _prove(pointer: Pointer, cache: Path, reason: str) -> None:
    folder = pointer.kind is PointerKind.DVC_FOLDER
    path = objects.dvc_object(cache, pointer.digest, folder=folder, legacy=pointer.legacy)
    if not objects.is_at_hand(path):
        raise MissingWeights(
            f"{pointer.path}: its DVC object {pointer.digest} could not be fetched"
            + (f" ({reason})" if reason else ""),
            "run 'dvc push' where the file was made, to a remote in the base's .dvc/config",
        )
    objects.prefix(path, pointer.digest, 0)
