import hashlib
import subprocess
from pathlib import Path

import pytest
from pydantic import TypeAdapter

from bot.change import Commit
from bot.checks import contributors
from bot.checks.contributors import Evidence, Settings
from bot.checks.contributors.signatures import kind
from bot.cli import cli
from bot.errors import UsageError
from bot.finding import Finding, Level
from bot.people import Account, ClaSignature, CommitAccount, People, dump
from bot.repository import GitWorld
from tests.fakes import FakeWorld, commit
from tests.gitrepo import Repo

SIGNED = "Title\n\nSigned-off-by: Ada <ada@example.org>\n"
SSH = "-----BEGIN SSH SIGNATURE-----\nx\n-----END SSH SIGNATURE-----"
PGP = "-----BEGIN PGP SIGNATURE-----\nx\n-----END PGP SIGNATURE-----"


def evidence_of(world: FakeWorld, **policy: object) -> Evidence:
    return contributors.collect(world.change(), world, Settings.model_validate(policy))


def judged(world: FakeWorld, **policy: object) -> tuple[Finding, ...]:
    settings = Settings.model_validate(policy)
    return contributors.judge(evidence_of(world, **policy), settings)


def told(findings: tuple[Finding, ...]) -> list[tuple[str, Level]]:
    return [(f.rule.partition("/")[2], f.severity) for f in findings]


def test_staged_content_has_nobody_to_ask() -> None:
    world = FakeWorld({}, {"a.py": "x = 1\n"})
    assert contributors.applies(world.change(), Settings()) == ""
    assert judged(world, signatures="required") == ()
    assert contributors.summary(evidence_of(world)) == "no commits"
    assert contributors.exhibits(evidence_of(world), Settings()) == ()


def test_evidence_survives_json() -> None:
    world = FakeWorld(
        {"CODEOWNERS": "* @a"},
        {"CODEOWNERS": "*.py @a\n!x", ".github/x.yml": "x", "a.py": "x"},
        commits=(commit(SIGNED, signature=PGP), commit("T\n\nCo-authored-by: x\n", number=1)),
    )
    evidence = evidence_of(world, headers={"spdx": "required"})
    adapter = TypeAdapter(Evidence)
    assert adapter.validate_json(adapter.dump_json(evidence)) == evidence
    assert contributors.summary(evidence) == (
        "2 commits by 1 person, 1 of 2 signed off, 1 cryptographically signed (1 openpgp)"
    )
    (table,) = contributors.exhibits(evidence, Settings())
    assert table.rows[0] == ("0" * 12, "ada@example.org", "yes", "openpgp")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("messages", "summary"),
    [
        ((SIGNED,), "1 commit by 1 person, all signed off, none cryptographically signed"),
        (
            ("T\n", SIGNED),
            "2 commits by 1 person, 1 of 2 signed off, none cryptographically signed",
        ),
        (("T\n",), "1 commit by 1 person, none signed off, none cryptographically signed"),
    ],
)
def test_the_summary_speaks_of_sign_offs_first(messages: tuple[str, ...], summary: str) -> None:
    commits = tuple(commit(text, number=n) for n, text in enumerate(messages))
    assert contributors.summary(evidence_of(FakeWorld({}, {"a": "x"}, commits=commits))) == summary


def test_dco_can_be_switched_off() -> None:
    world = FakeWorld({}, {"a": "x"}, commits=(commit("T\n"),))
    assert told(judged(world)) == [("sign-off", Level.FAILURE)]
    assert judged(world, dco="off") == ()


def test_commits_beyond_the_bound_are_unknown() -> None:
    world = FakeWorld({}, {"a": "x"}, commits=tuple(commit(SIGNED, number=i) for i in range(3)))
    assert told(judged(world, max_commits=2)) == [("too-many-commits", Level.UNKNOWN)]
    assert judged(world, max_commits=3) == ()
    assert judged(world, max_commits=2, dco="off") == ()


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", ""),
        ("  \n", ""),
        (SSH, "ssh"),
        (PGP, "openpgp"),
        ("-----BEGIN SIGNED MESSAGE-----\n", "x509"),
        ("x" + SSH, "unknown"),
    ],
)
def test_kind_of_signature(header: str, expected: str) -> None:
    assert kind(header) == expected


@pytest.mark.parametrize(
    ("given", "signer", "expected"),
    [
        (commit(SIGNED), "", [("unsigned", Level.FAILURE)]),
        (commit(SIGNED, signature=SSH), "", [("signer", Level.FAILURE)]),
        (commit(SIGNED, signature=SSH), "ada@example.org", []),
        (commit(SIGNED, signature=PGP), "ada@example.org", [("signature-unproven", Level.UNKNOWN)]),
        (commit(SIGNED, signature="?"), "ada@example.org", [("signature-unproven", Level.UNKNOWN)]),
    ],
)
def test_required_signatures(given: Commit, signer: str, expected: list[tuple[str, Level]]) -> None:
    files = {".github/signers": "ada@example.org ssh-ed25519 AAAA"}
    world = FakeWorld(files, files | {"a": "x"}, commits=(given,), signers={given.id: signer})
    policy = {"signatures": "required", "allowed_signers": ".github/signers"}
    assert told(judged(world, **policy)) == expected


@pytest.mark.parametrize("path", ["", "missing"])
def test_without_a_list_at_the_base_nothing_is_proven(path: str) -> None:
    signed = commit(SIGNED, signature=SSH)
    world = FakeWorld({}, {"missing": "x"}, commits=(signed,), signers={signed.id: "ada"})
    found = judged(world, signatures="required", allowed_signers=path)
    assert ("allowed-signers", Level.UNKNOWN) in told(found)


def test_an_edited_list_is_told() -> None:
    world = FakeWorld({"s": "a"}, {"s": "b"}, commits=(commit(SIGNED),))
    assert told(judged(world, allowed_signers="s")) == [("allowed-signers-edited", Level.WARNING)]


def test_every_rule_belongs_to_the_check() -> None:
    ids = [rule.id for rule in contributors.RULES]
    assert len(ids) == len(set(ids))
    assert all(i.startswith("contributors/") for i in ids)


def test_a_real_repository(repo: Repo, tmp_path: Path) -> None:
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    public = " ".join(key.with_suffix(".pub").read_text().split()[:2])
    base = repo.commit({".github/signers": f"ada@example.org {public}\n"})
    repo.git("config", "gpg.format", "ssh")
    repo.git("config", "user.signingkey", str(key))
    repo.write({"a": "1"})
    repo.git("add", "-A")
    repo.git("commit", "-q", "-S", "--signoff", "-m", "signed")
    head = repo.commit({"b": "1"}, "neither signed nor signed off")
    policy = {"signatures": "required", "allowed_signers": ".github/signers"}
    settings = Settings.model_validate(policy)
    with GitWorld(repo.path) as world:
        evidence = contributors.collect(world.change(base, head), world, settings)
    assert [s.signer for s in evidence.signatures.each] == ["ada@example.org", ""]
    findings = contributors.judge(evidence, settings)
    assert told(findings) == [("sign-off", Level.FAILURE), ("unsigned", Level.FAILURE)]
    assert {f.location.commit for f in findings} == {head}
    repo.git("commit", "--amend", "--no-edit", "--signoff")  # what the remedy says
    with GitWorld(repo.path) as world:
        change = world.change(base, repo.git("rev-parse", "HEAD"))
        fixed = contributors.collect(change, world, settings)
    assert told(contributors.judge(fixed, settings)) == [("unsigned", Level.FAILURE)]


@pytest.mark.parametrize("rooted", [False, True])
def test_the_remedy_for_several_commits_mends_them(repo: Repo, rooted: bool) -> None:
    base = repo.commit({"a": "0"}, "unsigned too")
    if rooted:
        base = repo.git("hash-object", "-t", "tree", "-w", "--stdin")
    repo.commit({"a": "1"}, "one\n\nBody\n")
    repo.commit({"a": "2"}, "two\n\nFixes: #1\n")
    for expected in (3 if rooted else 2, 0):
        with GitWorld(repo.path) as world:
            change = world.change(base, repo.git("rev-parse", "HEAD"))
            evidence = contributors.collect(change, world, Settings())
        findings = contributors.judge(evidence, Settings())
        assert len([f for f in findings if f.counts]) == expected
        if findings:
            command = findings[0].remedy.split("`")[1]
            assert command.startswith("git rebase --signoff ")
            repo.git(*command.split()[1:])


def test_hundreds_of_commits_and_their_people(repo: Repo, tmp_path: Path) -> None:
    base = repo.commit({"CLA.md": "I agree.\n"})
    stream = [f"reset refs/heads/change\nfrom {base}\n"]
    for number in range(300):
        message = f"{number}\n\nSigned-off-by: Ada <ada@example.org>\n"
        who = f"Ada <ada@example.org> {number} +0000"
        stream.append(
            f"commit refs/heads/change\nauthor {who}\ncommitter {who}\n"
            f"data {len(message)}\n{message}M 100644 inline a\ndata 4\n{number:04}\n"
        )
    repo.git("fast-import", "--quiet", stdin="".join(stream).encode())
    head = repo.git("rev-parse", "change")
    ids = repo.git("rev-list", f"{base}..{head}").split()
    ada = Account(5, "ada")
    version = hashlib.sha256(b"I agree.\n").hexdigest()
    signed = ClaSignature(5, "ada", version, 9, "octo/tiny", "2026-01-02T03:04:05Z")
    told_ = tuple(CommitAccount(i, ada, ada, verified=False) for i in ids)
    policy = {"cla": {"required": True, "document": "CLA.md"}}
    settings = Settings.model_validate(policy)
    for commits, expected in ((told_, []), (told_[1:], ["contributors/cla-unknown"])):
        people = People(ada, commits, (signed,))
        with GitWorld(repo.path, people=people) as world:
            change = world.change(base, head)
            evidence = contributors.collect(change, world, settings)
        assert [f.rule for f in contributors.judge(evidence, settings)] == expected
        assert evidence.total == 300


def test_what_the_platform_says_comes_in_a_file(
    repo: Repo, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = "version: 1\ncontributors:\n  cla: {document: CLA.md, required: true}\n"
    base = repo.commit({"CLA.md": "I agree.\n", ".github/modelwarden.yml": policy})
    head = repo.commit({"a": "1"})
    ada = Account(5, "ada")
    version = hashlib.sha256(b"I agree.\n").hexdigest()
    signed = ClaSignature(5, "ada", version, 9, "octo/tiny", "2026-01-02T03:04:05Z")
    file = tmp_path / "people.json"
    words = ["check", "--repo", str(repo.path), "--base", base, "--only", "contributors"]
    assert cli.main([*words, "--no-cache"], standalone_mode=False) == 3
    assert "cla-unknown" in capsys.readouterr().out
    for signatures, code in (((signed,), 0), ((), 1)):
        told_ = (CommitAccount(head, ada, ada, verified=False),)
        file.write_bytes(dump(People(ada, told_, signatures)))
        done = cli.main([*words, "--no-cache", "--people", str(file)], standalone_mode=False)
        assert done == code
    assert "/warden sign-cla" in capsys.readouterr().out
    file.write_bytes(b"{}")
    with pytest.raises(UsageError, match="author: Field required"):
        cli.main([*words, "--people", str(file)], standalone_mode=False)
