"""Streams of pickles, judged by what a dry run saw them ask for."""

from __future__ import annotations

import re
import sys
from itertools import islice

from security.scan import walk
from security.scan.claims import compare
from security.scan.dryrun import Import, Outcome
from security.scan.findings import Findings
from security.scan.source import Source
from security.sniff import Format, is_model_name, is_pickle_name

# Loaders of pickles take these for themselves, or break at their first bytes.
_ARCHIVES = frozenset({Format.ZIP, Format.TORCH_ZIP, Format.TAR})
_NAME = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*\Z")
WALKED = 32 << 20  # bytes that are walked to find where an import lies
# Outside the standard library: packages whose only use in a pickle is to run what it brings.
_RUNNERS = (
    "pip setuptools pkg_resources distutils pytest _pytest IPython cloudpickle dill jinja2 sympy"
    " requests fabric invoke paramiko pexpect numexpr nose twisted aiohttp httpx"
    # Of other Pythons and systems, or of whoever loads.
    " __builtin__ commands os2 popen2 urllib2 httplib copy_reg nt posix __main__"
)
_GADGETS = (
    "numpy.testing", "numpy.f2py", "numpy.distutils", "numpy.load", "numpy.lib.npyio",
    "torch.hub", "torch.load", "torch.jit", "torch.package", "torch._inductor", "torch._dynamo",
    "torch.utils", "torch.distributed", "torch.serialization.load", "torch.fx", "torch.ops",
    "torch.classes", "torch.storage._load_from_bytes", "torch.testing", "torch.multiprocessing",
    "joblib.load", "joblib.numpy_pickle.load", "pandas.read_pickle", "pandas.io",
    "pandas.eval", "scipy.io", "tensorflow.io", "tensorflow.load_library", "keras.models",
    "transformers.utils.import_utils", "transformers.dynamic_module_utils",
)  # fmt: skip


def read(source: Source, report: Findings) -> None:
    """Judge every pickle of a stream that was found by its content."""
    shown = report.first in (Format.PICKLE, Format.UNKNOWN)
    judge(source, report, certain=shown and is_pickle_name(source.base))


def judge(source: Source, report: Findings, *, certain: bool) -> None:
    """Judge every pickle of a stream, and what follows the last. `certain` says that it is one.

    Bytes that are none can look like one: a text that begins with "c" names something. They are
    taken for a pickle where they say so and get anywhere, where they call something, and where
    so much was asked for that it was not read to its end. A header of another format may be text
    to an unpickler, which finds its own further on.
    """
    outcome = report.tried(source)
    for what in outcome.odd:
        report.threat("pickle-argument", what)
    if report.beside:
        compare(report.beside, outcome.claims, report)
    named = is_pickle_name(source.base) and report.first not in _ARCHIVES
    marked = source.read(0, 1) == b"\x80" or named
    certain = certain or (marked and bool(outcome.whole or outcome.met))
    called = any(_is_name(found) and found.calls for found in outcome.found)
    stopped = outcome.error == "enough" or (
        outcome.error.startswith("limit")
        and (report.first is Format.PICKLE or is_model_name(source.base))
    )
    if certain or called or stopped:
        for found in outcome.found:
            _note(source, report, found)
        if outcome.error:
            _ending(source, report, outcome)


def _note(source: Source, report: Findings, found: Import) -> None:
    at = _offset(source, found)
    what = "; ".join(found.calls) or f"imports {found.module}.{found.name}"
    if found.known:
        report.doubt("pickle-argument", what, at)
    elif runs(found.module, found.name):
        report.threat("pickle-code", what, at)
    else:
        report.doubt("pickle-unlisted", f"{what}: not on the list of harmless names", at)


def _ending(source: Source, report: Findings, outcome: Outcome) -> None:
    """Judge why a dry run came to no proper end."""
    error = outcome.error
    if error == "enough":
        if not any(found.calls for found in outcome.found):
            report.doubt("limit", "names more than a dry run follows", outcome.end)
        return
    if error.startswith("limit"):
        report.ended()
        report.doubt("limit", "asks for more time or memory than a dry run may take")
    elif "unregistered extension code" in error:
        at = _offset(source, Import(outcome.end, outcome.met + 1, "", "", (), False))
        report.threat("pickle-code", "calls by an extension code, whatever that means there", at)
    elif outcome.whole and not outcome.met:
        if not (outcome.magic and outcome.whole >= 5):  # torch's tensors follow its five pickles
            report.doubt("trailing", "goes on after its last pickle", outcome.end)
    else:
        report.doubt("pickle-broken", f"is a pickle that breaks: {error}", outcome.end)


def runs(module: str, name: str) -> bool:
    """Whether a name outside the list is one that runs code, or leads to it.

    Only the wording hangs on this: what is not listed blocks in any case. No harmless pickle
    needs more of the standard library than is listed.
    """
    root = module.partition(".")[0]
    full = f"{module}.{name}"
    return (
        root in sys.stdlib_module_names
        or root in _RUNNERS.split()
        or "." in name
        or any(full == gadget or full.startswith(gadget + ".") for gadget in _GADGETS)
    )


def _is_name(found: Import) -> bool:
    return bool(_NAME.match(found.module) and _NAME.match(found.name))


def _offset(source: Source, found: Import) -> int:
    end = min(source.size, found.pickle + WALKED)
    return next(islice(walk.imports(source, found.pickle, end), found.nth - 1, None), -1)
