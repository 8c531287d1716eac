"""Makes the vectors beside it: run once, from the repository's root; what it wrote is kept.

python -m tests.vectors.age.make
"""

import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from security.seal import armor, chunks, header, hybrid, scrypt, x25519
from security.seal.header import Stanza

HERE = Path(__file__).parent / "files"
KEY = bytes.fromhex("4d4f44454c57415244454e2d54455354")
CLASSIC, HYBRID = x25519.generate(), hybrid.generate()
OTHER = x25519.generate()
PASSPHRASE = b"correct horse"
LOW_ORDER = {  # of Curve25519: the points, and their twins beyond the prime
    "zero": bytes(32),
    "one": bytes([1, *bytes(31)]),
    "order_8": bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
    "minus_one": bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "prime": bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    "prime_and_one": bytes.fromhex("ee" + "ff" * 30 + "7f"),
}
Change = Callable[[bytes], bytes]


def swap(old: bytes, new: bytes) -> Change:
    def change(data: bytes) -> bytes:
        assert old in data, old
        return data.replace(old, new, 1)

    return change


def closed(text: bytes) -> bytes:
    """Give text, which ends before the MAC line, a true MAC: only the fault named is there."""
    return text + b"--- " + header.argument(header._mac(KEY, text + b"---")).encode() + b"\n"


def of(*stanzas: Stanza | bytes) -> bytes:
    parts = (s if isinstance(s, bytes) else header.encode(s) for s in stanzas)
    return closed(header.VERSION + b"".join(parts))


CLASSIC_STANZA = CLASSIC.recipient.wrap(KEY)[0]
HYBRID_STANZA = HYBRID.recipient.wrap(KEY)[0]
SCRYPT_STANZA = scrypt.ScryptRecipient(PASSPHRASE, 10).wrap(KEY)[0]


def headers() -> Iterator[tuple[str, str, str, bytes]]:
    """Yield name, kind of end, comment and header."""
    plain = of(CLASSIC_STANZA)
    mac = plain[plain.index(b"--- ") :]
    broken: dict[str, tuple[str, bytes]] = {
        "version_v10": ("a later version", plain.replace(b"v1\n", b"v10\n", 1)),
        "version_capital": ("another case", plain.replace(b"age-", b"AGE-", 1)),
        "version_space": ("a space after the version", plain.replace(b"v1\n", b"v1 \n", 1)),
        "version_bom": ("a byte order mark", b"\xef\xbb\xbf" + plain),
        "version_newline": ("an empty line before", b"\n" + plain),
        "no_stanza": ("no recipient", of()),
        "stanza_two_spaces": ("an empty argument", of(b"-> a  b\n\n", CLASSIC_STANZA)),
        "stanza_trailing_space": ("an empty last argument", of(b"-> a \n\n", CLASSIC_STANZA)),
        "stanza_tab": ("a tab between arguments", of(b"-> a\tb\n\n", CLASSIC_STANZA)),
        "stanza_nul": ("a NUL in an argument", of(b"-> a\0\n\n", CLASSIC_STANZA)),
        "stanza_delete": ("a DEL in an argument", of(b"-> a\x7f\n\n", CLASSIC_STANZA)),
        "stanza_utf8": ("a letter beyond ASCII", of("-> é\n\n".encode(), CLASSIC_STANZA)),
        "stanza_no_space": ("no space after the arrow", of(b"->a\n\n", CLASSIC_STANZA)),
        "stanza_url_base64": ("the other alphabet", of(b"-> a\n-_-_\n", CLASSIC_STANZA)),
        "stanza_base64_inner_padding": ("= inside", of(b"-> a\nAA==AAAA\n", CLASSIC_STANZA)),
        "stanza_base64_space": ("a space in base64", of(b"-> a\nAA AA\n", CLASSIC_STANZA)),
        "stanza_base64_one_over": ("5 characters", of(b"-> a\nAAAAA\n", CLASSIC_STANZA)),
        "stanza_65_columns": ("65 columns", of(b"-> a\n" + b"A" * 65 + b"\n\n", CLASSIC_STANZA)),
        "stanza_68_columns": ("68 columns", of(b"-> a\n" + b"A" * 68 + b"\n", CLASSIC_STANZA)),
        "mac_31_bytes": ("a short MAC", plain.replace(mac, b"--- " + b"A" * 42 + b"\n")),
        "mac_33_bytes": ("a long MAC", plain.replace(mac, b"--- " + b"A" * 44 + b"\n")),
        "mac_no_newline": ("the file ends in its MAC", plain[:-1]),
        "mac_crlf": ("CR LF after the MAC", plain[:-1] + b"\r\n"),
        "mac_two_dashes": ("a shorter mark", plain.replace(b"--- ", b"-- ")),
        "scrypt_and_padding": (
            "a passphrase beside padding",
            of(SCRYPT_STANZA, Stanza(header.PADDING, ("x",), b"")),
        ),
        "padding_and_scrypt": (
            "padding before a passphrase",
            of(Stanza(header.PADDING, ("x",), b""), SCRYPT_STANZA),
        ),
        "stanza_one_too_long": (
            "a header beyond the bound",
            of(CLASSIC_STANZA, Stanza("x", ("y" * header.LIMIT,), b"")),
        ),
        "stanzas_too_many": (
            "a header of small stanzas beyond the bound",
            of(CLASSIC_STANZA, b"-> x\n\n" * (header.LIMIT // 6)),
        ),
        "mac_far_away": ("a last line without end", plain[: -len(mac)] + b"--- " * header.LIMIT),
    }
    for size in (15, 17):
        stanza = Stanza("X25519", CLASSIC_STANZA.args, bytes(size + 16))
        broken[f"x25519_file_key_{size}"] = ("a file key of another size", of(stanza))
    for name, point in LOW_ORDER.items():
        share = header.argument(point)
        stanza = Stanza("X25519", (share,), CLASSIC_STANZA.body)
        broken[f"x25519_low_order_{name}"] = ("a share of low order", of(stanza))
        lattice = header.decode(HYBRID_STANZA.args[0], hybrid.SHARE, "")[: hybrid.LATTICE_SHARE]
        stanza = Stanza(hybrid.TYPE, (header.argument(lattice + point),), HYBRID_STANZA.body)
        broken[f"hybrid_low_order_{name}"] = ("its classic half is of low order", of(stanza))
    for work in ("1_0", "+10", "010", "0x0a", "10.0", "1e1", "21", "63", "64", "99999", "100000"):
        stanza = Stanza("scrypt", (SCRYPT_STANZA.args[0], work), SCRYPT_STANZA.body)
        broken[f"scrypt_work_{work}"] = ("a work factor that is none, or too large", of(stanza))
    for name, (comment, data) in broken.items():
        yield name, "header failure", comment, data
    yield from sealed()


def sealed() -> Iterator[tuple[str, str, str, bytes]]:
    """Yield headers that parse."""
    padded = header.build(KEY, [CLASSIC.recipient, OTHER.recipient])
    first, second = header.parse(padded).stanzas[:2]
    one, other = header.encode(first), header.encode(second)
    elsewhere = header.build(bytes(16), [OTHER.recipient])[-48:]
    changes: dict[str, Change] = {
        "mac_stanza_taken": swap(other, b""),
        "mac_stanza_added": swap(other, other + b"-> more\n\n"),
        "mac_stanzas_swapped": swap(one + other, other + one),
        "mac_padding_changed": swap(b"xxxx", b"xxxy"),
        "mac_padding_taken": lambda data: data[: data.index(b"-> padding")] + data[-48:],
        "mac_of_another_file": lambda data: data[:-48] + elsewhere,
    }
    for name, change in changes.items():
        yield name, "HMAC failure", "the header was changed after sealing", change(padded)
    for size in (4096, 8192, 65536, header.LIMIT):
        yield f"padded_{size}", "success", "", header.build(KEY, [CLASSIC.recipient], size=size)
        data = header.build(KEY, [HYBRID.recipient], size=size)
        yield f"padded_hybrid_{size}", "success", "", data
    yield "unpadded", "success", "", header.build(KEY, [CLASSIC.recipient], size=0)
    yield "scrypt_own", "success", "", of(SCRYPT_STANZA)
    yield "others_only", "no match", "", header.build(KEY, [OTHER.recipient])
    yield "padding_only", "no match", "", of(Stanza(header.PADDING, ("x",), b""))


def armors() -> Iterator[tuple[str, str, bytes]]:
    """Yield name, comment and an armoured file, each a failure of the armour."""
    good = armor.armor(of(CLASSIC_STANZA) + chunks.seal_bytes(KEY, b"weights"))
    lines = good.split(b"\n")
    crlf = b"\r\n".join(lines)
    yield "armor_mixed_ends", "LF and CR LF", crlf.replace(b"\r\n", b"\n", 2)
    yield "armor_cr_only", "CR alone", good.replace(b"\n", b"\r")
    yield "armor_bom", "a byte order mark", b"\xef\xbb\xbf" + good
    yield "armor_nul", "a NUL before it", b"\0" + good
    yield "armor_twice", "two armours", good + good
    yield "armor_empty_inside", "an empty line inside", good.replace(b"\n", b"\n\n", 3)
    yield "armor_comment", "a header line", good.replace(b"\n", b"\nComment: x\n\n", 1)
    yield "armor_76_columns", "other columns", rewrapped(lines, 76)
    yield "armor_one_line", "one line", rewrapped(lines, 1 << 20)
    yield "armor_padding_inside", "= inside", lines[0] + b"\nAA==\n" + b"\n".join(lines[1:])
    yield "armor_padding_only", "= alone", b"\n".join([lines[0], b"====", *lines[-2:]])
    yield "armor_url_alphabet", "the other alphabet", b"\n".join([lines[0], b"-_-_", *lines[-2:]])
    yield "armor_begin_only", "no more than its first line", lines[0] + b"\n"
    yield "armor_begin_and_end", "one line for both", lines[0] + lines[-2]
    yield "armor_tail", "text after its end, on the line", good[:-1] + b" x\n"


def rewrapped(lines: list[bytes], columns: int) -> bytes:
    text = b"".join(lines[1:-2])
    body = [text[at : at + columns] for at in range(0, len(text), columns)]
    return b"\n".join([lines[0], *body, *lines[-2:]])


def write(name: str, expect: str, comment: str, data: bytes, *, armored: bool = False) -> None:
    lines = [f"expect: {expect}", f"file key: {KEY.hex()}"]
    if "scrypt" in name:
        lines.append(f"passphrase: {PASSPHRASE.decode()}")
    else:
        lines.append(f"identity: {(HYBRID if 'hybrid' in name else CLASSIC).secret()}")
    if armored:
        lines.append("armored: yes")
    if comment:
        lines.append(f"comment: {comment}")
    if len(data) > 3000:
        lines.append("compressed: zlib")
        data = zlib.compress(data, 9)
    (HERE / name.replace(".", "_point_").replace("+", "plus_")).write_bytes(
        "\n".join(lines).encode() + b"\n\n" + data
    )


def main() -> None:
    HERE.mkdir(exist_ok=True)
    for name, expect, comment, head in headers():
        payload = chunks.seal_bytes(KEY, b"weights")
        write(name, expect, comment, head + payload)
    for name, comment, data in armors():
        write(name, "armor failure", comment, data, armored=True)


if __name__ == "__main__":
    main()
