"""Signatures of commits: which kind each carries, and which are proven by the allowed keys."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from bot.finding import Finding, Level, Location, Rule

ARMOUR = (
    ("-----BEGIN SSH SIGNATURE-----", "ssh"),
    ("-----BEGIN PGP SIGNATURE-----", "openpgp"),
    ("-----BEGIN PGP MESSAGE-----", "openpgp"),
    ("-----BEGIN SIGNED MESSAGE-----", "x509"),
)

UNSIGNED = Rule(
    "contributors/unsigned",
    Level.FAILURE,
    "A commit carries no signature though the policy requires one.",
    "Names in commits can be typed by anybody; a signature cannot.",
    "Sign each commit: `git rebase --exec 'git commit --amend --no-edit -S' <base>`.",
)
NOT_ALLOWED = Rule(
    "contributors/signer",
    Level.FAILURE,
    "A commit is signed, but by none of the allowed keys.",
    "A signature by an unknown key says nothing about who signed.",
    "Sign with a key of the allowed signers file, or add the key there in a change of its own.",
)
UNPROVEN = Rule(
    "contributors/signature-unproven",
    Level.UNKNOWN,
    "A signature is required but cannot be verified here.",
    "Only SSH signatures can be verified against a file of the repository.",
    "Sign with an SSH key: `git config gpg.format ssh`.",
)
SIGNERS_MISSING = Rule(
    "contributors/allowed-signers",
    Level.UNKNOWN,
    "Signatures are required but the allowed signers file is not usable at the base commit.",
    "Without the list of keys no signature can be proven.",
    "Set `contributors.allowed_signers` to a file in ssh's allowed_signers format at the base.",
)
SIGNERS_EDITED = Rule(
    "contributors/allowed-signers-edited",
    Level.WARNING,
    "The change edits the list of allowed signers.",
    "Whoever is on this list is believed from the next change on; this one used the old list.",
    "Have an owner of the project compare the new keys with their holders.",
)
RULES = (UNSIGNED, NOT_ALLOWED, UNPROVEN, SIGNERS_MISSING, SIGNERS_EDITED)


@dataclass(frozen=True, slots=True)
class Signature:
    """One commit's signature. `kind` is "" where it has none; `signer` is proven or ""."""

    commit: str
    kind: str
    signer: str = ""


@dataclass(frozen=True, slots=True)
class Signatures:
    """All signatures of a change. `trouble` says why the allowed signers cannot be used."""

    each: tuple[Signature, ...] = ()
    trouble: str = ""
    edited: str = ""


def kind(header: str) -> str:
    """Return the kind of a raw signature header: ssh, openpgp, x509, unknown or ""."""
    start = header.lstrip()
    return next((k for mark, k in ARMOUR if start.startswith(mark)), "unknown" if start else "")


def told(signatures: Signatures) -> str:
    """Say how many carry a signature, by kind: "2 cryptographically signed (1 openpgp, 1 ssh)"."""
    kinds = Counter(s.kind for s in signatures.each if s.kind)
    if not kinds:
        return "none cryptographically signed"
    parts = ", ".join(f"{count:,} {kind}" for kind, count in sorted(kinds.items()))
    return f"{kinds.total():,} cryptographically signed ({parts})"


def judge(signatures: Signatures, *, start: str, required: bool) -> tuple[Finding, ...]:
    """Find what is not proven where signatures are required; an edited list in any case."""
    found: list[Finding] = []
    if signatures.edited:
        message = "the change edits the allowed signers; it is judged by the list at its base"
        found.append(SIGNERS_EDITED.at(message, Location(signatures.edited)))
    if not required:
        return tuple(found)
    if signatures.trouble:
        found.append(SIGNERS_MISSING.at(signatures.trouble))
    for signature in signatures.each:
        finding = _judge(signature, start, usable=not signatures.trouble)
        if finding is not None:
            found.append(finding)
    return tuple(found)


def _judge(signature: Signature, start: str, *, usable: bool) -> Finding | None:
    name, place = f"commit {signature.commit[:12]}", Location(commit=signature.commit)
    if not signature.kind:
        remedy = (
            "Set `git config gpg.format ssh` and `git config user.signingkey`, then run "
            f"`git rebase --exec 'git commit --amend --no-edit -S' {start}`."
        )
        return UNSIGNED.at(f"{name} is not signed", place, remedy=remedy)
    if signature.kind != "ssh":
        return UNPROVEN.at(f"{name} has an {signature.kind} signature, not verifiable here", place)
    if usable and not signature.signer:
        return NOT_ALLOWED.at(f"{name} is signed by none of the allowed keys", place)
    return None
