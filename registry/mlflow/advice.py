"""What MLflow's failures mean, in one line, and what to do about each."""

from __future__ import annotations

LONGEST = 240  # characters of MLflow's own words
_LATER = "nothing was lost: run it again when it answers"

# What a text holds, in lower case, or what the error is called -> (message, hint). First match.
_KNOWN: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("no module named 'mlflow",),
        "MLflow is not installed",
        "install it beside modelwarden: pip install 'modelwarden[mlflow]'",
    ),
    (
        ("no module named 'psycopg", "no module named 'mysql", "no module named 'pymysql"),
        "the driver of this database is not installed",
        "install the driver that the address names, such as psycopg for postgresql+psycopg",
    ),
    (
        ("out-of-date database schema", "can't locate revision"),
        "the database has the schema of another MLflow",
        "back it up, run 'mlflow db upgrade' with the newest MLflow in use, and install that here",
    ),
    (
        ("file is not a database", "file is encrypted", "disk image is malformed"),
        "the file is not a database, or is damaged",
        "move it away; 'modelwarden release doctor --repair' writes all releases anew",
    ),
    (
        ("database is locked", "locking protocol"),
        "the database is locked by another process",
        _LATER + "; for many writers use PostgreSQL or a tracking server",
    ),
    (
        ("disk is full", "no space left", "disk i/o error", "quota exceeded"),
        "the disk is full",
        "free space where the database and its mlartifacts are, then run it again",
    ),
    (
        ("readonly database", "permission denied", "read-only file", "unable to open database"),
        "the database or its artifacts cannot be written",
        "let this account write the file and its folder, or set release.mlflow to another place",
    ),
    (
        ("password authentication failed", "authentication failed", "no password supplied"),
        "the database refuses the login",
        "give user and password by PGUSER and PGPASSWORD or ~/.pgpass",
    ),
    (
        ("unauthenticated", "error code 401", "not authenticated", "permission_denied",
         "error code 403"),
        "it refuses our credentials",
        "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    ),
    (
        ("certificate verify failed", "sslerror"),
        "its certificate is not trusted",
        "set MLFLOW_TRACKING_SERVER_CERT_PATH to the authority's certificate",
    ),
    (
        ("too many 5", "error code 5"),
        "the server failed",
        "see its log; " + _LATER,
    ),
    (("too many 429", "error code 429", "request_limit"), "it asks us to slow down", _LATER),
    (
        ("timeout exception", "timed out", "timeout expired"),
        "it did not answer in time",
        _LATER,
    ),
    (
        ("invalid host header", "dns rebinding"),
        "the server does not accept this name for itself",
        "start it with --allowed-hosts, or use the name that it knows",
    ),
    (
        ("name or service not known", "failed to resolve", "no address associated",
         "nameresolution"),
        "there is no such host",
        "correct release.mlflow in the policy",
    ),
    (
        ("connection refused", "connection reset", "remote end closed", "could not connect",
         "connection failed", "server closed the connection", "connection aborted"),
        "nobody answers there, or the connection broke",
        _LATER,
    ),
    (
        ("error code 404", "not in a valid json", "jsondecodeerror", "expecting value"),
        "this is no MLflow tracking server",
        "correct release.mlflow in the policy: the address that shows MLflow's own page",
    ),
    # MLflow's code for whatever it did not expect, so it comes last.
    (
        ("internal_error", "temporarily_unavailable"),
        "the server failed",
        "see its log; " + _LATER,
    ),
)  # fmt: skip


def explain(kind: str, code: str, text: str, shown: str) -> tuple[str, str]:
    """Return message and hint for an error of MLflow: its type, its code and its words."""
    if kind == "timeout":
        return f"no answer within {text} s", _LATER
    if kind == "gone":
        return "its process ended without an answer", "free memory, then run it again"
    whole = f"{kind} {code} {text}".lower()
    words = _shortened(" ".join(text.split()))
    for signs, message, hint in _KNOWN:
        if any(sign in whole for sign in signs):
            return f"{message} ({words})", hint
    return f"{kind}: {words}", f"look at {shown} with MLflow's own tools, then run it again"


def _shortened(text: str) -> str:
    """Return the part of MLflow's words that says why: no SQL, no advice, no address twice."""
    _, found, cause = text.rpartition("(Caused by ")
    text = cause.removesuffix(")") if found else text
    for end in (" [SQL:", " (Background on this error", ". Take a backup", " To increase the"):
        text = text.partition(end)[0]
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"
