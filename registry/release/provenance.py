"""How a release was built, as a SLSA provenance predicate, v1.0 (https://slsa.dev/provenance/v1).

What goes into the build is told with its digests; what comes out is the statement's subject. No
clock is read: the times of a run say nothing that the commit and the log do not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from registry.bom.naming import plain, public, urn
from registry.release.values import Artifact, Pointed, Release
from security.manifest import Entry

TYPE = "https://slsa.dev/provenance/v1"
BUILD = "urn:modelwarden:release-build:v1"
# in-toto's names of digests (spec/v1/digest_set.md); DVC's md5 of a folder is that of its list.
_DIGESTS = {"blob": "gitBlob", "lfs": "sha256", "dvc": "md5", "dvc-folder": "md5"}


def predicate(
    release: Release,
    *,
    builder: str,
    invocation: str = "",
    bases: Sequence[str] = (),
    byproducts: Sequence[Entry] = (),
) -> dict[str, Any]:
    """Return the provenance of a release.

    `builder` is the URI of who ran the build (a workflow's, or urn:modelwarden:builder:...) and
    `invocation` that of the run; `bases` are the models it comes from, `byproducts` files made
    on the way. The same values give the same predicate.
    """
    metadata = {"invocationId": plain(invocation, 1_000)} if invocation else {}
    made = [*_records(release), *(_file(entry) for entry in byproducts)]
    return {
        "buildDefinition": {
            "buildType": BUILD,
            "externalParameters": {
                "repository": public(release.repository) or plain(release.repository),
                "commit": release.commit,
                "artifact": plain(release.artifact),
                "version": plain(release.version),
            },
            "resolvedDependencies": [*_dependencies(release), *map(_base, bases)],
        },
        "runDetails": {
            "builder": {"id": plain(builder, 1_000)},
            **({"metadata": metadata} if metadata else {}),
            **({"byproducts": made} if made else {}),
        },
    }


def _dependencies(release: Release) -> Iterator[dict[str, Any]]:
    place = public(release.repository)
    source = f"git+{place.removeprefix('git+')}" if place else urn("repository", release.repository)
    yield {"uri": f"{source}@{release.commit}", "digest": {"gitCommit": release.commit}}
    for artifact in (release.weights, *release.data):
        yield from (_pointed(pointer, artifact) for pointer in artifact.pointers)
    for lock in release.environment:
        yield _tracked("lock", lock.path, lock.sha256)
    if release.pipeline is not None:
        yield _tracked("pipeline", release.pipeline.path, release.pipeline.sha256)


def _pointed(pointer: Pointed, artifact: Artifact) -> dict[str, Any]:
    told = {"role": artifact.role, "kind": plain(pointer.kind), "source": plain(pointer.source)}
    if pointer.size >= 0:
        told["size"] = str(pointer.size)
    found = {
        "uri": urn(artifact.role, pointer.path, pointer.digest),
        "name": plain(pointer.path),
        "annotations": told,
    }
    digest = _digest(_DIGESTS.get(pointer.kind, ""), pointer.digest)
    return found | ({"digest": digest} if digest else {})


def _tracked(kind: str, path: str, sha256: str) -> dict[str, Any]:
    return {
        "uri": urn(kind, path, sha256),
        "name": plain(path),
        "digest": {"sha256": sha256},
    }


def _base(name: str) -> dict[str, Any]:
    # Nobody states its digest: what has none is named, and a reader sees that it has none.
    return {"uri": urn("model", name), "name": plain(name), "annotations": {"role": "base"}}


def _records(release: Release) -> Iterator[dict[str, Any]]:
    for record in release.measurements:
        yield {
            "uri": urn("measurement", record.task, record.digest),
            "name": plain(record.task),
            "digest": {"sha256": record.digest},
            "mediaType": "application/json",
        }


def _file(entry: Entry) -> dict[str, Any]:
    return {"name": plain(entry.path), "digest": {entry.algorithm: entry.digest}}


def _digest(algorithm: str, digest: str) -> Mapping[str, str]:
    return {algorithm: digest} if algorithm and digest else {}
