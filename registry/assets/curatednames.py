"""What licences are called in the Data Provenance Collection, as expressions."""

from __future__ import annotations

import re

from registry.licenses.expressions import LicenseError, normalise

NAMES = {
    "academic free license v3.0": "AFL-3.0",
    "apache 2.0": "Apache-2.0",
    "apache license 2.0": "Apache-2.0",
    "artistic license 2.0": "Artistic-2.0",
    "bigscience openrail-m": "bigscience-openrail-m",
    "bsd 2-clause license": "BSD-2-Clause",
    "bsd 3-clause license": "BSD-3-Clause",
    "c-uda": "C-UDA-1.0",
    "cc0": "CC0-1.0",
    "cc0 1.0": "CC0-1.0",
    "epl 1.0": "EPL-1.0",
    "gnu general public license v2.0": "GPL-2.0-only",
    "gnu general public license v3.0": "GPL-3.0-only",
    "isc license": "ISC",
    "lgpl 2.1": "LGPL-2.1-only",
    "lgpl 3.0": "LGPL-3.0-only",
    "llama 2": "llama2",
    "meta llama3 community license": "llama3",
    "mit": "MIT",
    "mit license": "MIT",
    "mpl 2.0": "MPL-2.0",
    "odc by 1.0": "ODC-By-1.0",
    "ogl 3.0": "OGL-UK-3.0",
}
# Names that say only that nothing is said, or that nobody could find out.
UNSTATED = frozenset({"", "unspecified", "no license", "custom", "various", "unclear",
                      "request form", "open access", "public domain"})  # fmt: skip
_CREATIVE = re.compile(r"cc (by(?:-nc)?(?:-(?:nd|sa))?)(?: (\d\.\d))?")
_CDLA = re.compile(r"cdla (permissive|sharing) (\d\.\d)")
_NOT_ID = re.compile(r"[^A-Za-z0-9.]+")


def expression(name: str) -> str:
    """Return the expression a name stands for; "" where the name says nothing.

    A name that is no licence we know becomes a LicenseRef: terms there are, unread ones.
    """
    plain = " ".join(name.lower().split()).replace("cc by sa", "cc by-sa")
    if plain in UNSTATED:
        return ""
    if _CREATIVE.fullmatch(plain) and plain[-1].isalpha():
        return ""  # without a version nobody knows which text
    found = NAMES.get(plain) or _series(plain)
    if not found:
        found = "LicenseRef-" + _NOT_ID.sub("-", name.strip()).strip("-.")[:80]
    try:
        return normalise(found)
    except LicenseError:
        return ""


def _series(plain: str) -> str:
    match = _CREATIVE.fullmatch(plain)
    if match:
        return f"CC-{match[1].upper()}-{match[2]}"
    match = _CDLA.fullmatch(plain)
    return f"CDLA-{match[1].title()}-{match[2]}" if match else ""


# Generators of model-made data by how their names begin, with the licence of their outputs.
# What is not here has terms that nobody has put down: they stay unknown.
GENERATORS = (
    ("llama-3.1", "llama3.1"),
    ("llama-3-", "llama3"),
    ("llama-2-", "llama2"),
    ("mixtral-8x7b", "Apache-2.0"),
    ("mistral-7b", "Apache-2.0"),
    ("flan-t5", "Apache-2.0"),
    ("openai gpt-2", "MIT"),
    ("starcoder", "bigcode-openrail-m"),
)
# Entries of that field that are no models.
NO_MODELS = frozenset({"other", "templates", "google translate", "deepl", "wmt", "wikisql", "nbc",
                       "svm", "alpaca", "dolly", "google cloud translation api"})  # fmt: skip


def generator_license(name: str) -> str:
    """Return the licence of a generator of data, "" where it is not known."""
    lower = " ".join(name.lower().split())
    return next((licence for start, licence in GENERATORS if lower.startswith(start)), "")


def is_generator(name: str) -> bool:
    """Whether this names a model, not a template or a translator."""
    return bool(name.strip()) and name.strip().lower() not in NO_MODELS
