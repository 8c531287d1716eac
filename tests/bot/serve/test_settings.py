from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.errors import UsageError
from bot.serve.configure import load
from bot.serve.settings import Settings
from modelwarden import ROOT

KEY = "-----BEGIN RSA PRIVATE KEY-----\nc2VjcmV0LWtleQ==\n-----END RSA PRIVATE KEY-----"
SECRET = "0123456789abcdef-first"
OTHER = "0123456789abcdef-other"
TOKEN = "status-token-0123456789"
PASSWORD = "postgres-password-77"
HIDDEN = ("c2VjcmV0LWtleQ", SECRET, OTHER, TOKEN, PASSWORD)


@pytest.fixture(autouse=True)
def _bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [n for n in os.environ if n.startswith("MODELWARDEN_")]:
        monkeypatch.delenv(name)


def write(folder: Path, text: str, mode: int = 0o600) -> Path:
    path = folder / "serve.yml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def whole(folder: Path, more: str = "") -> Path:
    key = folder / "key.pem"
    key.write_text(KEY, encoding="utf-8")
    key.chmod(0o600)
    text = f"app_id: 7\nprivate_key_file: key.pem\nwebhook_secrets: [{SECRET}]\n{more}"
    return write(folder, text)


def test_a_file_alone(tmp_path: Path) -> None:
    read = load(whole(tmp_path, "folder: data\npublic_repositories: [acme/tiny]\n"))
    assert read.app_id == 7
    assert read.private_key.get_secret_value() == KEY + "\n"
    assert read.secrets == (SECRET,)
    assert read.database_url == f"sqlite:///{tmp_path}/data/modelwarden.db"
    assert (read.host, read.port, read.github_url) == ("127.0.0.1", 8000, "https://api.github.com")
    assert read.public_repositories == ("acme/tiny",)


def test_the_environment_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWARDEN_APP_ID", "9")
    monkeypatch.setenv("MODELWARDEN_PRIVATE_KEY", KEY.replace("\n", "\\n"))
    monkeypatch.setenv("MODELWARDEN_WEBHOOK_SECRETS", f"{SECRET} {OTHER}")
    monkeypatch.setenv("MODELWARDEN_PLUGINS", "one two")
    read = load()
    assert read.private_key.get_secret_value() == KEY + "\n"
    assert (read.app_id, read.secrets, read.plugins) == (9, (SECRET, OTHER), ("one", "two"))


def test_options_over_environment_over_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = whole(tmp_path, "port: 1\nhost: a.example\nmirror_gb: 3\n")
    monkeypatch.setenv("MODELWARDEN_PORT", "2")
    monkeypatch.setenv("MODELWARDEN_HOST", "b.example")
    monkeypatch.setenv("MODELWARDEN_CONFIG", str(path))
    read = load(None, port=3, database=None)
    assert (read.port, read.host, read.mirror_gb) == (3, "b.example", 3.0)


def test_secrets_from_a_file_for_rotation(tmp_path: Path) -> None:
    (tmp_path / "hooks").write_text(f"{SECRET}\n\n{OTHER}\n", encoding="utf-8")
    (tmp_path / "hooks").chmod(0o400)
    path = write(
        tmp_path,
        f"app_id: 1\nprivate_key: {KEY!r}\nwebhook_secrets_file: hooks\n".replace("'", '"'),
    )
    assert load(path).secrets == (SECRET, OTHER)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no app_id"),
        ("app_id: 1\n", "no private key of the App"),
        (f'app_id: 1\nprivate_key: "{KEY}"\n'.replace("\n-", "\\n-").replace("-\nc", "-\\nc"),
         "no webhook secret: anybody could send deliveries"),
        ("app_id: 1\nprivate_key: hello\n", "private_key is no private key"),
        ("app_id: 1\nwebhook_secrets: [short]\n", "webhook_secrets has a secret of fewer than 16"),
        ("app_id: 1\nwebhook_secret: [x]\n", "unknown setting 'webhook_secret'; did you mean "),
        ("app_id: 1\nport: 99999\n", "serve.yml: port should be less than or equal to 65535"),
        ("app_id: nine\n", "serve.yml: app_id should be a valid integer"),
        ("app_id: 1\npublic_url: http://warden.example\n", "must begin with https://"),
        ("app_id: 1\npublic_url: https://u:p@warden.example\n", "an address alone"),
        ("app_id: 1\ndatabase: mysql://x\n", "database must begin with sqlite:/// or postgresql"),
        ("app_id: 1\napp_id: 2\n", "serve.yml:2: not the YAML we read"),
        ("- 1\n", "must hold keys with values"),
        ("app_id: 1\nprivate_key_file: nowhere.pem\n", "nowhere.pem: No such file"),
        ("app_id: 1\nprivate_key_file: .\n", "Is a directory"),
        ("app_id: 1\nstatus_token: short\n", "status_token has fewer than 16"),
        ("app_id: 1\nworker: cpu\n", "worker should be 'all', 'web' or 'gpu'"),
    ],
)  # fmt: skip
def test_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, text))
    assert said in caught.value.message and caught.value.hint
    assert caught.value.exit_code == 2


def test_a_gpu_worker_needs_no_webhook_secret(tmp_path: Path) -> None:
    path = whole(tmp_path)
    path.write_text("app_id: 1\nprivate_key_file: key.pem\nworker: gpu\n", encoding="utf-8")
    assert load(path).secrets == ()
    with pytest.raises(UsageError, match="no webhook secret"):
        load(path, worker="web")


@pytest.mark.parametrize("name", ["key.pem", "serve.yml"])
def test_a_secret_that_others_may_read(tmp_path: Path, name: str) -> None:
    path = whole(tmp_path)
    (tmp_path / name).chmod(0o644)
    with pytest.raises(UsageError, match="others may read or change") as caught:
        load(path)
    assert caught.value.hint.startswith("chmod 600")


def test_a_settings_file_without_secrets_may_be_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELWARDEN_PRIVATE_KEY", KEY)
    monkeypatch.setenv("MODELWARDEN_WEBHOOK_SECRETS", SECRET)
    assert load(write(tmp_path, "app_id: 4\n", mode=0o644)).app_id == 4


def test_an_error_names_where_the_value_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = whole(tmp_path, "port: 1\n")
    with pytest.raises(UsageError) as caught:
        load(path, gpu_per_author=0)
    assert caught.value.message.startswith("--gpu-per-author: gpu_per_author should be greater")
    monkeypatch.setenv("MODELWARDEN_PORT", "eight")
    with pytest.raises(UsageError) as caught:
        load(path)
    assert caught.value.message == "MODELWARDEN_PORT: port should be a valid integer"


def test_a_misspelt_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MODELWARDEN_WEBHOOK_SECRET", SECRET)
    with pytest.raises(UsageError, match="did you mean 'MODELWARDEN_WEBHOOK_SECRETS'") as caught:
        load(whole(tmp_path))
    assert SECRET not in caught.value.message


def test_nothing_shows_a_secret(tmp_path: Path) -> None:
    more = f"status_token: {TOKEN}\ndatabase: postgresql://bot:{PASSWORD}@db.example:5432/warden\n"
    read = load(whole(tmp_path, more))
    shown = f"{read!r} {read} {read.model_dump()} {read.model_dump_json()} {read.database_shown}"
    assert not [h for h in HIDDEN if h in shown]
    assert read.database_shown == "postgresql://db.example:5432/warden"
    assert PASSWORD in read.database_url


@pytest.mark.parametrize(
    "text",
    [
        f'app_id: x\nprivate_key: "{KEY[:40]}c2VjcmV0LWtleQ==\n',
        f"app_id: x\nwebhook_secrets: {{a: {SECRET}}}\n",
        f"app_id: 1\nprivate_key: c2VjcmV0LWtleQ\nwebhook_secrets: [{SECRET}]\n",
        f"app_id: 1\ndatabase: mysql://bot:{PASSWORD}@db\n",
        f"app_id: 1\nwebhook_secrets: [{SECRET}, [{OTHER}]]\n",
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError) as caught:
        load(write(tmp_path, text))
    chain: BaseException | None = caught.value
    while chain is not None:
        said = f"{chain!r} {chain} {getattr(chain, 'hint', '')}"
        assert not [h for h in HIDDEN if h in said], said
        chain = chain.__cause__


@pytest.mark.parametrize(
    ("host", "public", "local"),
    [
        ("127.0.0.1", "", True),
        ("localhost", "http://localhost:8000", True),
        ("0.0.0.0", "", False),
        ("127.0.0.1", "https://warden.example", False),  # a proxy on this machine
        ("10.0.0.4", "", False),
    ],
)
def test_who_can_reach_the_pages(host: str, public: str, local: bool) -> None:
    read = Settings(app_id=1, private_key=SecretStr(KEY), host=host, public_url=public)
    assert read.on_loopback is local


def test_the_page_lists_every_setting() -> None:
    page = (ROOT / "docs" / "serving.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `([a-z_]+)` \| (.*) \| (.+) \|$", page, re.MULTILINE)
    listed = {name: (default, meaning) for name, default, meaning in rows}
    for name, field in Settings.model_fields.items():
        default, meaning = listed[name]
        assert meaning == field.description, name
        plain = field.default
        if isinstance(plain, str | int | float) and plain != "":
            assert default == f"`{str(plain).lower() if plain is False else plain}`", name
