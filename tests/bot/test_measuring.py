"""`modelwarden measure` as a process: what it prints, writes, and leaves behind."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="needs the model extra")
pytest.importorskip("transformers", reason="needs the model extra")

from bot import cli
from lab.scoring import turns
from modelwarden import ROOT
from tests.lab.models import TEXT, make_model


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "other", seed=1)


Ask = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    """Measure in this process, in a folder and with a cache of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["modelwarden", "measure", *map(str, words)])
        code = cli.main()
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def suite(folder: Path, items: int) -> Path:
    path = folder / "words.jsonl"
    rows = ({"text": TEXT[n % 4] * (1 + n % 3)} for n in range(items))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def start(folder: Path, *words: str) -> subprocess.Popen[str]:
    """Start it with a temporary folder and a home of its own."""
    for name in ("temporary", "home"):
        (folder / name).mkdir()
    environment = {
        "PATH": os.environ["PATH"],
        "OMP_NUM_THREADS": "2",
        "TMPDIR": str(folder / "temporary"),
        "HOME": str(folder / "home"),
    }
    return subprocess.Popen(
        [sys.executable, "-I", ROOT / "modelwarden.py", "measure", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def left(folder: Path) -> list[Path]:
    """Return what is there beside the cache."""
    return [p for name in ("temporary", "home") for p in (folder / name).rglob("*")
            if (p.is_file() or p.parent.name == "temporary")
            and not p.name.startswith("evidence.db")]  # fmt: skip


def test_numbers_for_people_and_for_dvc(model: Path, tmp_path: Path) -> None:
    words = (str(model), "--suite", str(suite(tmp_path, 12)), "--output", "metrics.json")
    process = start(tmp_path, *words)
    said, complaint = process.communicate(timeout=120)
    assert (process.returncode, complaint) == (0, "")
    assert "tiny: LlamaForCausalLM, 41,120 parameters" in said
    metrics = json.loads((tmp_path / "metrics.json").read_text())
    assert f"{metrics['words']['bits_per_byte']:.4f}" in said
    assert left(tmp_path) == []


def test_a_bad_suite_is_named_with_its_line(model: Path, tmp_path: Path) -> None:
    path = suite(tmp_path, 2)
    path.write_text(path.read_text() + "not JSON\n")
    process = start(tmp_path, str(model), "--suite", path.name)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 2
    assert complaint.startswith("modelwarden: words.jsonl:3: Expecting value")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_leaves_nothing(model: Path, tmp_path: Path, number: int) -> None:
    words = (str(model), "--suite", str(suite(tmp_path, 20_000)), "--output", "metrics.json")
    process = start(tmp_path, *words)
    mapped = Path(f"/proc/{process.pid}/maps")
    until = time.monotonic() + 60
    while "libtorch" not in mapped.read_text() and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(number)
    _, complaint = process.communicate(timeout=60)
    assert process.returncode == 130
    assert complaint.strip() == "modelwarden: stopped"
    assert left(tmp_path) == []
    assert sorted(p.name for p in tmp_path.iterdir()) == ["home", "temporary", "words.jsonl"]


def test_what_is_known_is_measured_without_torch(model: Path, tmp_path: Path, ask: Ask) -> None:
    path = suite(tmp_path, 12)
    assert ask(model, "--suite", path)[0] == 0
    script = (
        "import sys; from bot import cli; sys.argv = ['modelwarden', 'measure', *sys.argv[1:]];"
        "code = cli.main(); assert not {'torch', 'transformers'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, str(model), "--suite", str(path)],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "words: 12 items of kind text, 12 from an earlier run" in done.stdout


def test_more_items_add_to_those_that_are_known(model: Path, tmp_path: Path, ask: Ask) -> None:
    path = suite(tmp_path, 20)
    assert "6 items of kind text\n" in ask(model, "--suite", path, "--limit", 6)[1]
    assert "9 items of kind text, 6 from" in ask(model, "--suite", path, "--limit", 9)[1]
    path = path.rename(tmp_path / "renamed.jsonl")
    assert "renamed: 20 items of kind text, 9 from" in ask(model, "--suite", path)[1]
    assert "4 items of kind text, 4 from" in ask(model, "--suite", path, "--limit", 4)[1]
    assert "20 items of kind text\n" in ask(model, "--suite", path, "--no-cache")[1]


def test_json_holds_the_whole_record(model: Path, tmp_path: Path, ask: Ask) -> None:
    path = tmp_path / "words.jsonl"
    rows = ({"text": TEXT[n % 4], "fields": {"who": f"w{n}"}} for n in range(24))
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    words = (model, "--suite", path, "--format", "json", "--budget", 1e-9)
    code, said, _ = ask(*words, "--report", "a.html", "--report", "a.json", "--report", "a.txt")
    assert code == 0
    assert (tmp_path / "a.json").read_text() == said
    found = json.loads(said)
    [record] = found["records"]
    assert (found["model"]["model"], record["n"], record["of"]) == ("tiny", 2, 24)
    skipped = "field 'who' has 24 different values, more than 20: no slices"
    assert record["notes"] == ["ended early: 2 of 24 items scored", skipped]
    assert {"digest", "fingerprint", "items", "data", "harness", "device", "dtype", "seeds",
            "versions", "usage", "measurements", "level"} <= record.keys()  # fmt: skip
    for name in ("a.html", "a.txt"):
        text = (tmp_path / name).read_text()
        assert "2 of 24 items of kind text" in text
        assert "24 different values" in text


def test_a_renamed_and_resharded_model_is_identical(
    model: Path, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is loaded, unless numbers are asked for."""
    again = tmp_path / "again"
    reshard(model, again)
    path = suite(tmp_path, 12)
    with monkeypatch.context() as patch:
        patch.setattr(turns, "replicas", None)
        code, said, _ = ask(again, "--against", model, "--suite", path, "--latency")
    assert code == 0
    assert "regression/identical" in ask(again, "--against", model, "--suite", path,
                                         "--format", "json")[1]  # fmt: skip
    assert "again: unchanged" in said
    assert ask(again, "--against", model, "--suite", path, "--output", "a.json")[0] == 0
    assert ask(model, "--suite", path, "--output", "b.json", "--no-cache")[0] == 0
    assert (tmp_path / "a.json").read_bytes() == (tmp_path / "b.json").read_bytes()


def reshard(model: Path, target: Path) -> None:
    """Write the same tensors in two files with an index."""
    from safetensors.numpy import load_file, save_file

    shutil.copytree(model, target)
    whole = target / "model.safetensors"
    tensors = sorted(load_file(whole).items())
    whole.unlink()
    names: dict[str, str] = {}
    for number in (1, 2):
        part = dict(tensors[number - 1 :: 2])
        name = f"model-{number:05}-of-00002.safetensors"
        save_file(part, target / name, metadata={"format": "pt"})
        names |= dict.fromkeys(part, name)
    index = {"metadata": {}, "weight_map": names}
    (target / "model.safetensors.index.json").write_text(json.dumps(index))


def test_two_models_with_metrics_of_head(
    model: Path, other: Path, tmp_path: Path, ask: Ask
) -> None:
    """The numbers that are kept are those that head alone has."""
    path = suite(tmp_path, 200)
    reports = ("--report", "a.html", "--report", "a.sarif", "--report", "a.md")
    words = (other, "--against", model, "--suite", path, "--no-cache", "--output", "a.json")
    code, said, _ = ask(*words, *reports, "--format", "json")
    [verdict] = json.loads(said)["verdicts"]
    assert (code, verdict["check"]) == (0, "regression")
    assert all((tmp_path / name).stat().st_size for name in ("a.html", "a.sarif", "a.md"))
    assert ask(other, "--suite", path, "--no-cache", "--output", "b.json")[0] == 0
    together, alone = (json.loads((tmp_path / f"{n}.json").read_text())["words"] for n in "ab")
    assert together == pytest.approx(alone, rel=1e-6)


def test_a_table_of_numbers_for_plots(model: Path, tmp_path: Path, ask: Ask) -> None:
    path = suite(tmp_path, 30)
    assert ask(model, "--suite", path, "--output", "a.json", "--report", "a.csv")[0] == 0
    with (tmp_path / "a.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    numbers = json.loads((tmp_path / "a.json").read_text())["words"]
    assert {row["metric"]: float(row["value"]) for row in rows} == {
        f"words/{name}": value for name, value in numbers.items()
    }
    bounded = [row for row in rows if row["low"]]
    assert bounded
    assert all(float(r["low"]) <= float(r["value"]) <= float(r["high"]) for r in bounded)
    assert {row["n"] for row in rows} == {"30"}


def test_a_budget_that_ran_out_is_no_pass(
    model: Path, tmp_path: Path, ask: Ask, other: Path
) -> None:
    path = suite(tmp_path, 200)
    words = (other, "--against", model, "--suite", path, "--budget", 1e-9, "--format", "json")
    code, said, _ = ask(*words)
    [finding] = json.loads(said)["verdicts"][0]["findings"]
    assert (code, finding["rule"]) == (3, "regression/inconclusive")
    assert "4 of 200 items scored" in finding["message"]
    assert "budget" in finding["remedy"]
    again = ask(*words[:-4], "--no-cache")[1]
    assert "regression/inconclusive" not in again or "of 200 items scored" not in again


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("none", "--suite", "words.jsonl"), "none is not a folder"),
        (("model", "--suite", "none.jsonl"), "No such file"),
        (("model",), "no suite to measure on"),
        (("model", "--suite", "model"), "no suite, by its name"),
        (("model", "--suite", "words.jsonl", "--suite", "words.jsonl"), "two suites have the same"),
        (("model", "--suite", "words.jsonl", "--device", "tpu"), "--device tpu: no device"),
        (("model", "--suite", "words.jsonl", "--budget", "nan"), "not a number of seconds"),
        (("model", "--suite", "words.jsonl", "--format", "sarif"), "SARIF is of findings"),
        (("model", "--suite", "words.jsonl", "--report", "a.sarif"), "SARIF is of findings"),
        (("model", "--suite", "words.jsonl", "--report", "a.pdf"), "unknown suffix"),
        (("model", "--suite", "words.jsonl", "--report", "a.csv", "--against", "model"),
         "a CSV report is of one model"),
        (("model", "--suite", "words.jsonl", "--output", "no/a.json"), "cannot be written"),
        (("model", "--suite", "words.jsonl", "--output", "model"), "cannot be written"),
        (("model", "--suite", "words.jsonl", "--ray", "localhost"), "is no address"),
        (("model", "--suite", "words.jsonl", "--ray", "", "--latency"), "without --latency"),
        (("model", "--suite", "words.jsonl", "--ray", "auto", "--budget", "1"), "without --budget"),
        (("model", "--suite", "words.jsonl", "--ray", "auto", "--against", "model"),
         "without --against"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused_before_anything_is_loaded(
    words: tuple[str, ...],
    complaint: str,
    model: Path,
    tmp_path: Path,
    ask: Ask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    suite(tmp_path, 2)
    (tmp_path / "model").symlink_to(model)
    monkeypatch.setattr(turns, "replicas", None)
    code, said, line = ask(*words)
    assert (code, said, line.count("\n")) == (2, "", 2)
    assert complaint in line
    assert line.startswith("modelwarden: ")


@pytest.mark.parametrize("words", [(), ("--against", "model")])
def test_a_device_that_is_not_there(
    words: tuple[str, ...], other: Path, model: Path, tmp_path: Path, ask: Ask
) -> None:
    path = suite(tmp_path, 2)
    (tmp_path / "model").symlink_to(model)
    code, said, line = ask(other, *words, "--suite", path, "--device", "cuda:99")
    assert (code, said) == (2, "")
    assert line.startswith("modelwarden: device 'cuda:99' is not there\n  there is: cpu")


def damage_configuration(folder: Path) -> None:
    (folder / "config.json").write_text("{")


def damage_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes(b"\xff" * 8 + b"{}")


def damage_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()


@pytest.mark.parametrize("damage", [damage_configuration, damage_weights, damage_tokenizer])
def test_a_broken_model_is_named_by_its_side(
    damage: Callable[[Path], None], model: Path, tmp_path: Path, ask: Ask
) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(model, broken)
    damage(broken)
    path = suite(tmp_path, 2)
    for words, side in (((broken,), ""), ((model, "--against", broken), "base model: ")):
        code, said, line = ask(*words, "--suite", path)
        assert (code, said, line.count("\n")) == (3, "", 2)
        assert line.startswith(f"modelwarden: {side}")


def test_missing_libraries_are_named(
    model: Path, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = suite(tmp_path, 2)
    with monkeypatch.context() as patch:
        patch.setattr("bot.measuring.lacking", lambda: ("torch",))
        code, _, line = ask(model, "--suite", path)
    assert (code, "not installed: torch" in line, "modelwarden[model]" in line) == (2, True, True)
    monkeypatch.setitem(sys.modules, "ray", None)
    code, _, line = ask(model, "--suite", path, "--ray", "auto")
    assert (code, "Ray is not installed" in line, "modelwarden[ray]" in line) == (2, True, True)


def test_scores_of_a_cluster_are_shown_as_any(
    model: Path, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cluster itself is tested in tests/lab/scoring/test_cluster.py."""
    from lab.model.folder import inspect
    from lab.scoring.turns import Subject, run

    def found(address: str, name: str, folder: Path, tasks: Any, device: str, **_: Any) -> Any:
        assert (address, folder.is_absolute()) == ("localhost:6379", True)
        return run([Subject(name, inspect(folder))], tasks, device=device).scores[0]

    monkeypatch.setattr("bot.measuring.measure_on_ray", found)
    words = (model, "--suite", suite(tmp_path, 8), "--ray", "localhost:6379", "--device", "cpu")
    code, said, _ = ask(*words, "--output", "a.json")
    assert (code, said.startswith("tiny: LlamaForCausalLM")) == (0, True)
    assert json.loads((tmp_path / "a.json").read_text())["words"]["bits_per_byte"] > 0
