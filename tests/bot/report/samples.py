"""One rich report: every outcome, every level, waivers, every kind of exhibit, hostile texts."""

from __future__ import annotations

import math
import random
from itertools import pairwise

from bot.change import Change, FileChange, TreeEntry
from bot.exhibit import (
    Exhibit,
    Histogram,
    Interval,
    IntervalPlot,
    Record,
    ScatterPlot,
    Series,
    Table,
    Trend,
)
from bot.finding import Level, Location, Rule, waived
from bot.verdict import Outcome, Report, Verdict

# Put together here, so that no scanner takes this file for a leak.
SECRETS = {
    "GitHub token": "gh" + "p_" + "a1B2" * 9,
    "AWS key": "AK" + "IA" + "ABCDEFGH12345678",
    "Hugging Face token": "h" + "f_" + "Zz9" * 12,
    "API key": "s" + "k-proj-" + "q7" * 20,
    "JWT": "ey" + "JhbGciOiJIUzI1NiJ9." + "ey" + "JzdWIiOiIxIn0." + "c2ln" * 8,
    "password": "://ada:correct-horse@",
    "private key": "-----BEGIN RSA PRIVATE "
    + "KEY-----\nMIIEow\n-----END RSA PRIVATE "
    + "KEY-----",
}

HOSTILE = (
    "<!-- modelwarden --> <script>alert(1)</script> @octocat #12 GH-7 o/r#3 ![x](https://evil.example/p)"
    " `code` | cell | **bold** \x1b[31mred\x1b[0m \u202egnp.exe a\u200bb \udc80 www.evil.example"
    " [click](https://evil.example) a@evil.example $x$ \n# heading\n</details></code>"
)

SIGN_OFF = Rule(
    "contributors/sign-off",
    Level.FAILURE,
    "A commit that its author did not sign off.",
    "A sign-off says that the author may give the work under the project's licence.",
    "Run `git rebase --signoff BASE` and push again.",
)
PICKLE = Rule(
    "weights/pickle",
    Level.FAILURE,
    "A model file in a format that can run code when it is loaded.",
    "Whoever loads a pickle runs what its author wrote.",
    "Save the weights as safetensors.",
)
UNPINNED = Rule(
    "dependencies/unpinned",
    Level.WARNING,
    "A dependency without an exact version.",
    "Two installs of the same commit may differ.",
    "Write an exact version, or lock the file.",
)
LICENCE = Rule(
    "licenses/unknown",
    Level.UNKNOWN,
    "A dependency whose licence is not known.",
    "What nobody knows, nobody has agreed to.",
    "Add the licence under `licenses.facts` in the policy.",
)
CARD = Rule(
    "community/model-card",
    Level.NOTE,
    "No model card.",
    "Readers cannot see what the model is for.",
    "Add a README.md with a model card.",
)
RULES = {r.id: r for r in (SIGN_OFF, PICKLE, UNPINNED, LICENCE, CARD)}


DIGEST, OTHER = "4f1c" * 16, "9b07" * 16


def measured() -> tuple[Exhibit, ...]:
    """A comparison of metrics and slices with its records, and drift over releases."""
    names = ("v0.9", "v1.0", "v1.1", "v1.2", "v1.3-rc1", "this change")
    return (
        IntervalPlot(
            "Accuracy of every task and slice",
            "share of right answers",
            (
                Interval("arc-easy", -0.034, -0.021, -0.008, "regressed", 0.612, 0.591, DIGEST),
                Interval(
                    "arc-easy, language = de",
                    -0.06,
                    0.004,
                    0.07,
                    "too few items",
                    0.5,
                    0.504,
                    DIGEST,
                ),
                Interval("held-out answers", 0.01, 0.02, 0.03, "improved", 0.3, 0.32, OTHER),
                Interval("of a record elsewhere", -0.01, 0.0, 0.01, "", 0.25, None, "77" * 32),
            ),
        ),
        Trend(
            "accuracy over the last releases",
            "accuracy",
            names,
            (
                Series("arc-easy", (0.55, 0.571, 0.598, 0.605, 0.612, 0.591)),
                Series("held-out answers", (None, 0.28, None, 0.31, 0.3, 0.32)),
                Series("boolq", (0.61, 0.615, 0.62, 0.66, 0.655, 0.66)),
                Series("new task", (None, None, None, None, None, 0.45)),
            ),
            "metrics.json is not there: v0.8",
        ),
        Table("Tokens a second", ("side", "p50"), (("base", "812"), ("head", "640")), OTHER),
        Record(
            "arc-easy, base and head",
            DIGEST,
            (
                ("base weights", "sha256 " + "1a" * 32),
                ("head weights", "sha256 " + "2b" * 32),
                ("task", "arc-easy, 2,376 items, sha256 " + "3c" * 32),
                ("device", "cpu, 2 threads, float32"),
                ("versions", "torch 2.13.0, transformers 5.3.0"),
            ),
        ),
        Record("held-out answers", OTHER, (("device", "cpu"),)),
    )


def exhibits() -> tuple[Exhibit, ...]:
    """Plots of a comparison that looks like a real one."""
    draw = random.Random(7)
    points = []
    for _ in range(240):
        base = draw.gauss(2.6, 0.5)
        points.append((base, base + draw.gauss(0.06, 0.12)))
    edges = tuple(round(-0.4 + 0.1 * i, 10) for i in range(10))
    counts = [sum(1 for x, y in points if a <= y - x < b) for a, b in pairwise(edges)]
    return (
        IntervalPlot(
            "Held-out loss, head minus base",
            "nats per token, lower is better",
            (
                Interval("all items", 0.041, 0.058, 0.075, "regressed"),
                Interval("prose", 0.03, 0.066, 0.101, "regressed"),
                Interval("code, long documents", -0.021, 0.012, 0.046, "no detectable change"),
                Interval("dialogue", -0.082, -0.05, -0.019, "improved"),
            ),
            "95% paired bootstrap intervals; a change of 0.024 or more would be seen.",
        ),
        ScatterPlot("Loss of each item", "base", "head", tuple(points)),
        Histogram("Difference of each item", "head minus base, nats", edges, tuple(counts)),
        Table(
            "Items that got worst",
            ("item", "base", "head", "difference"),
            (("prose/0031", "2.41", "2.98", "+0.57"), ("prose/0112", "2.02", "2.49", "+0.47")),
        ),
    )


def report() -> Report:
    """The rich report."""
    entry = TreeEntry("requirements.txt", "100644", "1" * 40)
    files = (
        FileChange("requirements.txt", entry, TreeEntry("requirements.txt", "100644", "2" * 40)),
        FileChange("model/weights.bin", None, TreeEntry("model/weights.bin", "100644", "3" * 40)),
        FileChange("old.py", TreeEntry("old.py", "100755", "4" * 40), None),
    )
    change = Change("example/tiny-llm", "b" * 40, "a" * 40, "b" * 40, files, 42, "ada")
    return Report(change, ".github/modelwarden.yml at bbbbbbbbbb", verdicts())


def verdicts() -> tuple[Verdict, ...]:
    """One verdict of every outcome, and more."""
    commits = ("1f2e3d4c5b" + "0" * 30, "9a8b7c6d5e" + "0" * 30)
    unsigned = tuple(
        SIGN_OFF.at(f'"{words}" has no Signed-off-by line of ada@example.org', Location("", 0, c))
        for words, c in zip(("Train longer", "Swap the tokenizer"), commits, strict=True)
    )
    pickle = PICKLE.at("imports os.system when it is loaded", Location("model/weights.bin"))
    old = PICKLE.at("imports collections.OrderedDict", Location("legacy/old.bin"))
    loose = UNPINNED.at("requests>=2 allows any later version", Location("requirements.txt", 3))
    hostile = UNPINNED.at(HOSTILE, Location('a|b`@x#1 <i> "q" [z](y).txt', 7))
    secrets = UNPINNED.at(" ".join(SECRETS.values()), Location("requirements.txt", 9))
    unknown = LICENCE.at("leftpad 1.0 states no licence", Location("requirements.txt", 4))
    card = CARD.at("the repository has no model card")
    return (
        Verdict("contributors", Outcome.FAIL, unsigned, "2 commits by 1 person", (), 0.012),
        Verdict(
            "dependencies",
            Outcome.PASS,
            (loose, hostile, secrets),
            "1 of 4 files changed",
            (),
            0.03,
        ),
        Verdict("licenses", Outcome.ERROR, (unknown,), "3 changed dependencies", (), 0.2),
        Verdict(
            "weights",
            Outcome.FAIL,
            (pickle, waived(old, "kept until 2.0, see the policy")),
            "1 model file",
            (),
            0.4,
        ),
        Verdict(
            "regression",
            Outcome.ERROR,
            (),
            "the weights of the head are not at hand",
            (*exhibits(), *measured()),
            3.5,
        ),
        Verdict("community", Outcome.PASS, (card,), "8 files looked for", (), 0.01),
        Verdict("plugin", Outcome.PENDING, (), "waits for a machine", (), 0.0),
        Verdict("provenance", Outcome.SKIP, (), "no release in the change", (), 0.0),
    )


def odd_exhibits() -> tuple[Exhibit, ...]:
    """Exhibits that a careless renderer divides by zero on."""
    nan, inf = math.nan, math.inf
    return (
        Table("", ("a",), ()),
        Table("no columns", (), ()),
        Table("long", ("n", "text"), tuple((str(i), HOSTILE) for i in range(500))),
        IntervalPlot("none", "x", ()),
        IntervalPlot("nan", "x", (Interval("n", nan, nan, nan), Interval("i", -inf, 0.0, inf))),
        IntervalPlot("zero", "x", (Interval("z", 0.0, 0.0, 0.0),)),
        IntervalPlot(
            "huge", "x", (Interval("h", -1.7e308, 0.0, 1.7e308), Interval("s", 0, 5e-324, 1e-320))
        ),
        ScatterPlot("none", "x", "y", ()),
        ScatterPlot("one", "x", "y", ((3.0, 3.0),)),
        ScatterPlot("odd", "x", "y", ((nan, 1.0), (1e299, -1e299), (inf, inf))),
        ScatterPlot("many", "x", "y", tuple((i / 7, i / 8) for i in range(5000))),
        Histogram("none", "x", (), ()),
        Histogram("flat", "x", (1.0, 1.0), (3,)),
        Histogram("zero", "x", (0.0, 1.0), (0,)),
        Histogram("odd", "x", (nan, 1.0, 2.0, inf), (1, 2, 3)),
        IntervalPlot(
            "odd sides",
            "x",
            (
                Interval("n", 0.0, 0.1, 0.2, "", nan, inf, "no such record"),
                Interval(HOSTILE, 0.0, 0.1, 0.2, "", None, 1e308, HOSTILE),
            ),
        ),
        Trend("nothing", "x", (), ()),
        Trend("no names", "x", (), (Series("a", ()),)),
        Trend("gaps", "x", ("v1", "v2"), (Series("a", (None, nan)), Series("b", (inf, None)))),
        Trend("one", "x", ("head",), (Series("a", (3.0,)),)),
        Trend("short", "x", ("v1", "v2", "head"), (Series("a", (1.0,)), Series("b", ()))),
        Trend("huge", "x", ("v1", HOSTILE), (Series(HOSTILE, (-1.7e308, 1e299)),)),
        Trend(
            "many",
            "x",
            tuple(f"release-number-{i}" for i in range(300)),
            tuple(Series(f"s{i}", tuple(i + j / 7 for j in range(300))) for i in range(60)),
        ),
        Record("", "", ()),
        Record("twice", DIGEST, (("a", HOSTILE), (HOSTILE, ""))),
        Record("hostile digest", HOSTILE, ((HOSTILE, HOSTILE),)),
    )
