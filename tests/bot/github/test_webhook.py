from __future__ import annotations

import hashlib
import hmac
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import TooLarge
from bot.github import webhook
from bot.github.errors import Forged, GitHubError, Malformed
from bot.serve.contract import Delivery

GUID = "72d3162e-cc78-11e3-81ab-4c9367dc0958"
BODY = b'{"zen": "Keep it logically awesome."}'


def headers(body: bytes = BODY, secret: str = "it", **changed: Any) -> dict[str, str]:
    given: dict[str, Any] = {
        "Content-Length": str(len(body)),
        "Content-Type": "application/json",
        "X-GitHub-Delivery": GUID,
        "X-GitHub-Event": "ping",
        "X-Hub-Signature-256": webhook.signature(body, secret),
    }
    given |= {name.replace("_", "-"): value for name, value in changed.items()}
    return {name: value for name, value in given.items() if value is not None}


def test_the_signature_is_githubs() -> None:
    # The example of GitHub's own documentation.
    made = webhook.signature(b"Hello, World!", "It's a Secret to Everybody")
    assert made == "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"


def test_a_signed_delivery_comes_through() -> None:
    assert webhook.verify(headers(), BODY, ("it",), now=7.0) == Delivery(GUID, "ping", BODY, 7.0)


def test_names_of_headers_have_no_case() -> None:
    lower = {name.lower(): value for name, value in headers().items()}
    assert webhook.verify(lower, BODY, ("it",)).id == GUID


@pytest.mark.parametrize("secrets", [("it", "old"), ("new", "it"), ("a", "it", "b")])
def test_several_secrets_hold_while_they_are_rotated(secrets: tuple[str, ...]) -> None:
    assert webhook.verify(headers(), BODY, secrets).event == "ping"


def test_a_body_without_an_announced_length_is_fine() -> None:
    assert webhook.verify(headers(Content_Length=None), BODY, ("it",)).id == GUID


SHA1 = "sha1=" + hmac.new(b"it", BODY, hashlib.sha1).hexdigest()
GOOD = webhook.signature(BODY, "it")


@pytest.mark.parametrize(
    ("changed", "error", "says"),
    [
        ({"X_Hub_Signature_256": None}, Forged, "no signature"),
        ({"X_Hub_Signature_256": None, "X_Hub_Signature": SHA1}, Forged, "old SHA-1"),
        ({"X_Hub_Signature_256": SHA1}, Forged, "none"),
        ({"X_Hub_Signature_256": ""}, Forged, "none"),
        ({"X_Hub_Signature_256": GOOD[:-1]}, Forged, "none"),
        ({"X_Hub_Signature_256": GOOD.upper()}, Forged, "none"),
        ({"X_Hub_Signature_256": GOOD + "\n"}, Forged, "none"),
        ({"X_Hub_Signature_256": GOOD.replace("sha256", "sha512")}, Forged, "none"),
        ({"X_Hub_Signature_256": "sha256=" + "é" * 64}, Forged, "none"),
        ({"X_Hub_Signature_256": webhook.signature(BODY, "other")}, Forged, "does not hold"),
        ({"X_Hub_Signature_256": webhook.signature(BODY + b" ", "it")}, Forged, "does not hold"),
        ({"Content_Length": str(webhook.LIMIT + 1)}, TooLarge, "25,000,001 bytes"),
        ({"Content_Length": "9" * 40}, Malformed, "Content-Length"),
        ({"Content_Length": "-1"}, Malformed, "Content-Length"),
        ({"Content_Length": "²"}, Malformed, "Content-Length"),
        ({"Content_Length": "1"}, Malformed, "announced"),
        ({"Content_Type": "application/x-www-form-urlencoded"}, Malformed, "content type"),
        ({"Content_Type": None}, Malformed, "content type"),
        ({"X_GitHub_Delivery": None}, Malformed, "x-github-delivery"),
        ({"X_GitHub_Delivery": "a/../../b" * 3}, Malformed, "x-github-delivery"),
        ({"X_GitHub_Delivery": "x" * 65}, Malformed, "x-github-delivery"),
        ({"X_GitHub_Event": None}, Malformed, "x-github-event"),
        ({"X_GitHub_Event": "Push"}, Malformed, "x-github-event"),
        ({"X_GitHub_Event": "push\n"}, Malformed, "x-github-event"),
    ],
)
def test_what_is_not_githubs_is_refused(
    changed: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        webhook.verify(headers(**changed), BODY, ("it",))


def test_a_header_given_twice_is_refused() -> None:
    twice = headers() | {"x-hub-signature-256": GOOD}
    with pytest.raises(Malformed, match="twice"):
        webhook.verify(twice, BODY, ("it",))


@pytest.mark.parametrize("secrets", [(), ("",), ("it", "")])
def test_without_a_secret_nothing_is_believed(secrets: tuple[str, ...]) -> None:
    with pytest.raises(Forged, match="no webhook secret"):
        webhook.verify(headers(secret=""), BODY, secrets)


def test_a_body_beyond_the_cap_is_refused_before_its_signature_is_looked_at() -> None:
    given = headers(Content_Length=None)
    with pytest.raises(TooLarge):
        webhook.verify(given, BODY, ("it",), limit=len(BODY) - 1)


def test_the_headers_alone_are_refused_before_the_body_is_read() -> None:
    webhook.admit(headers())
    with pytest.raises(Forged):
        webhook.admit(headers(X_Hub_Signature_256=None))
    with pytest.raises(TooLarge):
        webhook.admit(headers(), limit=3)


def test_no_error_shows_the_secret_or_the_right_signature() -> None:
    with pytest.raises(Forged) as caught:
        webhook.verify(headers(secret="no"), BODY, ("hush-hush",))
    shown = f"{caught.value!r} {caught.value.hint}"
    assert "hush" not in shown and webhook.signature(BODY, "hush-hush") not in shown


@settings(max_examples=200)
@given(body=st.binary(max_size=300), flip=st.integers(0, 10_000), secret=st.text(min_size=1))
def test_one_changed_bit_breaks_it(body: bytes, flip: int, secret: str) -> None:
    secret = secret.encode("utf-8", "replace").decode()
    signed = headers(body, secret)
    assert webhook.verify(signed, body, (secret,)).body == body
    if body:
        place = flip % (len(body) * 8)
        changed = bytearray(body)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(Forged):
            webhook.verify(signed, bytes(changed), (secret,))


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from([*headers(), "X-Hub-Signature", "Host"]) | st.text(max_size=30),
        st.text(max_size=80) | st.sampled_from(list(headers().values())),
    ),
    st.binary(max_size=100),
)
def test_strangers_never_get_further_than_a_refusal(given: dict[str, str], body: bytes) -> None:
    with pytest.raises((GitHubError, TooLarge)):
        webhook.verify(given, body, ("a secret nobody knows",))
