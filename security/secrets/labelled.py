"""Secrets told by what stands around them: keys in armour, web tokens, URLs, assignments."""

# ruff: noqa: SIM905 - many words read best as words

from __future__ import annotations

from security.secrets.values import Rule, Space

_ASSIGNED = r"""["'\]]{0,2}[ \t]{0,4}(?::=|=>|[:=])[ \t]{0,4}"""
_BREAK = r"""(?:\\[nrt]|["'+,\s]){1,40}"""
_HEADER = r"(?:[A-Z][A-Za-z-]{2,20}: [^\n\\]{1,80}(?:\\[nr]|\s){1,6}){0,3}"
_NAMES = "password passwd passphrase pwd".split()
_SET = "password passwd secret token api_key apikey access_key secret_key".split()
_KEYS = (
    "secret token api_key apikey api-key access_key accesskey secret_key secretkey private_key"
    " auth_key client_secret credential"
).split()


def _label(names: list[str]) -> str:
    return f"(?i)(?:{'|'.join(names)})"


RULES: tuple[Rule, ...] = (
    Rule(
        "private-key", "a private key",
        "-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY(?: BLOCK)?-----"
        + _BREAK + _HEADER + "[A-Za-z0-9+/=]{16}",
        ("-----BEGIN ",), left="", right="", valid="any",
        finds="-----BEGIN (?:RSA |EC |DSA |OPENSSH |ENCRYPTED |PGP )?PRIVATE KEY",
        samples=(
            "-----BEGIN PRIVATE KEY-----\n{B64}\n",
            "-----BEGIN OPENSSH PRIVATE KEY-----\n{B70}\n",
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,{h32}"
            "\n\n{B64}\n",
            "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: GnuPG v2\n\n{B64}\n",
            "\"private_key\": \"-----BEGIN PRIVATE KEY-----\\n{B64}\\n",
        ),
        others=(
            "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
            'if data.startswith(b"-----BEGIN PRIVATE KEY-----"):',
        ),
    ),
    Rule(
        "json-web-token", "a JSON web token",
        r"eyJ[A-Za-z0-9_-]{8,1000}\.eyJ[A-Za-z0-9_-]{8,2000}\.[A-Za-z0-9_-]{10,900}",
        ("eyJ",), finds="eyJ[A-Za-z0-9_-]{8}", valid="jwt",
        samples=("{jwt}",), others=("eyJub3QiOiJhIGhlYWRlciJ9.eyJhIjoxMjM0NTY3fQ.AAAAAAAAAAAA",),
    ),
    Rule(
        "url-password", "a URL with a password",
        r"""://[^\s"'`/:@<>{}$\\]{0,100}:([^\s"'`/@<>{}$\\]{3,200})@[A-Za-z0-9\[]""",
        ("://",), left="", right="", valid="password",
        finds=r"""://[^\s"'`/:@<>{}$\\]*:[^\s"'`/@<>{}$\\]{3}""",
        samples=("postgres://app:{A12}@db.internal/x", "https://u:{A20}@host.net/"),
        others=("https://user:password@host/", "http://a:b@c", "redis://:${{PASS}}@h/",
                "http://u:<password>@h", "https://a.org:443/x@y"),
    ),
    Rule(
        "aws-secret-key", "an AWS secret key",
        r"(?i)(?:aws|secret)[a-z_-]{0,24}key" + _ASSIGNED + r"""["']?([A-Za-z0-9/+]{40})""",
        ("secret", "aws"), Space.LOWER, left="", right="A-Za-z0-9/+=", valid="random",
        entropy=3.5, finds=r"(?i)(?:aws|secret)[a-z_-]*key" + _ASSIGNED,
        samples=('aws_secret_access_key = "{B40}"', "AWS_SECRET_ACCESS_KEY={B40}"),
        others=('aws_secret_access_key = "' + "A" * 40 + '"',),
    ),
    Rule(
        "azure-client-secret", "an Azure client secret",
        r"[A-Za-z0-9_~.-]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}", ("Q~",),
        back="A-Za-z0-9_~.-", reach=4, left="A-Za-z0-9_~.-", right="A-Za-z0-9_~.-",
        finds="[0-9]Q~[A-Za-z0-9_~.-]{8}",
        entropy=3.0, samples=("{A3}8Q~{A34}",), others=("abc8Q~" + "x" * 34,),
    ),
    Rule(
        "telegram-token", "a Telegram bot token", r"[0-9]{8,10}:AA[A-Za-z0-9_-]{33}",
        (":AA",), back="0-9", reach=10, finds="[0-9]:AA[A-Za-z0-9_-]{8}", entropy=3.0,
        samples=("{d9}:AA{W33}",), others=("123456789:AA" + "B" * 33,),
    ),
    Rule(
        "bearer-token", "an Authorization header with a credential",
        r"""(?i)authorization["']?[ \t]{0,3}[:=,][ \t]{0,3}["'f]{0,2}(?:bearer|basic|token)[ \t]"""
        r"([A-Za-z0-9._~+/=-]{20,1000})",
        ("authorization",), Space.LOWER, finds="(?i)authorization[\"' \t:=,]",
        left="", right="", generic=True, valid="random",
        entropy=3.0, samples=("Authorization: Bearer {A40}", '"Authorization": "Basic {A32}"'),
        others=("Authorization: Bearer YOUR_TOKEN_GOES_HERE_1", "Authorization: Bearer {{token}}"),
    ),
    Rule(
        "connection-string", "a connection string with a password",
        r"""(?i)(?:password|pwd)=([^;"'\s<>{}$]{4,100})[;"']""",
        ("password=", "pwd="), Space.LOWER, finds="(?i)(?:password|pwd)=",
        left="", right="", generic=True,
        valid="password", samples=("Server=db;Uid=app;Pwd={A12};",),
        others=("Server=db;Uid=app;Pwd=;", "Server=db;Password=<password>;"),
    ),
    Rule(
        "password", "a password in an assignment",
        _label(_NAMES) + _ASSIGNED + r"""["']([^"'\s]{6,128})["']""",
        tuple(_NAMES), Space.LOWER,
        finds=_label(_NAMES) + _ASSIGNED + "[\"'][^\"'\\s]{6}", left="", right="",
        generic=True, valid="password", entropy=2.3,
        samples=('password = "{A14}"', "'db_passwd': '{A10}!'"),
        others=('password = "changeme1"', 'password="${{DB_PASS1}}"', 'password: "string"',
                'password: "{{a1b2c3}}"',
                'password = os.environ["DB_PASSWORD_1"]', 'help="password"'),
    ),
    Rule(
        "generic-key", "a key or token in an assignment",
        _label(_KEYS) + _ASSIGNED
        + r"""["']([A-Za-z0-9+/=_.~-]{12,256})["']""",
        tuple(_KEYS), Space.LOWER, left="", right="",
        finds=_label(_KEYS) + _ASSIGNED + "[\"'][A-Za-z0-9+/=_.~-]{12}",
        generic=True, valid="random", entropy=3.0,
        samples=('api_key = "{A32}"', '"client_secret": "{W40}"', "token: '{h40}'"),
        others=('eos_token: "<|endoftext|>"', 'token = "additional_special_tokens_12"',
                'api_key="token-abc123"', 'api_key = "sk-no-key-required"', 'api_key="EMPTY"',
                'secret_name = "projects/my-project/secrets/db"'),
    ),
    Rule(
        "environment-secret", "a secret in an environment file",
        _label(_SET) + r"=([^\s\"'`$<>{}()\[\],;\\]{12,256})",
        tuple(f"{name}=" for name in _SET), Space.LOWER,
        finds=_label(_SET) + r"=[^\s\"'`$<>{}()\[\],;\\]{12}", left="", right="", generic=True,
        valid="random", entropy=3.0, samples=("MY_API_KEY={A32}", "export DB_PASSWORD={A16}"),
        others=("TOKEN=$GITHUB_TOKEN_FROM_ENV", "api_key=os.environ", "token=tokenizer.eos_token",
                "token=use_auth_token_1,"),
    ),
)  # fmt: skip
