"""The commonest real questions, beside those of test_matrix.py: what a maintainer gets for each."""

from __future__ import annotations

import pytest

from registry.bom.values import Tie
from registry.licenses.terms.judging import judge
from registry.licenses.terms.reading import FOLDER, sheet
from registry.licenses.terms.values import Answer, What

# tie, what, IN, OUT, for money, answer
CODE: tuple[tuple[Tie, str, str, Answer], ...] = (
    ("links", "MIT", "Apache-2.0", "allowed"),
    ("links", "Apache-2.0", "BSD-3-Clause", "allowed"),
    ("links", "BSD-2-Clause", "GPL-2.0-only", "allowed"),
    ("links", "MPL-2.0", "MIT", "conditions"),
    ("links", "MIT", "MPL-2.0", "allowed"),
    ("links", "LGPL-3.0-or-later", "Apache-2.0", "conditions"),
    ("links", "Apache-2.0 OR BSD-3-Clause", "GPL-2.0-only", "allowed"),  # cryptography
    ("links", "MIT OR Apache-2.0", "GPL-2.0-only", "allowed"),
    ("links", "EPL-2.0 OR GPL-2.0-or-later", "MIT", "conditions"),  # asyncssh
    ("links", "GPL-3.0-only", "Apache-2.0 OR GPL-3.0-only", "forbidden"),
    ("links", "GPL-2.0-only WITH Classpath-exception-2.0", "MIT", "conditions"),
    ("vendors", "GPL-2.0-only WITH Classpath-exception-2.0", "MIT", "forbidden"),
    ("links", "Apache-2.0 AND CNRI-Python", "MIT", "allowed"),  # regex
    ("vendors", "CNRI-Python", "GPL-3.0-only", "forbidden"),  # FSF: incompatible, Virginia's law
    ("vendors", "Community-Spec-1.0", "Apache-2.0", "conditions"),
    # A library under the LGPL may need one under other terms, but cannot take its files in:
    # the whole of it is under the LGPL, which lets nothing be added (2.1 sections 2 and 10).
    ("links", "Apache-2.0", "LGPL-2.1-only", "allowed"),
    ("links", "Elastic-2.0", "LGPL-3.0-only", "conditions"),
    ("vendors", "Apache-2.0", "LGPL-2.1-only", "forbidden"),
    ("vendors", "Apache-2.0", "LGPL-2.1-or-later", "conditions"),
    ("vendors", "Apache-2.0", "LGPL-3.0-only", "conditions"),
    ("vendors", "BSD-4-Clause", "LGPL-2.1-only", "forbidden"),
    ("vendors", "BSD-4-Clause", "LGPL-3.0-only", "forbidden"),
)
WEIGHTS: tuple[tuple[Tie, str, str, bool, Answer], ...] = (
    ("finetunes", "Apache-2.0", "MIT", True, "conditions"),
    ("finetunes", "MIT", "Apache-2.0", True, "conditions"),
    ("finetunes", "Apache-2.0", "llama3.1", True, "conditions"),
    ("finetunes", "llama3.1", "llama3.1", True, "conditions"),
    # Nothing in Llama's text lets the whole be under other terms; Qwen's section 3(d) does.
    ("finetunes", "llama3.1", "Apache-2.0", True, "forbidden"),
    ("finetunes", "llama3.1", "Apache-2.0 AND llama3.1", True, "conditions"),
    ("finetunes", "llama3.1", "CC-BY-NC-4.0 AND llama3.1", False, "conditions"),
    ("finetunes", "llama3.1", "gemma", True, "forbidden"),
    ("finetunes", "llama3.1", "creativeml-openrail-m", True, "forbidden"),
    ("finetunes", "llama2", "llama3.1", True, "forbidden"),
    ("finetunes", "LicenseRef-qwen", "Apache-2.0", True, "conditions"),
    ("finetunes", "gemma", "gemma", True, "conditions"),
    ("finetunes", "gemma", "Apache-2.0", True, "forbidden"),
    ("finetunes", "openrail++", "openrail++", True, "conditions"),
    ("finetunes", "openrail++", "creativeml-openrail-m", True, "conditions"),
    ("finetunes", "openrail++", "MIT", True, "forbidden"),
    ("finetunes", "bigscience-bloom-rail-1.0", "bigscience-bloom-rail-1.0", True, "conditions"),
    ("merges", "llama3.1 AND Apache-2.0", "llama3.1", True, "conditions"),
    ("merges", "Apache-2.0 AND MIT", "Apache-2.0", True, "conditions"),
    ("merges", "Apache-2.0 AND gemma", "llama3.1", True, "forbidden"),
    ("quantises", "llama3.1", "llama3.1", True, "conditions"),
    ("quantises", "CC-BY-NC-4.0", "Apache-2.0", False, "forbidden"),
    ("vendors", "llama3.1", "llama3.1", True, "conditions"),
    ("vendors", "gemma", "Apache-2.0", True, "forbidden"),
    ("vendors", "LicenseRef-deepseek", "LicenseRef-deepseek", True, "conditions"),
    ("trains_on", "CC-BY-4.0", "Apache-2.0", True, "conditions"),
    ("trains_on", "CC-BY-SA-4.0", "Apache-2.0", True, "conditions"),
    ("trains_on", "CC-BY-SA-4.0", "CC-BY-SA-4.0", True, "conditions"),
    ("trains_on", "CC-BY-NC-4.0", "Apache-2.0", True, "forbidden"),
    ("trains_on", "CC-BY-NC-4.0", "Apache-2.0", False, "conditions"),
    ("trains_on", "CC0-1.0", "Apache-2.0", True, "allowed"),
    ("trains_on", "ODbL-1.0", "Apache-2.0", True, "conditions"),
    ("trains_on", "CDLA-Permissive-2.0", "Apache-2.0", True, "allowed"),
    ("trains_on", "CDLA-Sharing-1.0", "Apache-2.0", True, "allowed"),
    # Data under a licence of a model: what the model wrote. Llama 3.1 names training on outputs.
    ("trains_on", "llama3.1", "Apache-2.0", True, "conditions"),
    ("trains_on", "llama2", "Apache-2.0", True, "forbidden"),
    ("trains_on", "llama2", "llama2", True, "conditions"),
    ("distils_from", "llama3.1", "llama3.1", True, "conditions"),
    ("distils_from", "llama3.1", "Apache-2.0", True, "conditions"),
    ("distils_from", "gemma", "gemma", True, "conditions"),
    ("distils_from", "gemma", "Apache-2.0", True, "forbidden"),
    ("distils_from", "llama2", "Apache-2.0", False, "forbidden"),
    # "(excluding Llama 2 or derivative works thereof)"
    ("distils_from", "llama2", "llama2", True, "conditions"),
    ("distils_from", "llama2", "llama2 OR MIT", True, "forbidden"),
    ("distils_from", "llama2", "llama2 AND MIT", True, "conditions"),
    ("distils_from", "llama2", "llama3.1", True, "forbidden"),
    ("distils_from", "LicenseRef-tongyi-qianwen", "LicenseRef-tongyi-qianwen", True, "conditions"),
    ("distils_from", "LicenseRef-exaone-1.1-nc", "LicenseRef-exaone-1.1-nc", False, "forbidden"),
    ("evaluates_on", "CC-BY-NC-4.0", "Apache-2.0", True, "conditions"),
    ("evaluates_on", "LicenseRef-exaone-1.1-nc", "Apache-2.0", True, "forbidden"),
    ("evaluates_on", "LicenseRef-exaone-1.1-nc", "Apache-2.0", False, "conditions"),
)


@pytest.mark.parametrize(("tie", "inbound", "outbound", "answer"), CODE)
def test_code(tie: Tie, inbound: str, outbound: str, answer: Answer) -> None:
    assert judge(tie, inbound, outbound, commercial=True, what="code").answer == answer


@pytest.mark.parametrize(("tie", "inbound", "outbound", "money", "answer"), WEIGHTS)
def test_weights(tie: Tie, inbound: str, outbound: str, money: bool, answer: Answer) -> None:
    assert judge(tie, inbound, outbound, commercial=money).answer == answer


@pytest.mark.parametrize(
    ("inbound", "outbound", "what", "answer"),
    [
        # Data made of data is no model: what is asked of copies of it holds.
        ("ODbL-1.0", "Apache-2.0", "data", "forbidden"),
        ("ODbL-1.0", "ODbL-1.0", "data", "conditions"),
        ("CDLA-Sharing-1.0", "MIT", "data", "forbidden"),
        ("CDLA-Permissive-2.0", "MIT", "data", "conditions"),
        ("CC-BY-SA-4.0", "MIT", "data", "forbidden"),
        ("CC0-1.0", "MIT", "data", "allowed"),
        ("CDLA-Sharing-1.0", "MIT", "weights", "allowed"),
    ],
)
def test_data_made_of_data(inbound: str, outbound: str, what: What, answer: Answer) -> None:
    assert judge("trains_on", inbound, outbound, commercial=True, what=what).answer == answer


def test_what_is_spared_says_so() -> None:
    found = judge("distils_from", "llama2", "llama2", commercial=True)
    assert [r.tag for r in found.reasons] == ["output_training"]
    assert "derivative" in found.reasons[0].says
    lone = judge("distils_from", "llama2", "", commercial=True, distributes=False)
    assert lone.answer == "forbidden"


def test_a_ban_on_reverse_engineering_is_no_duty_to_let_users_do_it() -> None:
    for path in FOLDER.glob("*.yml"):
        for clause in sheet(path).clauses:
            if clause.tag == "reverse_engineering":
                assert "not decompile" not in clause.quote, path.name
