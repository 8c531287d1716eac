from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.borrowed.duties import duties
from registry.borrowed.notice import END, START, Credit, generated, part, replaced
from registry.borrowed.values import Entry
from registry.documents import DocumentError

E = Entry("third_party/foo", "https://example.org/foo", "MIT", "sha256:" + "a" * 64, ("Bob Foo",),
          "v1", modified=True, text="third_party/foo/LICENSE")  # fmt: skip
LLAMA = Credit("meta-llama/Llama-3.1-8B", "finetunes", "llama3.1")


def test_what_is_owed_is_said() -> None:
    made = generated((E,), (LLAMA, Credit("a/b", "embeds", "CC0-1.0")))
    assert made == generated((E,), (Credit("a/b", "embeds", "CC0-1.0"), LLAMA, LLAMA))
    first, second = made.split("\n\n")
    assert first.splitlines() == [
        "third_party/foo: taken from https://example.org/foo, v1, and modified",
        "  Copyright Bob Foo",
        "  Licence: MIT, its text in third_party/foo/LICENSE",
    ]
    assert "Built with Llama" in second and "Llama 3.1 is licensed under" in second
    assert "a/b" not in made
    assert generated(()) == ""


@pytest.mark.parametrize(
    ("license", "said"),
    [
        ("llama3.1", "Built with Llama"),
        ("llama3.3", "Llama 3.3 is licensed under the Llama 3.3 Community License"),
        ("gemma", "Gemma is provided under and subject to the Gemma Terms of Use"),
        ("LicenseRef-qwen", "Built with Qwen"),
        ("MIT", ""),
        ("CC-BY-4.0", ""),
    ],
)
def test_words_that_licences_prescribe(license: str, said: str) -> None:
    found = duties(license, "finetunes").said
    assert any(text.startswith(said) for text in found) if said else found == ()


def test_unknown_licences_are_told_apart() -> None:
    assert duties("LicenseRef-Acme", "vendors").unknown == ("LicenseRef-Acme",)
    assert duties("MIT AND", "vendors").unknown == ("MIT AND",)


@pytest.mark.parametrize("before", ["", "Ours.\n", "Ours.", f"Ours.\n\n{START}\n\nold\n\n{END}\n"])
def test_what_people_wrote_stays(before: str) -> None:
    made = replaced(before, generated((E,)))
    assert part(made) == generated((E,))
    assert made.startswith("Ours.") or not before
    assert replaced(made, generated((E,))) == made
    assert START not in replaced(made, "")


@pytest.mark.parametrize(
    "text",
    [START, END, f"{END}\n{START}\n", f"{START}\n{START}\n{END}\n", f"{START}\n{END}\n{END}"],
)
def test_torn_marks(text: str) -> None:
    with pytest.raises(DocumentError) as caught:
        part(text)
    assert caught.value.line >= 1
    with pytest.raises(DocumentError):
        replaced(text, "x\n")


@given(st.text(), st.text())
def test_text_around_is_kept(before: str, after: str) -> None:
    text = f"{before}\n{START}\nold\n{END}\n{after}"
    assert replaced(text, "new\n") == f"{before}\n{START}\n\nnew\n\n{END}\n{after}"
