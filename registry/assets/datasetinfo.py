"""dataset_info.json of LLaMA-Factory: data sets by name, each from a hub, a script or a file."""

from __future__ import annotations

from collections.abc import Iterator

from registry.assets.configs import use_of
from registry.assets.fields import Field, read
from registry.assets.values import Told, Use
from registry.documents import DocumentError

# The first of these that an entry has is where it is loaded from; the others are mirrors of it.
_SOURCES = ("hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name", "file_name")


def told(data: bytes) -> Told:
    """Read the table; every entry may be trained on."""
    try:
        fields = read(data, is_json=True)
    except DocumentError as error:
        return Told(trouble=error.message, line=error.line)
    entries: dict[str, dict[str, Field]] = {}
    for field in fields:
        if len(field.path) == 2 and field.text and field.key in _SOURCES:
            entries.setdefault(str(field.path[0]), {})[field.key] = field
    uses = (use for entry in entries.values() for use in _uses(entry))
    return Told("", tuple(dict.fromkeys(uses)))


def _uses(entry: dict[str, Field]) -> Iterator[Use]:
    for key in _SOURCES:
        if key in entry:
            text, line = entry[key].text, entry[key].line
            bare = key.endswith("hub_url")
            use = use_of(text, "trains_on", "data", line, key, firm=False, bare=bare)
            if key in ("script_url", "file_name", "cloud_file_name") and "://" not in text:
                use = Use("trains_on", "data", text[:300], line, key, firm=False, sure=False)
            if use is not None:
                yield use
            return
