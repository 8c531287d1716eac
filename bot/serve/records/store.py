"""The one way to the database: an engine, transactions, and its errors in our words."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, Connection, Engine
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, SQLAlchemyError

from bot.serve.errors import StoreError, StoreSetup
from bot.serve.records import tables

ADDRESS = "write it as sqlite:///FILE or postgresql://USER:PASSWORD@HOST/NAME"
BUSY = 30  # seconds a writer of SQLite waits for another
POOL = 10  # connections of one process

# What makes a database of version N one of version N+1: a function of its connection.
MIGRATIONS: dict[int, Callable[[Connection], None]] = {}


def address(text: str) -> URL:
    """Return the address with the driver we use. Raises StoreSetup, never showing a password."""
    try:
        url = sa.make_url(text)
    except (ArgumentError, ValueError) as error:
        raise StoreSetup("the address of the database cannot be read", ADDRESS) from error
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database and url.database != ":memory:":
        return url.set(drivername="sqlite")
    if kind in ("postgresql", "postgres") and url.database:
        return url.set(drivername="postgresql+psycopg")
    raise StoreSetup(
        f"a database of the kind {kind!r} without a name, or one we do not know", ADDRESS
    )


class Store:
    """Transactions over one database, which it creates and brings up to date."""

    def __init__(self, url: str) -> None:
        self._url = address(url)
        self._engine = _engine(self._url)
        with self.write() as c:
            _migrate(c)

    def __repr__(self) -> str:
        return f"Records({self._url.render_as_string(hide_password=True)!r})"

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction that is durable when it returns. Raises StoreError."""
        with _in_our_words(self._url), self._engine.connect() as c:
            c = c.execution_options(warden_write=True)
            with c.begin():
                yield c

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """One transaction that only reads. Raises StoreError."""
        with _in_our_words(self._url), self._engine.connect() as c, c.begin():
            yield c

    def put(self, c: Connection, table: sa.Table, row: Mapping[str, Any]) -> None:
        """Write a row, or write it anew where its key is there."""
        insert = self.insert(table).values(**row)
        keys = [column.name for column in table.primary_key]
        fresh = {name: insert.excluded[name] for name in row if name not in keys}
        c.execute(
            insert.on_conflict_do_update(index_elements=keys, set_=fresh)
            if fresh
            else insert.on_conflict_do_nothing()
        )

    def add(self, c: Connection, table: sa.Table, row: Mapping[str, Any]) -> bool:
        """Write a row unless its key is there. Returns whether it was written."""
        insert = self.insert(table).values(**row).on_conflict_do_nothing()
        return c.execute(insert.returning(sa.literal(1))).first() is not None

    def insert(self, table: sa.Table) -> sqlite.Insert | postgresql.Insert:
        """Return an INSERT that may say what happens where the key is there."""
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(table)
        return sqlite.insert(table)

    def rows(self, query: sa.Select[Any]) -> Sequence[sa.Row[Any]]:
        """Return all rows of a query."""
        with self.read() as c:
            return c.execute(query).all()

    def ping(self) -> None:
        """Ask the database for a sign of life. Raises StoreError."""
        self.rows(sa.select(tables.schema.c.version))

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


def locking(url: str) -> Engine:
    """Return an engine to a SQLite file in which each transaction is alone from its begin on.

    For readers that act on what they count, whatever other processes do. Raises StoreSetup.
    """
    return _engine(address(url)).execution_options(warden_write=True)


def _engine(url: URL) -> Engine:
    options: dict[str, Any] = {"hide_parameters": True, "pool_size": POOL, "max_overflow": 0}
    if url.get_backend_name() == "sqlite":
        folder = Path(url.database or "").absolute().parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreSetup(
                f"{folder}: {error.strerror}", "give the database a folder that may be written to"
            ) from error
        options["connect_args"] = {"timeout": BUSY, "check_same_thread": False}
    else:
        options |= {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10}}
    try:
        engine = sa.create_engine(url, poolclass=sa.QueuePool, **options)
    except (ArgumentError, NoSuchModuleError, ImportError) as error:
        raise StoreSetup(
            "the driver of the database is not there", "pip install 'modelwarden[app]'"
        ) from error
    if url.get_backend_name() == "sqlite":
        event.listen(engine, "connect", _tune)
        event.listen(engine, "begin", _begin)
    return engine


def _tune(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves, with its kind
    connection.execute(f"PRAGMA busy_timeout = {BUSY * 1000}")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # on the disk before a commit returns


def _begin(c: Connection) -> None:
    # IMMEDIATE takes the write lock at once: a reader that becomes a writer may be refused.
    write = c.get_execution_options().get("warden_write")
    c.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _migrate(c: Connection) -> None:
    if c.dialect.name == "postgresql":  # one process at a time; ends with the transaction
        c.execute(sa.text("SELECT pg_advisory_xact_lock(7735294012)"))
    known = sa.inspect(c).has_table(tables.schema.name)
    found = c.execute(sa.select(tables.schema.c.version)).scalar() if known else None
    if found is None:
        tables.metadata.create_all(c)
        c.execute(tables.schema.insert().values(id=1, version=tables.VERSION))
        return
    if found > tables.VERSION:
        raise StoreSetup(
            f"the database has schema {found}, this version knows up to {tables.VERSION}",
            "upgrade modelwarden here too, or restore the backup made before the upgrade",
        )
    for version in range(found, tables.VERSION):
        MIGRATIONS[version](c)
        c.execute(tables.schema.update().values(version=version + 1))


@contextmanager
def _in_our_words(url: URL) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        raise StoreError(*_reason(error, url)) from None  # its text may hold parameters
    except SQLAlchemyError as error:
        message = f"the database gave no connection ({type(error).__name__})"
        raise StoreError(message, "look at the load and the limits of the database") from None


def _reason(error: DBAPIError, url: URL) -> tuple[str, str]:
    """Return what is wrong and what to do, from what the driver says."""
    said = str(error.orig).lower()
    state = getattr(error.orig, "sqlstate", None) or ""
    place = url.render_as_string(hide_password=True)
    if "full" in said or state == "53100":
        return f"{place}: the disk is full", "free space; what was acknowledged is kept"
    if "i/o error" in said:
        return f"{place}: the disk fails", "look at the disk and its quota"
    if "readonly" in said or "read-only" in said or state == "25006":
        return f"{place}: is read-only", "make the file, its folder or the server writable"
    if "locked" in said or "busy" in said:
        return f"{place}: another process held it too long", "look for a stuck process"
    if "malformed" in said or "not a database" in said:
        return f"{place}: is damaged", "restore it from a backup"
    if "unable to open" in said:
        return f"{place}: cannot be opened", "look at the path and the rights of its folder"
    if state.startswith("28"):
        return f"{place}: refuses this user or password", "look at the database's address"
    if error.connection_invalidated or not state or state[:2] in ("08", "57"):
        return f"{place}: does not answer", "start the database, or look at its address"
    return f"{place}: error {state}", "look at the log of the database"
