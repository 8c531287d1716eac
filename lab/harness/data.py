"""The documents of a task: local files by split, with the values that `datasets` would give."""

from __future__ import annotations

import importlib
import io
from collections.abc import Iterable
from typing import Any

from lab.errors import SuiteError
from lab.harness.config import Config
from lab.harness.files import Files, inside
from lab.harness.table import rows
from lab.items.suite import ITEM_LIMIT, SIZE_LIMIT
from security import strictjson

LINE_LIMIT = 10_000_000
DEPTH = 16
LOADERS = ("json", "csv", "parquet")
Document = dict[str, Any]

_OPTIONS = frozenset({"data_files", "data_dir", "field", "trust_remote_code"})
_CSV = frozenset({"sep", "delimiter"})
_HINT = "correct the data file"


class Data:
    """The splits of one task's data set, each read once and only when asked for."""

    def __init__(self, config: Config, files: Files) -> None:
        self._config = config
        self._files = files
        self._splits: dict[str, list[Document]] = {}

    def split(self, name: str) -> list[Document]:
        """Return a split's documents. Raises SuiteError."""
        if name not in self._splits:
            paths = self._paths(name)
            found = [document for path in paths for document in self._documents(path)]
            if not found:
                raise SuiteError("no documents", "add some", file=paths[0])
            if len(found) > ITEM_LIMIT:
                raise SuiteError(f"more than {ITEM_LIMIT:,} documents", _HINT, file=paths[0])
            self._splits[name] = _aligned(found)
        return self._splits[name]

    def _paths(self, split: str) -> list[str]:
        loader = self._config.string("dataset_path")
        if loader is None:
            raise self._config.error("dataset_path", "is missing", "name the data set")
        if loader not in LOADERS:
            return [self._offline(loader, split)]
        check_options(self._config)
        options = self._config.mapping("dataset_kwargs")
        named = options.get("data_files")
        if not isinstance(named, dict):
            named = {"train": named}
        if split not in named:
            known = ", ".join(map(str, named))
            raise self._config.error(
                "dataset_kwargs", f"no split {split!r:.80} in {known:.200}", "name its data files"
            )
        names = named[split] if isinstance(named[split], list) else [named[split]]
        return [self._place(str(options.get("data_dir") or ""), name) for name in names]

    def _place(self, folder: str, name: object) -> str:
        """Find a data file beside the task file, or else from the root."""
        if isinstance(name, str) and "*" not in name and "://" not in name:
            for base in (self._config.folder, ""):
                home = inside(base, folder) if folder else base
                path = None if home is None else inside(home, name)
                if path is not None and self._files.find(path) is not None:
                    return path
        raise self._config.error(
            "dataset_kwargs",
            f"data file {name!r:.120} is not beside the task file nor at the root",
            "put it there: nothing is downloaded, and paths do not leave the root",
        )

    def _offline(self, path: str, split: str) -> str:
        """Find the copy of a split that stands in for a data set of the hub."""
        name = "/".join((*filter(None, (path, self._config.string("dataset_name"))), split))
        for base in (self._config.folder, ""):
            target = inside(base, f"{name}.jsonl")
            if target is not None and self._files.find(target) is not None:
                return target
        raise self._config.error(
            "dataset_path",
            f"{path!r:.120} is a data set of the hub, and nothing is downloaded",
            f"keep the split as {name:.200}.jsonl beside the task file",
        )

    def _documents(self, path: str) -> Iterable[Document]:
        data = self._files.read(path)
        if len(data) > SIZE_LIMIT:
            raise SuiteError(f"more than {SIZE_LIMIT:,} bytes", "use a smaller file", file=path)
        options = self._config.mapping("dataset_kwargs")
        loader = self._config.string("dataset_path")
        if loader == "csv":
            return rows(data, str(options.get("delimiter") or options.get("sep") or ","), path)
        if loader == "parquet":
            return _parquet(data, path)
        return _json(data, options.get("field") if loader == "json" else None, path)


def check_options(config: Config) -> None:
    """Refuse what `dataset_kwargs` may say to `datasets` that is not read here."""
    loader = config.string("dataset_path")
    known = _OPTIONS | _CSV if loader == "csv" else _OPTIONS
    options = config.mapping("dataset_kwargs")
    if unknown := sorted(options.keys() - known):
        hint = "convert the file so that it is not needed"
        raise config.error("dataset_kwargs", f"{unknown[0]!r:.80} is not supported", hint)
    if not options.get("data_files"):
        raise config.error("dataset_kwargs", "no data_files", "name the data files of each split")


def _json(data: bytes, field: object, path: str) -> Iterable[Document]:
    data = data.removeprefix(b"\xef\xbb\xbf")
    if field is not None or data.lstrip()[:1] == b"[":
        values = _loaded(data, path, 0)
        if field is not None:
            values = values.get(field) if isinstance(values, dict) else None
        numbered = [(0, value) for value in values] if isinstance(values, list) else [(0, None)]
    else:
        lines = enumerate(data.split(b"\n"), 1)
        numbered = [(n, _loaded(line, path, n)) for n, line in lines if line.strip()]
    for number, value in numbered:
        if not isinstance(value, dict):
            raise SuiteError("not a JSON object", _HINT, file=path, line=number)
        yield value


def _loaded(data: bytes, path: str, line: int) -> Any:
    try:
        return strictjson.loads(data, limit=LINE_LIMIT if line else SIZE_LIMIT, depth=DEPTH)
    except strictjson.StrictJSONError as error:
        reason = str(error)
        raise SuiteError(reason, _HINT, file=path, line=line) from error


def _parquet(data: bytes, path: str) -> list[Document]:
    try:
        arrow = importlib.import_module("pyarrow")
        parquet = importlib.import_module("pyarrow.parquet")
    except ModuleNotFoundError as error:
        hint = "install pyarrow, or convert the file to JSONL"
        raise SuiteError("parquet needs pyarrow", hint, file=path) from error
    try:
        file = parquet.ParquetFile(io.BytesIO(data))
        groups = range(file.metadata.num_row_groups)
        size = sum(file.metadata.row_group(group).total_byte_size for group in groups)
        if file.metadata.num_rows > ITEM_LIMIT or size > SIZE_LIMIT:
            raise SuiteError("too large once unpacked", "use a smaller file", file=path)
        documents: list[Document] = file.read().to_pylist()
    except (arrow.ArrowException, OSError, ValueError) as error:
        raise SuiteError("not a readable parquet file", _HINT, file=path) from error
    return documents


def _aligned(documents: list[Document]) -> list[Document]:
    """Give every document all columns, and a column of numbers one type, as a table has."""
    columns = tuple(dict.fromkeys(key for document in documents for key in document))
    mixed = set()
    for column in columns:
        kinds = {type(document.get(column)) for document in documents} - {type(None)}
        if kinds == {int, float}:
            mixed.add(column)
    return [
        {key: _value(document.get(key), real=key in mixed) for key in columns}
        for document in documents
    ]


def _value(value: Any, *, real: bool) -> Any:
    return float(value) if real and value is not None else value
