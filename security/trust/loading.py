"""A trust file from its bytes: strict, bounded, and without two ways to count one person."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Iterable
from datetime import date

from security.errors import BadKey, Malformed, Untrusted
from security.identity import ED25519, MLDSA65, P256, P384, P521
from security.trust.artifacts import fault
from security.trust.tables import Table, parse
from security.trust.trustfile import ACTIONS, Credential, Person, Role, TrustFile

FORMAT = 1
KINDS = (P256, P384, P521, ED25519, MLDSA65)
MOST_PEOPLE, MOST_KEYS, MOST_ROLES, MOST_PATTERNS = 1_000, 2_000, 100, 200
MOST_ROOTS = 50
_PEM_LIMIT = 100_000  # characters
_LARGEST = 2**53


def load(data: bytes, name: str) -> TrustFile:
    """Read a trust file; `name` is what errors call it. Raises Malformed, TooLarge."""
    top = parse(data, name)
    if top.whole("format", 0, _LARGEST) != FORMAT:
        raise top.wrong("format", f"is not {FORMAT}", "get a Modelwarden that knows it")
    project = top.text("project", 200)
    if (why := fault(project)) or "#" in project or "*" in project:
        raise top.wrong("project", why or "has a # or a *")
    version, expires = top.whole("version", 1, _LARGEST), top.day("expires")
    people = tuple(_person(n, t) for n, t in top.tables("people", MOST_PEOPLE))
    names = {person.name for person in people}
    credentials = (
        *(_key(n, t, names) for n, t in top.tables("keys", MOST_KEYS)),
        *(_subject(n, t, names) for n, t in top.tables("subjects", MOST_KEYS)),
    )
    roots = tuple(_root(n, t) for n, t in top.tables("certificates", MOST_ROOTS))
    _distinct(top, people, credentials)
    owners = {person.name: person.name for person in people} | {
        credential.name: credential.owner for credential in credentials
    }
    roles = tuple(_role(n, t, owners) for n, t in top.tables("roles", MOST_ROLES))
    left_out = tuple(_left_out(top, p, v) for p, v in top.lists("hidden", MOST_PATTERNS))
    top.done()
    if not roles:
        raise top.wrong("roles", "is missing", "say who may do what: [roles.release]")
    _guarded(top, roles)
    digest = hashlib.sha256(data).hexdigest()
    usable = tuple(pem for pem in roots if pem)
    return TrustFile(
        name, digest, project, version, expires, people, credentials, usable, roles, left_out
    )


def pinned(data: bytes, name: str, digest: str) -> TrustFile:
    """Read a trust file for the first time, known by the SHA-256 (hex) of its bytes.

    Raises Untrusted for another file, Malformed, TooLarge.
    """
    found = hashlib.sha256(data).hexdigest()
    if found != digest:
        raise Untrusted(
            f"{name}: its SHA-256 is {found}, not {digest!r:.80}",
            "compare the digest with the project by another way than this file came",
        )
    return load(data, name)


def _person(name: str, table: Table) -> Person:
    account = table.text("account", 100, "")
    number = table.whole("id", 0, _LARGEST, 0)
    table.done()
    return Person(name, account, number)


def _key(name: str, table: Table, people: set[str]) -> Credential:
    from security.sign.keys import read_public  # loads cryptography

    owner = _owner(table, people)
    pem = table.text("public", _PEM_LIMIT)
    if "PRIVATE KEY" in pem:
        hint = "whoever saw this file has the key: make another, and give its public half"
        raise table.wrong("public", "is a private key", hint)
    try:
        public = read_public(pem.encode())
    except (BadKey, Malformed) as error:
        raise table.wrong("public", f"cannot be used ({error.message})", error.hint) from error
    kind = table.text("kind", 40, public.kind)
    if kind != public.kind:
        raise table.wrong("kind", f"is {kind!r}, but the key is {public.kind!r}")
    start, end, revoked, reason = _days(table)
    table.done()
    return Credential(name, owner, public, "", "", "key", start, end, revoked, reason)


def _subject(name: str, table: Table, people: set[str]) -> Credential:
    owner = _owner(table, people)
    subject, method = table.text("subject", 500), table.text("method", 20, "certificate")
    if method not in ("certificate", "sigstore"):
        raise table.wrong("method", "is not certificate or sigstore")
    # Without its issuer an identity is anybody's who runs an identity provider.
    issuer = table.text("issuer", 500) if method == "sigstore" else ""
    start, end, revoked, reason = _days(table)
    table.done()
    return Credential(name, owner, None, subject, issuer, method, start, end, revoked, reason)


def _owner(table: Table, people: set[str]) -> str:
    owner = table.named("owner")
    if owner not in people:
        raise table.wrong("owner", f"{owner!r} is not in [people]", _near(owner, people))
    return owner


def _days(table: Table) -> tuple[date | None, date | None, date | None, str]:
    start, end = table.maybe_day("from"), table.maybe_day("until")
    if start and end and start > end:
        raise table.wrong("until", "is before from")
    return start, end, *_revoked(table)


def _revoked(table: Table) -> tuple[date | None, str]:
    revoked = table.maybe_day("revoked")
    reason = table.text("reason", 300, "")
    if reason and not revoked:
        raise table.wrong("reason", "is there without revoked", "say since when: revoked = ...")
    if revoked and not reason:
        raise table.wrong("reason", "is missing", "say why it was revoked")
    return revoked, reason


def _root(name: str, table: Table) -> bytes:
    from cryptography import x509

    pem = table.text("public", _PEM_LIMIT).encode()
    try:
        found = x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise table.wrong("public", "is not a certificate in PEM") from error
    if len(found) != 1:
        raise table.wrong("public", "is not one certificate", "give each root its own table")
    revoked, _ = _revoked(table)
    table.done()
    return b"" if revoked else pem


def _distinct(top: Table, people: tuple[Person, ...], credentials: tuple[Credential, ...]) -> None:
    """Refuse two names for one person, key or subject: each would count as one more."""
    _once(top, "name", [p.name for p in people] + [c.name for c in credentials])
    _once(top, "account", [p.account for p in people if p.account])
    _once(top, "id", [str(p.id) for p in people if p.id])
    _once(top, "key", [c.public.hint for c in credentials if c.public])
    _once(top, "subject", [f"{c.method} {c.issuer} {c.subject}" for c in credentials if c.subject])


_ONCE = "write each once, in one spelling; people, keys and subjects share their names"


def _once(top: Table, what: str, values: Iterable[str]) -> None:
    seen: set[str] = set()
    for value in values:
        folded = value.casefold()
        if folded in seen:
            raise top.wrong("", f"the {what} {value!r:.100} is there twice", _ONCE)
        seen.add(folded)


def _role(name: str, table: Table, owners: dict[str, str]) -> Role:
    actions = table.texts("actions", len(ACTIONS))
    for action in actions:
        if action not in ACTIONS:
            raise table.wrong("actions", f"has the unknown {action!r:.40}", _near(action, ACTIONS))
    members = table.texts("members", MOST_KEYS)
    for member in members:
        if member not in owners:
            what = f"has {member!r:.100}, who is neither in [people] nor a key"
            raise table.wrong("members", what, _near(member, owners))
    threshold = table.whole("threshold", 1, MOST_PEOPLE)
    reach = len({owners[member] for member in members})
    if threshold > reach:
        raise table.wrong("threshold", f"is {threshold}, but its members are {reach} people")
    artifacts = table.texts("artifacts", MOST_PATTERNS)
    for pattern in artifacts:
        if why := fault(pattern):
            raise table.wrong("artifacts", f"has {pattern!r:.100}, which {why}")
    also = table.texts("also", len(KINDS), ())
    for kind in also:
        if kind not in KINDS:
            raise table.wrong("also", f"has the unknown kind {kind!r:.40}", _near(kind, KINDS))
    table.done()
    return Role(name, actions, members, threshold, artifacts, also)


def _guarded(top: Table, roles: tuple[Role, ...]) -> None:
    """Refuse a trust file that is easier to change than its releases are to sign."""
    releases = [role for role in roles if "release" in role.actions]
    most = max((role.threshold for role in releases), default=0)
    kinds = {kind for role in releases for kind in role.also}
    for role in roles:
        if "rotate" not in role.actions:
            continue
        place = f"roles.{role.name}"
        if role.threshold < most:
            what = f"is {role.threshold}, but a release takes {most} people"
            hint = "let as many people rotate together, or they change the rule alone"
            raise top.wrong(f"{place}.threshold", what, hint)
        if weaker := sorted(kinds.difference(role.also)):
            what = f"lacks {weaker[0]}, which a release takes"
            raise top.wrong(f"{place}.also", what, "demand of rotation what releases demand")


def _left_out(top: Table, pattern: str, paths: tuple[str, ...]) -> tuple[str, tuple[str, ...]]:
    if (why := fault(pattern)) or "#" in pattern:
        raise top.wrong("hidden", f"has {pattern!r:.100}, which {why or 'names a tensor'}")
    for path in paths:
        if fault(path) or set(path) & set("/#*"):
            raise top.wrong("hidden", f"has {path!r:.100}, which is not one top-level name")
    return pattern, paths


def _near(word: str, words: Iterable[str]) -> str:
    known = sorted(words)
    near = difflib.get_close_matches(word[:100], known, 1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known[:8])}"
