import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.checks.community import forms, modelcards
from bot.problems import Problems

FORM = """\
name: Bug
description: Something is wrong
labels: [bug]
body:
  - type: markdown
    attributes:
      value: Thank you
  - type: textarea
    id: what
    attributes:
      label: What happens?
    validations:
      required: true
  - type: dropdown
    id: where
    attributes:
      label: Where?
      options: [here, there]
  - type: checkboxes
    attributes:
      label: Agree
      options:
        - label: I agree
          required: true
"""


def told(problems: Problems) -> list[tuple[int, str]]:
    return [(p.line, p.message) for p in problems.each]


def test_a_good_form() -> None:
    assert told(forms.form(FORM.encode(), "b")) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("name: Bug\n", "", 0, "no `name`"),
        ("description: S", "descriptoin: S", 2, "descriptoin is no key"),
        ("name: Bug", "name: ''", 1, "no `name`"),
        ("type: textarea", "type: text", 8, "field 2: text is no type"),
        ("      value: Thank you", "      label: x", 5, "field 1: a markdown needs"),
        ("      label: What happens?", "      value: x", 8, "field 2: a textarea needs"),
        ("required: true\n  - type: dr", "required: please\n  - type: dr", 8, "`validations`"),
        ("id: where", "id: what", 14, "the id what is used twice"),
        ("id: where", "id: wh ere", 14, "the id must be"),
        ("[here, there]", "[]", 14, "needs a list of `options`"),
        ("[here, there]", "[here, here]", 14, "must differ"),
        ("[here, there]", "[{a: b}]", 14, "plain texts"),
        ("        - label: I agree", "        - name: I agree", 19, "needs a `label`"),
        ("    id: what\n", "    idd: what\n", 8, "idd is no key"),
    ],
)
def test_a_broken_form(old: str, new: str, line: int, message: str) -> None:
    assert old in FORM
    problems = told(forms.form(FORM.replace(old, new, 1).encode(), "b"))
    assert any(message in text and at in (line, 1) for at, text in problems), problems


@pytest.mark.parametrize(
    "text",
    ["", "[]", "name: a\ndescription: b\n", "name: a\ndescription: b\nbody: []\n", "a: [",
     "a: 1\na: 2", "name: a\ndescription: b\nbody: [1]\n",
     "name: a\ndescription: b\nbody: [{type: markdown, attributes: {value: x}}]\n"],
)  # fmt: skip
def test_no_form_at_all(text: str) -> None:
    assert told(forms.form(text.encode(), "b"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("# github: ada\n", []),
        ("github: ada\n", []),
        ("github: [ada, bo]\ncustom: https://example.org\nko_fi:\n", []),
        ("tidelift: pypi/tiny\n", []),
        ("github: [a, b, c, d, e]\n", [(1, "github takes at most 4 names")]),
        ("x: 1\npatreon: [a]\n", [(1, "x is no platform GitHub knows"), (2, "patreon takes one")]),
        ("ko_fi: {a: b}\n", [(1, "ko_fi must be one name")]),
        ("custom: [{a: b}]\n", [(1, "custom must hold plain names")]),
        ("tidelift: tiny\n", [(1, "tidelift is written platform/package")]),
        ("- github\n", [(1, "the file is not a mapping")]),
    ],
)
def test_funding(text: str, expected: list[tuple[int, str]]) -> None:
    assert told(forms.funding(text.encode(), "b")) == expected


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("blank_issues_enabled: false\n", []),
        ("contact_links:\n  - {name: a, url: https://example.org, about: c}\n", []),
        ("contact_links:\n  - {name: a, url: https://example.org}\n", [2]),
        ("contact_links: x\n", [1]),
        ("blank_issues_enabled: maybe\n", [1]),
        ("blank_issue: true\n", [1]),
    ],
)
def test_config(text: str, lines: list[int]) -> None:
    assert [line for line, _ in told(forms.config(text.encode(), "b"))] == lines


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("---\nname: a\nabout: b\n---\nbody", 0),
        ("---\r\nname: a\r\nabout: b\r\n---\r\n", 0),
        ("---\nname: a\n---\nbody", 1),
        ("body", 2),
        ("---\nname: a\n", 1),
        ("---\na: [\n---\n", 1),
    ],
)
def test_template(text: str, count: int) -> None:
    assert len(told(forms.template(text.encode(), "b"))) == count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# Tiny\n", []),
        ("---\nlicense: mit\ntags: [a, b]\n---\n", []),
        ("---\n---\n", []),
        ("---\nlicense: mit\ntags: [1]\n---\n", [(3, "`tags` must be text or a list of texts")]),
        ("---\nlibrary_name: [x]\n---\n", [(2, "`library_name` must be text")]),
        ("---\n- a\n---\n", [(1, "the front matter is no mapping")]),
        ("---\nlicense: mit\n",
         [(1, "cannot be read: the front matter that starts with --- has no end")]),
    ],
)  # fmt: skip
def test_model_card(text: str, expected: list[tuple[int, str]]) -> None:
    assert told(modelcards.read(text.encode(), "b")) == expected


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a/model.safetensors", True),
        ("a/Model.GGUF", True),
        ("model.safetensors.dvc", True),
        ("models.dvc", True),
        ("data.dvc", False),
        ("a.py", False),
    ],
)
def test_is_model(path: str, expected: bool) -> None:
    assert modelcards.is_model(path) is expected


@given(st.binary(max_size=200))
def test_any_bytes_are_judged(data: bytes) -> None:
    for read in (forms.form, forms.funding, forms.config, forms.template, modelcards.read):
        for problem in read(data, "b").each:
            assert problem.message.isprintable()
