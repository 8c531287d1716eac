"""The tables of the server, the same in SQLite and PostgreSQL."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

VERSION = 1  # of these tables; a change adds a step to `MIGRATIONS` in store.py

metadata = MetaData()


def _table(name: str, *columns: Column[object] | Index) -> Table:
    return Table(f"warden_{name}", metadata, *columns)


def _key(name: str, kind: type = String) -> Column[object]:
    # autoincrement would make SQLite and PostgreSQL number lone integer keys themselves
    column = BigInteger if kind is int else String
    return Column(name, column(), primary_key=True, autoincrement=False)


def _text(name: str) -> Column[object]:
    return Column(name, Text, nullable=False, default="")


def _number(name: str) -> Column[object]:
    return Column(name, BigInteger, nullable=False, default=0)


def _real(name: str, *, empty: bool = False) -> Column[object]:
    return Column(name, Float(53), nullable=empty)


schema = _table("schema", _key("id", int), _number("version"))

deliveries = _table(
    "deliveries",
    _key("id"),
    _text("event"),
    Column("body", LargeBinary),  # zlib; NULL once settled
    _real("received_at"),
    Column("handed", Boolean, nullable=False, default=False),
    _text("note"),
    Index("warden_deliveries_handed", "handed", "received_at"),
    Index("warden_deliveries_received", "received_at"),
)

repos = _table("repos", _key("id", int), _text("name"), _number("installation"), _text("branch"))

runs = _table(
    "runs",
    _key("repo", int),
    _key("number", int),
    _key("head"),
    _key("base"),
    _key("attempt"),
    _key("check"),
    _text("external_id"),
    _number("run"),
    _real("opened_at"),
    _text("conclusion"),
    Index("warden_runs_external", "external_id"),
    Index("warden_runs_open", "conclusion", "opened_at"),
)

reports = _table(
    "reports",
    _key("repo", int),
    _key("number", int),
    _key("head"),
    _key("base"),
    _key("attempt"),
    _key("part"),
    Column("report", LargeBinary, nullable=False),  # zlib
    _text("outcome"),
    _text("title"),
    _real("at"),
    Index("warden_reports_at", "repo", "at"),
)

approvals = _table(
    "approvals",
    _key("repo", int),
    _key("number", int),
    _key("head"),
    _key("base"),
    _key("check"),
    _key("suite"),
    _number("approver"),
    _text("login"),
    _real("at"),
    _real("expires_at"),
    _text("voided"),  # why; "" while it holds
)

waivers = _table(
    "waivers",
    _key("repo", int),
    _key("number", int),
    _key("rule"),
    _text("until"),
    _text("reason"),
    _number("by"),
    _text("login"),
    _number("comment"),
    _real("at"),
    _text("head"),
)

signatures = _table(
    "signatures",
    _key("repo", int),
    _key("account", int),
    _key("document"),
    _text("login"),
    _number("comment"),
    _text("repository"),
    _text("at"),
)

conflicts = _table("conflicts", _key("repo", int), _key("number", int), _key("account", int))

spends = _table(
    "spends",
    _key("repo", int),
    _key("number", int),
    _key("head"),
    _key("base"),
    _key("attempt"),
    _number("author"),
    _real("minutes"),
    _real("at"),
    Index("warden_spends_repo", "repo", "at"),
    Index("warden_spends_author", "author", "at"),
)

points = _table(
    "points",
    _key("repo", int),
    _key("commit"),
    _key("name"),
    _real("at"),
    _real("value"),
    _real("low", empty=True),
    _real("high", empty=True),
    Index("warden_points_at", "repo", "at"),
)

events = _table(
    "events",
    _key("id"),  # of its content, so that writing it again changes nothing
    _real("at"),
    _number("repo"),
    _number("number"),
    _text("actor"),
    _text("what"),
    _text("detail"),
    Index("warden_events_at", "repo", "at"),
)

workers = _table("workers", _key("worker"), _text("about"), _real("at"))

leases = _table("leases", _key("name"), _text("holder"), _real("until"))
