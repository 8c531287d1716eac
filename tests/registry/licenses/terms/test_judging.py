"""Verdicts on data, models and their use; what is hostile or unknown is never a pass."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.bom.values import Tie
from registry.licenses.terms.judging import MEMBERS, MOST, judge
from registry.licenses.terms.reading import known, terms
from registry.licenses.terms.values import Answer

TIES: tuple[Tie, ...] = (
    "links", "vendors", "trains_on", "finetunes", "distils_from", "merges", "quantises", "embeds",
    "evaluates_on",
)  # fmt: skip
ORDER = ("allowed", "conditions", "unknown", "forbidden")

# tie, inbound, outbound, commercial, answer, and a word of the sentence that says so
QUESTIONS: tuple[tuple[Tie, str, str, bool, Answer, str], ...] = (
    ("trains_on", "CC0-1.0", "Apache-2.0", True, "allowed", ""),
    ("trains_on", "MIT", "Apache-2.0", True, "allowed", ""),
    ("trains_on", "CC-BY-4.0", "Apache-2.0", True, "conditions", "creator(s)"),
    ("trains_on", "CC-BY-NC-4.0", "Apache-2.0", True, "forbidden", "NonCommercial"),
    ("trains_on", "CC-BY-NC-4.0", "Apache-2.0", False, "conditions", "NonCommercial"),
    ("trains_on", "CC-BY-NC-3.0", "Apache-2.0", True, "forbidden", "commercial advantage"),
    ("trains_on", "CC-BY-NC-SA-2.0", "MIT", True, "forbidden", "commercial advantage"),
    ("trains_on", "CC-BY-NC-ND-4.0", "MIT", True, "forbidden", "NonCommercial"),
    ("trains_on", "CC-BY-SA-4.0", "Apache-2.0", True, "conditions", "same License Elements"),
    ("trains_on", "CC-BY-SA-3.0", "Apache-2.0", True, "conditions", "an Adaptation"),
    ("trains_on", "CC-BY-ND-4.0", "Apache-2.0", True, "conditions", "Share Adapted Material"),
    ("trains_on", "ODbL-1.0", "Apache-2.0", True, "conditions", "Produced Work"),
    ("trains_on", "ODC-By-1.0", "Apache-2.0", True, "conditions", "Produced Work"),
    ("trains_on", "CDLA-Sharing-1.0", "MIT", True, "allowed", ""),
    ("trains_on", "CDLA-Permissive-2.0", "MIT", True, "allowed", ""),
    ("trains_on", "C-UDA-1.0", "MIT", True, "allowed", ""),
    ("trains_on", "GPL-3.0-only", "MIT", True, "conditions", "entire work"),
    ("trains_on", "cc-by-4.0", "apache-2.0", True, "conditions", "creator(s)"),
    ("trains_on", "cc", "apache-2.0", True, "unknown", ""),
    ("evaluates_on", "CC-BY-NC-4.0", "MIT", True, "conditions", "NonCommercial"),
    ("evaluates_on", "CC-BY-SA-4.0", "MIT", True, "allowed", ""),
    ("evaluates_on", "CC-BY-ND-4.0", "MIT", True, "allowed", ""),
    ("finetunes", "Apache-2.0", "MIT", True, "conditions", "copy of this License"),
    ("finetunes", "MIT", "Apache-2.0", True, "conditions", "permission notice"),
    ("finetunes", "CC-BY-NC-4.0", "Apache-2.0", False, "forbidden", "NonCommercial"),
    ("finetunes", "CC-BY-NC-4.0", "CC-BY-NC-4.0", False, "conditions", "NonCommercial"),
    ("finetunes", "CC-BY-NC-4.0", "CC-BY-NC-4.0", True, "forbidden", "NonCommercial"),
    ("finetunes", "CC-BY-NC-4.0", "CC-BY-NC-SA-4.0", False, "conditions", "NonCommercial"),
    ("finetunes", "CC-BY-SA-4.0", "Apache-2.0", True, "forbidden", "same License Elements"),
    ("finetunes", "CC-BY-SA-4.0", "CC-BY-SA-4.0", True, "conditions", "same License Elements"),
    ("finetunes", "CC-BY-SA-3.0", "CC-BY-SA-4.0", True, "conditions", "an Adaptation"),
    ("finetunes", "CC-BY-SA-4.0", "CC-BY-SA-3.0", True, "forbidden", "same License Elements"),
    ("finetunes", "CC-BY-SA-4.0", "GPL-3.0-only", True, "conditions", "same License Elements"),
    ("finetunes", "CC-BY-ND-4.0", "CC-BY-ND-4.0", True, "forbidden", "Share Adapted Material"),
    ("finetunes", "CC-BY-ND-2.0", "CC-BY-ND-2.0", True, "forbidden", "Derivative Works"),
    ("merges", "GPL-3.0-only", "Apache-2.0", True, "forbidden", "entire work"),
    ("quantises", "CC-BY-SA-4.0", "MIT", True, "forbidden", "same License Elements"),
    ("embeds", "CC-BY-SA-4.0", "MIT", True, "conditions", "creator(s)"),
    ("vendors", "CC-BY-SA-4.0", "MIT", True, "forbidden", "same License Elements"),
    ("vendors", "ODbL-1.0", "MIT", True, "forbidden", "Derivative Database"),
    ("vendors", "C-UDA-1.0", "MIT", True, "forbidden", "Computational Use"),
    ("vendors", "CDLA-Sharing-1.0", "CDLA-Sharing-1.0", True, "conditions", "Enhanced Data"),
    ("embeds", "OFL-1.1", "MIT", True, "conditions", "this license"),
    # Models: the outbound licence must carry the restrictions of a RAIL, and not lift Llama's.
    ("finetunes", "creativeml-openrail-m", "MIT", True, "forbidden", "Attachment A"),
    ("finetunes", "creativeml-openrail-m", "creativeml-openrail-m", True, "conditions", "You"),
    ("finetunes", "llama2", "MIT", True, "forbidden", "Acceptable Use Policy"),
    ("finetunes", "llama2", "llama2", True, "conditions", "700 million"),
    ("merges", "llama3.1 AND CC-BY-NC-4.0", "llama3.1", True, "forbidden", "NonCommercial"),
    ("trains_on", "CC-BY-NC-4.0 OR CC-BY-4.0", "MIT", True, "conditions", "creator(s)"),
    ("trains_on", "CC-BY-NC-4.0 AND CC-BY-4.0", "MIT", True, "forbidden", "NonCommercial"),
)  # fmt: skip


@pytest.mark.parametrize(("tie", "inbound", "outbound", "commercial", "answer", "said"), QUESTIONS)
def test_a_question(
    tie: Tie, inbound: str, outbound: str, commercial: bool, answer: Answer, said: str
) -> None:
    found = judge(tie, inbound, outbound, commercial=commercial)
    assert found.answer == answer
    if said:
        assert any(said in reason.quote for reason in found.reasons)
    else:
        assert answer == "unknown" or not found.reasons


def test_a_choice_names_what_was_chosen() -> None:
    found = judge("links", "GPL-3.0-only OR (MIT AND BSD-3-Clause)", "Apache-2.0", commercial=True)
    assert (found.answer, found.inbound) == ("allowed", "MIT AND BSD-3-Clause")


def test_what_is_not_published_has_no_duties_of_sharing() -> None:
    for inbound in ("GPL-3.0-only", "CC-BY-SA-4.0", "MIT", "creativeml-openrail-m"):
        private = judge("finetunes", inbound, "", commercial=True, distributes=False)
        assert private.answer in ("allowed", "conditions")
        assert not {r.tag for r in private.reasons} & {"share_alike", "pass_on_terms", "notice"}
    assert judge("finetunes", "AGPL-3.0-only", "", commercial=True, distributes=False).reasons
    for inbound in ("CC-BY-NC-4.0", "llama-does-not-exist"):
        shut = judge("finetunes", inbound, "", commercial=True, distributes=False)
        assert shut.answer in ("forbidden", "unknown")


def test_share_alike_is_settled_for_data_and_not_for_weights() -> None:
    data = judge("trains_on", "CC-BY-SA-4.0", "MIT", commercial=True, what="data")
    assert data.answer == "forbidden"
    weights = judge("trains_on", "CC-BY-SA-4.0", "MIT", commercial=True)
    assert any("not settled" in reason.says for reason in weights.reasons)


@pytest.mark.parametrize(
    "hostile",
    [
        "", " ", "MIT AND", "AND", "()", "MIT MIT", "MIT\x00", "МIT", "-", "\u202eMIT",
        "(" * 1_500 + "MIT" + ")" * 1_500, "MIT OR " * 400 + "MIT", "x" * 10_000,
        " OR ".join(sorted(("MIT", *known())))[:1_900], "WITH MIT", "MIT WITH MIT", "../../etc",
        "LicenseRef-" + "a" * 500, "index", "facts/mit", "mit.yml",
    ],
)  # fmt: skip
def test_what_is_no_licence_is_unknown(hostile: str) -> None:
    started = time.process_time()
    for inbound, outbound in ((hostile, "MIT"), ("GPL-3.0-only", hostile)):
        found = judge("vendors", inbound, outbound, commercial=True)
        if hostile.startswith("MIT OR MIT"):  # a long way to say MIT, or one too long to be read
            assert found.answer in ("conditions", "forbidden", "unknown")
        elif not hostile.startswith("LicenseRef-"):
            assert found.answer == "unknown"
        assert found.answer != "allowed" and found.reasons
    assert time.process_time() - started < 2


def test_many_licences_are_not_judged() -> None:
    many = " OR ".join(f"LicenseRef-{n}" for n in range(MOST + 1))
    assert judge("links", many, "MIT", commercial=True).answer == "unknown"


NAMES = st.sampled_from(sorted(known()))


@given(tie=st.sampled_from(TIES), inbound=NAMES, outbound=NAMES, money=st.booleans())
def test_every_answer_has_its_reason(tie: Tie, inbound: str, outbound: str, money: bool) -> None:
    found = judge(tie, inbound, outbound, commercial=money)
    assert found.answer == "allowed" or found.reasons
    if found.answer == "forbidden":
        assert found.reasons[0].quote
    for reason in found.reasons:
        assert reason.says
        assert bool(reason.quote) == bool(reason.tag)


@given(tie=st.sampled_from(TIES), one=NAMES, other=NAMES, outbound=NAMES)
def test_or_is_the_milder_and_the_stricter(tie: Tie, one: str, other: str, outbound: str) -> None:
    def answer(inbound: str) -> int:
        return ORDER.index(judge(tie, inbound, outbound, commercial=True).answer)

    assert answer(f"{one} OR {other}") <= max(answer(one), answer(other))
    assert answer(f"{one} AND {other}") >= min(answer(one), answer(other))


@given(tie=st.sampled_from(TIES), inbound=NAMES, outbound=NAMES)
def test_money_never_makes_it_milder(tie: Tie, inbound: str, outbound: str) -> None:
    free = judge(tie, inbound, outbound, commercial=False)
    paid = judge(tie, inbound, outbound, commercial=True)
    assert ORDER.index(paid.answer) >= ORDER.index(free.answer)


def test_members_of_families_have_facts() -> None:
    assert not [m for members in MEMBERS.values() for m in members if terms(m) is None]


def test_only_a_later_version_takes_it_in() -> None:
    for inbound in ("GPL-3.0-only", "Apache-2.0"):
        found = judge("links", inbound, "GPL-2.0-or-later", commercial=True, what="code")
        assert found.answer == "conditions"
        assert any("a later version than GPL-2.0-only" in reason.says for reason in found.reasons)
