"""The items of one task: each document asked as its file says."""

from __future__ import annotations

from typing import Any

from lab.errors import SuiteError
from lab.harness.code import Code
from lab.harness.config import Config
from lab.harness.data import Data, Document
from lab.harness.fields import FieldError, Fields
from lab.harness.files import Files
from lab.harness.prompt import Prompt, Sampler
from lab.harness.recipe import Recipe, recipe
from lab.harness.syntax import Function
from lab.items.suite import ITEM_LIMIT, NAME_LIMIT, TEXT_LIMIT
from lab.protocol import Item, Kind, Task

SIZE_LIMIT = 250_000_000  # characters of all items


def tasks(
    config: Config, files: Files, code: Code, limit: int | None, fields: tuple[str, ...]
) -> tuple[Task, ...]:
    """Read one task; as many as it has ways from a text to an answer. Raises SuiteError."""
    made = recipe(config, code)
    for path in config.sources:
        files.read(path)  # for the digest
    data = Data(config, files)
    documents = _processed(data.split(made.split), made.process, code)
    if not documents or len(documents) > ITEM_LIMIT:
        reason = f"{len(documents):,} documents, not 1 to {ITEM_LIMIT:,}"
        raise config.error("test_split", reason, "use a smaller split")
    reader = Fields(tuple(documents[0]), code, choices=bool(made.style.choices))
    prompt = Prompt(made, reader, Sampler(made.shots, _examples(made, data, code)))
    writer = _Writer(made, reader, prompt, config)
    named = tuple(dict.fromkeys((*made.slices, *fields)))
    items = writer.items(documents, limit, named)
    return tuple(
        Task(
            f"{made.name},{way}" if len(made.generations) > 1 else made.name,
            items,
            made.kind,
            delimiter=made.style.delimiter if made.kind is Kind.CHOICES else "",
            generation=generation,
            metrics=made.metrics,
            digest=files.digest(),
        )
        for way, generation in made.generations
    )


def _examples(made: Recipe, data: Data, code: Code) -> list[Document]:
    shots = made.shots
    if not shots.number:
        return []
    if isinstance(shots.samples, Function):
        found = code.function(shots.samples)()
    else:
        found = shots.samples
    if found is None:
        return _processed(data.split(shots.split), shots.process, code)
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise SuiteError("samples of fewshot_config are not a list of documents", "correct them")
    return found


def _processed(documents: list[Document], process: Function | None, code: Code) -> list[Document]:
    if process is None:
        return documents
    found: list[Document] = code.documents(process, documents)
    return found


class _Writer:
    def __init__(self, made: Recipe, fields: Fields, prompt: Prompt, config: Config) -> None:
        self._recipe = made
        self._fields = fields
        self._prompt = prompt
        self._config = config
        self._several: bool | None = None  # whether the first target is a list

    def items(
        self, documents: list[Document], limit: int | None, named: tuple[str, ...]
    ) -> tuple[Item, ...]:
        identities, size, found = _identities(documents), 0, []
        for number, document in enumerate(documents[:limit]):
            try:
                context, choices, answer = self._asked(document)
                cluster = _label(document, self._recipe.cluster) if self._recipe.cluster else ""
                labels = ((name, _label(document, name)) for name in named)
                fields = tuple((name, label) for name, label in labels if label)
                item = Item(identities[number], context, choices, answer, cluster, fields)
                size += _checked(item)
            except FieldError as error:
                raise self._error(number, str(error)) from error
            if size > SIZE_LIMIT:
                raise self._error(number, f"the items exceed {SIZE_LIMIT:,} characters")
            found.append(item)
        return tuple(found)

    def _asked(self, document: Document) -> tuple[str, tuple[str, ...], int]:
        made, style = self._recipe, self._recipe.style
        if made.kind is Kind.TEXT:
            return "", (_text(self._fields.target(style.target, document)),), 0
        context = self._prompt.context(document)
        target = self._fields.target(style.target, document)
        if made.kind is Kind.CHOICES:
            choices = self._fields.choices(style.choices, document)
            shown = tuple(style.delimiter + choice for choice in choices)
            return context, shown, _answer(target, choices)
        if made.kind is Kind.TARGET:
            return context, (_text(target),), 0
        return context, self._references(target, document), 0

    def _references(self, target: Any, document: Document) -> tuple[str, ...]:
        if self._several is None:
            self._several = isinstance(target, list)
        if self._recipe.style.choices:
            choices = self._fields.choices(self._recipe.style.choices, document)
            return (choices[_answer(target, choices)],)
        if isinstance(target, list) != self._several:
            raise FieldError("some targets are lists and some are not")
        if isinstance(target, list):
            return tuple(dict.fromkeys(map(_text, target)))
        return (str(target),)

    def _error(self, number: int, reason: str) -> SuiteError:
        hint = "correct the document, or how the task reads it"
        message = f"document {number} of {self._recipe.split!r:.80}: {reason}"
        return SuiteError(message, hint, file=self._config.file)


def _answer(target: Any, choices: list[str]) -> int:
    """Return the index of the right choice."""
    if isinstance(target, list):
        if len(target) != 1:
            raise FieldError("several right answers are not read: name one")
        target = target[0]
    if isinstance(target, str) and target in choices:
        return choices.index(target)
    if isinstance(target, int) and 0 <= target < len(choices):
        return int(target)
    raise FieldError(f"the target {target!r:.80} is none of the {len(choices)} choices")


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise FieldError(f"the target is {type(value).__name__}, not a string")
    return value


def _checked(item: Item) -> int:
    """Return the size of an item. Raises FieldError where a text cannot be scored."""
    if not item.choices or not all(item.choices):
        raise FieldError("a choice, target or reference is empty")
    texts = (item.context, *item.choices)
    if max(map(len, texts)) > TEXT_LIMIT:
        raise FieldError(f"a text of more than {TEXT_LIMIT:,} characters")
    try:
        "".join(texts).encode()
    except UnicodeEncodeError as error:
        raise FieldError("half a surrogate pair: not Unicode text") from error
    return sum(map(len, texts))


def _identities(documents: list[Document]) -> list[str]:
    """Return the documents' own ids where they tell all apart, else their numbers."""
    given = [document.get("id") for document in documents]
    if all(isinstance(one, str | int) and not isinstance(one, bool) for one in given):
        names = [str(one) for one in given]
        if len(set(names)) == len(names) and all(0 < len(one) <= NAME_LIMIT for one in names):
            return names
    return [str(number) for number in range(len(documents))]


def _label(document: Document, name: str) -> str:
    """Return a field as a label, "" where it is empty."""
    if name not in document:
        raise FieldError(f"has no field {name!r:.80}, which slices or clusters name")
    value = document[name]
    if isinstance(value, bool):
        return str(value).lower()
    label = "" if value is None else str(value)
    if not isinstance(value, str | int | float | None) or len(label) > NAME_LIMIT:
        raise FieldError(f"{name!r:.80} is not a short value")
    return label
