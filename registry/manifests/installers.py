"""Which commands install packages, and how each one's arguments are read.

From the command references of pip 26, uv 0.9, poetry 2, pdm 2, pipx 1 and conda 25: an option
of `valued` takes the next word. One that is in no table stands alone, so that a word is
rather taken for a package than lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Style = Literal["pip", "add", "conda", "files", "one", "with"]


@dataclass(frozen=True, slots=True)
class Installer:
    """How one command is read.

    `pip`: requirements; `add`: those, also as `name@1`; `conda`: its own specifications;
    `files`: names of requirements files; `one`: the first word is the package; `with`: none
    but those of options.
    """

    style: Style


PIP, ADD, CONDA = Installer("pip"), Installer("add"), Installer("conda")
FILES, ONE, WITH = Installer("files"), Installer("one"), Installer("with")

OPTIONS = {
    "-i": "--index-url",
    "--index-url": "--index-url",
    "--default-index": "--index-url",
    "--pypi-url": "--index-url",
    "--extra-index-url": "--extra-index-url",
    "--index": "--extra-index-url",
    "-f": "--find-links",
    "--find-links": "--find-links",
    "--trusted-host": "--trusted-host",
    "--allow-insecure-host": "--trusted-host",
    "-r": "--requirement",
    "--requirement": "--requirement",
    "--requirements": "--requirement",
    "-c": "--constraint",
    "--constraint": "--constraint",
    "--constraints": "--constraint",
    "--override": "--constraint",
    "--overrides": "--constraint",
    "--build-constraint": "--build-constraint",
    "--build-constraints": "--build-constraint",
}
SETTINGS = {  # environment variables that do the same
    "PIP_INDEX_URL": "--index-url",
    "PIP_EXTRA_INDEX_URL": "--extra-index-url",
    "PIP_FIND_LINKS": "--find-links",
    "PIP_TRUSTED_HOST": "--trusted-host",
    "PIP_REQUIREMENT": "--requirement",
    "PIP_CONSTRAINT": "--constraint",
    "UV_INDEX_URL": "--index-url",
    "UV_DEFAULT_INDEX": "--index-url",
    "UV_EXTRA_INDEX_URL": "--extra-index-url",
    "UV_INDEX": "--extra-index-url",
    "UV_FIND_LINKS": "--find-links",
    "UV_CONSTRAINT": "--constraint",
    "UV_INSECURE_HOST": "--trusted-host",
}
CONFIG = {  # keys of `pip config set`
    "index-url": "--index-url",
    "extra-index-url": "--extra-index-url",
    "find-links": "--find-links",
    "trusted-host": "--trusted-host",
    "constraint": "--constraint",
}
_PIP_VALUED = (
    "-t --target --platform --python-version --implementation --abi --root --prefix --src "
    "--upgrade-strategy -C --config-settings --config-setting --global-option --install-option "
    "--build-option --no-binary --only-binary --progress-bar --root-user-action --report "
    "--group --log --proxy --retries --timeout --exists-action --cert --client-cert --cache-dir "
    "--python -p --keyring-provider --use-feature --use-deprecated --hash --resume-retries "
    "-d --dest -w --wheel-dir --extra --index-strategy -P --upgrade-package "
    "--reinstall-package --resolution --prerelease --fork-strategy --no-build-isolation-package "
    "--exclude-newer --link-mode --no-build-package --python-platform --torch-backend --color "
    "--directory --project --config-file --refresh-package -b --uploaded-prior-to"
)
_ADD_VALUED = (
    "-G --group -E --extras --extra --optional --markers --marker --source --python --platform "
    "-C --directory -P --project --bounds --package --script --branch --tag --rev -p "
    "--index-strategy --prerelease --resolution --cache-dir --config-file"
)
_CONDA_VALUED = (
    "-n --name -p --prefix --solver --repodata-fn --subdir --platform --file -f --channel -c "
    "--experimental --console -r --root-prefix"
)
_ONE_VALUED = "--python -p --with --index --from --spec --cache-dir --directory --project"
VALUED = {
    "pip": frozenset(_PIP_VALUED.split()),
    "add": frozenset(_ADD_VALUED.split()),
    "conda": frozenset(_CONDA_VALUED.split()),
    "files": frozenset(_PIP_VALUED.split()),
    "one": frozenset(_ONE_VALUED.split()),
    "with": frozenset(_ONE_VALUED.split()),
}
PACKAGES = frozenset({"--with", "--from", "--spec", "--with-editable"})  # values that are packages
_CONDAS = ("conda", "mamba", "micromamba")
TALKERS = frozenset({  # their words are text, whatever they say
    "echo", "printf", "grep", "egrep", "sed", "awk", "git", "apt-get", "apt", "yum", "dnf",
    "apk", "brew", "which", "type", "alias", "logger", "test", "[", "[[", "man", "npm", "cd",
})  # fmt: skip
SHELLS = frozenset({"bash", "sh", "zsh", "dash", "ash", "ksh"})
MENTIONS = ("pip", "uv", "poetry", "pdm", "conda", "mamba", "easy_install", "PIP_")


def installer(words: list[str]) -> tuple[Installer, int] | None:
    """Return what the command installs with, and where its arguments start; None: nothing."""
    for place, word in enumerate(words[:24]):
        base = word.rpartition("/")[2]
        rest = [w for w in words[place + 1 :] if not w.startswith("-")][:3]
        if (found := _found(base, rest)) is None:
            continue
        kind, verbs = found
        end, left = place + 1, len(verbs)
        while left:
            left -= words[end] == verbs[len(verbs) - left]
            end += 1
        return kind, end
    return None


def is_pip(base: str) -> bool:
    """Whether this names pip, with or without a version: "pip3.11"."""
    return base.startswith("pip") and base[3:].replace(".", "").isdigit() | (base == "pip")


def _found(base: str, rest: list[str]) -> tuple[Installer, list[str]] | None:
    first = rest[0] if rest else ""
    if is_pip(base):
        # Options before the verb may have values: `pip --proxy URL install`.
        for verb in rest:
            if verb in ("install", "download", "wheel"):
                return PIP, [verb]
        return None
    if base == "uv":
        return _uv(rest)
    table = {
        "poetry": (ADD, ("add",)),
        "pdm": (ADD, ("add",)),
        "rye": (ADD, ("add",)),
        "pipenv": (ADD, ("install",)),
        "pipx": (PIP, ("install", "inject", "upgrade")),
        "pip-sync": (FILES, None),
        "easy_install": (PIP, None),
        "uvx": (ONE, None),
    }
    if base in table:
        kind, verbs = table[base]
        if verbs is None:
            return kind, []
        if base == "pipx" and first == "run":
            return ONE, ["run"]
        return (kind, [first]) if first in verbs else None
    if base in _CONDAS:
        if first in ("install", "create", "update", "upgrade"):
            return CONDA, [first]
        if rest[:2] in (["env", "create"], ["env", "update"]):
            return CONDA, rest[:2]
    return None


def _uv(rest: list[str]) -> tuple[Installer, list[str]] | None:
    if rest[:2] == ["pip", "install"]:
        return PIP, rest[:2]
    if rest[:2] == ["pip", "sync"]:
        return FILES, rest[:2]
    if rest[:2] == ["tool", "install"]:
        return PIP, rest[:2]
    if rest[:2] == ["tool", "run"]:
        return ONE, rest[:2]
    if rest[:1] == ["add"]:
        return ADD, rest[:1]
    if rest[:1] == ["run"] and not any(is_pip(word) for word in rest):
        return WITH, rest[:1]
    return None
