"""The context of a question: description, examples with their answers, the question."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from random import Random
from typing import Any

from lab.harness.data import Document
from lab.harness.fields import FieldError, Fields
from lab.harness.recipe import Recipe, Shots, Style

SEED = 1234  # lm-evaluation-harness's own


class Sampler:
    """Draws the examples of each question, in the order of the questions.

    The draws are lm-evaluation-harness's: one generator for the whole task; one more than needed
    where the question may be among them, which is then left out.
    """

    def __init__(self, shots: Shots, documents: Sequence[Document]) -> None:
        self._shots = shots
        self._documents = list(documents)
        self._random = Random(SEED)  # noqa: S311 - to draw what others drew

    def draw(self, question: Document) -> list[Document]:
        """Return the examples of the next question. Raises FieldError where there are too few."""
        number = self._shots.number
        if not number:
            return []
        try:
            found = self._drawn(question if self._shots.apart else None, number)
        except ValueError:
            found = []
        if len(found) < number:
            raise FieldError(f"fewer than {number} examples to choose from")
        return found

    def _drawn(self, apart: Document | None, number: int) -> list[Document]:
        if self._shots.first:
            return list(islice((d for d in self._documents if d != apart), number))
        if not apart:
            return self._random.sample(self._documents, number)
        drawn = self._random.sample(self._documents, number + 1)
        found = [one for one in drawn if one != apart][:number]
        if len(found) < number:  # it is there twice
            rest = [one for one in self._documents if one != apart]
            found = self._random.sample(rest, number)
        return found


class Prompt:
    """Writes contexts as lm-evaluation-harness does without a chat template."""

    def __init__(self, recipe: Recipe, fields: Fields, sampler: Sampler) -> None:
        self._recipe = recipe
        self._fields = fields
        self._sampler = sampler
        self._written: dict[int, str] = {}  # examples stand before many questions

    def context(self, document: Document) -> str:
        """Return the context of a question. Raises FieldError."""
        style = self._recipe.style
        parts = [self._fields.resolved(self._recipe.description, document)]
        for shot in self._sampler.draw(document):
            if id(shot) not in self._written:
                self._written[id(shot)] = self._example(shot)
            parts.append(self._written[id(shot)])
        question = _string(self._fields.text(style.text, document), "text")
        prefix = "" if style.prefix is None else self._fields.text(style.prefix, document)
        parts.append(_turn(question, None, _string(prefix or "", "gen_prefix"), style))
        return "".join(parts)

    def _example(self, shot: Document) -> str:
        style = self._recipe.shots.style
        question = _string(self._fields.text(style.text, shot), "text")
        choices = self._fields.choices(style.choices, shot) if style.choices else []
        answer: Any = self._fields.target(style.target, shot)
        try:
            if choices and isinstance(answer, int):
                answer = choices[answer]
            elif isinstance(answer, list):
                answer = answer[0]
        except IndexError as error:
            raise FieldError("the answer of an example is none of its choices") from error
        prefix = self._fields.resolved(style.prefix, shot)
        return _turn(question, None if answer is None else answer, prefix, style)


def _turn(question: str, answer: Any, prefix: str, style: Style) -> str:
    """Join a question with its answer, or with the beginning of one."""
    if answer is not None and answer != "":
        text = _joined(prefix, _string(answer, "answer"))
        return f"{question}{style.delimiter}{text}{style.after}"
    apart = prefix and question and not (question[-1].isspace() or prefix[0].isspace())
    return f"{question}{style.delimiter if apart else ''}{prefix}"


def _joined(prefix: str, text: str) -> str:
    if not prefix or not text:
        return prefix + text
    space = "" if prefix[-1].isspace() or text[0].isspace() else " "
    return f"{prefix}{space}{text}"


def _string(value: Any, what: str) -> str:
    if isinstance(value, int) and what == "text":
        raise FieldError(
            "doc_to_text is an index: a task with one context for each choice is not read; "
            "write it as loglikelihood, or as choices after the common text"
        )
    if not isinstance(value, str):
        raise FieldError(f"the {what} is {type(value).__name__}, not a string")
    return value
