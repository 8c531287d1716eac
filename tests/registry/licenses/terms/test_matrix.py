"""Well-known pairs of software licences: may code under OUT link, or take in, code under IN."""

from __future__ import annotations

from typing import Literal

import pytest

from registry.bom.values import Tie
from registry.licenses.terms.judging import judge

Short = Literal["a", "c", "f", "u"]
ANSWERS = {"a": "allowed", "c": "conditions", "f": "forbidden", "u": "unknown"}

# IN, OUT, links, vendors
PAIRS: tuple[tuple[str, str, Short, Short], ...] = (
    # Permissive into anything: the notice stays with what is copied (FSF: "compatible").
    ("MIT", "MIT", "a", "c"),
    ("MIT", "Apache-2.0", "a", "c"),
    ("MIT", "GPL-2.0-only", "a", "c"),
    ("MIT", "GPL-3.0-only", "a", "c"),
    ("MIT", "AGPL-3.0-only", "a", "c"),
    ("MIT", "LGPL-2.1-only", "a", "c"),
    ("MIT", "MPL-2.0", "a", "c"),
    ("MIT", "EPL-2.0", "a", "c"),
    ("ISC", "GPL-2.0-only", "a", "c"),
    ("BSD-2-Clause", "GPL-2.0-only", "a", "c"),
    ("BSD-3-Clause", "MIT", "a", "c"),
    ("BSD-3-Clause", "GPL-3.0-or-later", "a", "c"),
    ("Zlib", "GPL-2.0-only", "a", "c"),
    ("BSL-1.0", "GPL-2.0-only", "a", "c"),
    ("PSF-2.0", "GPL-2.0-only", "a", "c"),
    ("PostgreSQL", "MIT", "a", "c"),
    ("NCSA", "GPL-2.0-only", "a", "c"),
    ("HPND", "Apache-2.0", "a", "c"),
    ("UPL-1.0", "GPL-2.0-only", "a", "c"),
    ("BlueOak-1.0.0", "MIT", "a", "c"),
    ("ZPL-2.1", "GPL-2.0-only", "a", "c"),
    # Nothing is asked at all.
    ("0BSD", "GPL-2.0-only", "a", "a"),
    ("MIT-0", "MIT", "a", "a"),
    ("Unlicense", "Apache-2.0", "a", "a"),
    ("CC0-1.0", "GPL-2.0-only", "a", "a"),
    ("WTFPL", "MIT", "a", "a"),
    # The advertising clause is a further restriction (FSF: original BSD, PHP, OpenSSL, Apache 1.1).
    ("BSD-4-Clause", "MIT", "a", "c"),
    ("BSD-4-Clause", "GPL-2.0-only", "f", "f"),
    ("BSD-4-Clause", "GPL-3.0-only", "f", "f"),
    ("OpenSSL", "GPL-2.0-only", "f", "f"),
    ("Apache-1.1", "GPL-3.0-only", "f", "f"),
    ("PHP-3.01", "GPL-3.0-only", "f", "f"),
    # Apache 2.0: its patent termination conflicts with version 2 of the GPL, not 3 (FSF, ASF).
    ("Apache-2.0", "MIT", "a", "c"),
    ("Apache-2.0", "GPL-2.0-only", "f", "f"),
    ("Apache-2.0", "GPL-2.0-or-later", "c", "c"),
    ("Apache-2.0", "GPL-3.0-only", "a", "c"),
    ("Apache-2.0", "AGPL-3.0-only", "a", "c"),
    ("Apache-2.0", "LGPL-3.0-only", "a", "c"),
    ("ECL-2.0", "GPL-2.0-only", "f", "f"),
    ("ECL-2.0", "GPL-3.0-only", "a", "c"),
    ("MulanPSL-2.0", "GPL-2.0-only", "f", "f"),
    ("MulanPSL-2.0", "Apache-2.0", "a", "c"),
    ("AFL-3.0", "MIT", "a", "c"),
    ("AFL-3.0", "GPL-3.0-only", "f", "f"),  # FSF: incompatible, as OSL
    ("MS-PL", "GPL-3.0-only", "f", "f"),  # FSF: incompatible
    ("JSON", "MIT", "a", "f"),  # "Good, not Evil": the project's MIT would lift it
    ("JSON", "GPL-3.0-only", "f", "f"),  # FSF: nonfree
    # GPL: the whole must be under it (FSF: linking makes a combined work).
    ("GPL-2.0-only", "MIT", "f", "f"),
    ("GPL-2.0-only", "Apache-2.0", "f", "f"),
    ("GPL-2.0-only", "GPL-2.0-only", "c", "c"),
    ("GPL-2.0-only", "GPL-3.0-only", "f", "f"),  # FSF: "v2 only" and v3 conflict
    ("GPL-2.0-only", "GPL-2.0-or-later", "c", "c"),  # FSF: the combination is under v2 only
    ("GPL-2.0-only", "AGPL-3.0-only", "f", "f"),
    ("GPL-2.0-or-later", "GPL-2.0-only", "c", "c"),
    ("GPL-2.0-or-later", "GPL-3.0-only", "c", "c"),
    ("GPL-2.0-or-later", "AGPL-3.0-only", "c", "c"),  # by GPL 3 section 13
    ("GPL-2.0-or-later", "BSD-3-Clause", "f", "f"),
    ("GPL-3.0-only", "MIT", "f", "f"),
    ("GPL-3.0-only", "Apache-2.0", "f", "f"),
    ("GPL-3.0-only", "GPL-2.0-only", "f", "f"),
    ("GPL-3.0-only", "GPL-2.0-or-later", "c", "c"),  # FSF: the combination is under v3
    ("LGPL-3.0-only", "GPL-2.0-or-later", "c", "c"),
    ("AGPL-3.0-only", "GPL-2.0-or-later", "c", "c"),
    ("GPL-3.0-only", "GPL-3.0-or-later", "c", "c"),
    ("GPL-3.0-only", "AGPL-3.0-only", "c", "c"),  # GPL 3 section 13
    ("GPL-3.0-only", "MPL-2.0", "f", "f"),
    ("GPL-3.0-only", "LGPL-3.0-only", "f", "f"),
    ("AGPL-3.0-only", "MIT", "f", "f"),
    ("AGPL-3.0-only", "Apache-2.0", "f", "f"),
    ("AGPL-3.0-only", "GPL-3.0-only", "c", "c"),  # GPL 3 section 13, with the network duty
    ("AGPL-3.0-only", "GPL-2.0-only", "f", "f"),
    ("AGPL-3.0-or-later", "AGPL-3.0-only", "c", "c"),
    ("GPL-2.0-only WITH Classpath-exception-2.0", "Apache-2.0", "c", "f"),
    ("GPL-2.0-only WITH Classpath-exception-2.0", "GPL-2.0-only", "c", "c"),
    ("GPL-3.0-or-later WITH GCC-exception-3.1", "MIT", "c", "f"),
    ("GPL-3.0-only WITH Autoconf-exception-3.0", "MIT", "f", "f"),  # says nothing of linking
    # LGPL: linking keeps the library replaceable; copying its files makes a work based on it.
    ("LGPL-2.1-only", "MIT", "c", "f"),
    ("LGPL-2.1-only", "Apache-2.0", "c", "f"),
    ("LGPL-2.1-only", "GPL-2.0-only", "c", "c"),  # section 3
    ("LGPL-2.1-only", "GPL-3.0-only", "c", "c"),
    ("LGPL-2.1-or-later", "LGPL-3.0-only", "c", "c"),
    ("LGPL-3.0-only", "MIT", "c", "f"),
    ("LGPL-3.0-only", "GPL-2.0-only", "f", "f"),  # FSF's table: no
    ("LGPL-3.0-only", "GPL-3.0-only", "c", "c"),
    ("LGPL-3.0-or-later", "AGPL-3.0-only", "c", "c"),
    ("LGPL-2.1-only", "MIT AND LGPL-2.1-only", "c", "c"),
    # Copyleft by file or module: its files stay under it in a project under anything (section 3.3).
    ("MPL-2.0", "MIT", "c", "c"),
    ("MPL-2.0", "Apache-2.0", "c", "c"),
    ("MPL-2.0", "GPL-2.0-only", "c", "c"),  # a Secondary License
    ("MPL-2.0", "AGPL-3.0-only", "c", "c"),
    ("MPL-2.0-no-copyleft-exception", "GPL-3.0-only", "f", "f"),
    ("MPL-1.1", "GPL-2.0-only", "f", "f"),  # FSF: incompatible
    ("EPL-1.0", "MIT", "c", "c"),
    ("EPL-1.0", "GPL-3.0-only", "f", "f"),
    ("EPL-2.0", "Apache-2.0", "c", "c"),
    ("EPL-2.0", "GPL-2.0-only", "f", "f"),  # but where Exhibit A names the GPL
    ("CDDL-1.0", "Apache-2.0", "c", "c"),
    ("CDDL-1.0", "GPL-2.0-only", "f", "f"),  # FSF: incompatible
    ("CECILL-C", "MIT", "c", "c"),
    # Others with a list of their own.
    ("EUPL-1.2", "MIT", "c", "f"),
    ("EUPL-1.2", "GPL-3.0-only", "c", "c"),  # its appendix
    ("EUPL-1.2", "AGPL-3.0-only", "c", "c"),
    ("CECILL-2.1", "GPL-3.0-only", "c", "c"),  # article 5.3.4
    ("CECILL-2.1", "MIT", "f", "f"),
    ("OSL-3.0", "MIT", "c", "f"),
    ("OSL-3.0", "GPL-3.0-only", "f", "f"),  # FSF: incompatible
    ("Artistic-2.0", "GPL-3.0-only", "a", "c"),  # FSF: compatible
    ("Artistic-2.0", "MIT", "a", "c"),
    # Not open source: no project under an open licence can hold it.
    ("SSPL-1.0", "MIT", "f", "f"),
    ("SSPL-1.0", "AGPL-3.0-only", "f", "f"),
    ("BUSL-1.1", "Apache-2.0", "c", "f"),
    ("Elastic-2.0", "Apache-2.0", "c", "f"),
    ("PolyForm-Noncommercial-1.0.0", "MIT", "f", "f"),
    ("PolyForm-Small-Business-1.0.0", "MIT", "c", "f"),
    # Choices and sums.
    ("MIT OR GPL-3.0-only", "Apache-2.0", "a", "c"),
    ("MIT AND GPL-3.0-only", "Apache-2.0", "f", "f"),
    ("Apache-2.0 OR MIT", "GPL-2.0-only", "a", "c"),
    ("GPL-2.0-only", "GPL-2.0-only OR MIT", "f", "f"),  # anybody may choose MIT
    ("GPL-2.0-only", "MIT AND GPL-2.0-only", "c", "c"),
    ("Apache-2.0 WITH LLVM-exception", "MIT", "a", "c"),
    # Families and names that name nothing.
    ("bsd", "GPL-2.0-only", "a", "c"),
    ("gpl", "MIT", "f", "f"),
    ("gpl", "GPL-3.0-only", "u", "u"),
    ("lgpl", "MIT", "c", "f"),
    ("cc", "MIT", "u", "u"),
    ("other", "MIT", "u", "u"),
    ("NOASSERTION", "MIT", "u", "u"),
    ("LicenseRef-Proprietary", "MIT", "u", "u"),
    ("LicenseRef-Public-Domain", "MIT", "u", "u"),
    ("MIT", "other", "a", "u"),
    ("MIT", "LicenseRef-Acme", "a", "u"),
    ("GPL-3.0-only", "LicenseRef-Acme", "f", "f"),
    ("GPL-3.0-only", "other", "u", "u"),
    ("MIT/Apache-2.0", "MIT", "u", "u"),
    ("", "MIT", "u", "u"),
    ("MIT", "", "u", "u"),
)


@pytest.mark.parametrize(("inbound", "outbound", "links", "vendors"), PAIRS)
def test_a_pair(inbound: str, outbound: str, links: Short, vendors: Short) -> None:
    said: dict[Tie, Short] = {"links": links, "vendors": vendors}
    for tie, short in said.items():
        found = judge(tie, inbound, outbound, commercial=True, what="code")
        assert found.answer == ANSWERS[short], tie
        assert bool(found.reasons) == (found.answer != "allowed")
        if found.answer == "forbidden":
            assert found.reasons[0].quote
        if found.answer == "unknown":
            assert any(reason.says for reason in found.reasons)


def test_copying_is_never_milder_than_linking() -> None:
    order = "acuf"
    assert not [p for p in PAIRS if order.index(p[3]) < order.index(p[2])]
    assert len(PAIRS) > 120
