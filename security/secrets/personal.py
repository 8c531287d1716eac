"""Data about people: addresses, telephone and account numbers, numbers of the state."""

from __future__ import annotations

from security.secrets.values import WORD, Kind, Rule, Space

_LOCAL = "A-Za-z0-9._%+-"
_ISSUER = "(?:4[0-9]{3}|5[1-5][0-9]{2}|2[2-7][0-9]{2}|6011|65[0-9]{2}|35[2-8][0-9])"
_CARD = (
    f"{_ISSUER}[0-9]{{12}}|{_ISSUER}(?: [0-9]{{4}}){{3}}|{_ISSUER}(?:-[0-9]{{4}}){{3}}"
    "|3[47][0-9]{13}|3[47][0-9]{2} [0-9]{6} [0-9]{5}|3[47][0-9]{2}-[0-9]{6}-[0-9]{5}"
)
_TO = "[a-z_ ]{0,8}[.]?[\"']?[:=][ \t]{0,3}[\"']?"
_LONG = (
    "[0-9]{15}|[0-9]{4}(?: [0-9]{4}){3}|[0-9]{4}(?:-[0-9]{4}){3}|[0-9]{4}[ -][0-9]{6}[ -][0-9]{5}"
)
_BORN = (
    "date[ _-]?of[ _-]?birth|birth[ _-]?date|dob|geburtsdatum|geboren am|date de naissance"
    "|fecha de nacimiento"
)


def _rule(
    name: str, title: str, pattern: str, valid: str, anchors: str, samples: str, others: str, *,
    space: Space = Space.EXACT, back: str = "", reach: int = 0, left: str = f"{WORD}_.-",
    right: str = f"{WORD}_", finds: str = "", weak: bool = False,
) -> Rule:  # fmt: skip
    """`anchors`, `samples` and `others` are told apart by bars."""
    return Rule(
        name, title, pattern, tuple(anchors.split("|")), space, back, reach, left, right, finds,
        valid, 0.0, Kind.PERSONAL, weak, samples=tuple(samples.split("|")),
        others=tuple(others.split("|")),
    )  # fmt: skip


RULES: tuple[Rule, ...] = (
    _rule("email", "an e-mail address",
          f"[{_LOCAL}]{{1,64}}@(?:[A-Za-z0-9-]{{1,63}}[.]){{1,8}}[A-Za-z]{{2,24}}", "email", "@",
          "{l8}.{l6}@{l9}.com|{l7}@mail.{l8}.co.uk|<{l5}+tag@{l7}.de>",
          "ada@example.com|git@github.com|icon@2x.png|noreply@somewhere.org"
          "|1+x@users.noreply.github.com|x@w.T|info@mycompany.com|a@b.to(device)",
          back=_LOCAL, reach=64, left=_LOCAL, right=WORD,
          finds=f"[{_LOCAL}]@[A-Za-z0-9-]+[.][A-Za-z0-9-]"),
    _rule("phone", "a telephone number",
          r"[+][1-9][0-9]{0,2}[ .-]?(?:[(][0-9]{1,4}[)][ .-]?)?[0-9]{1,4}(?:[ .-]?[0-9]{2,4}){1,4}",
          "phone", "+", "+49 30 9{d6}|+1 415 867 53{d2}|+336{d8}|+44 20 8{d3} {d4}",
          "+1 212 555 0123|+44 20 7946 0958"
          "|+2147483647|+4294967296|+100000000|1e+10000000|+000000000",
          left=f"{WORD}_+.", finds=r"[+][1-9][0-9 .()-]{5}"),
    _rule("phone-national", "a telephone number",
          r"[(][2-9][0-9]{2}[)] ?[2-9][0-9]{2}-[0-9]{4}|[2-9][0-9]{2}-[2-9][0-9]{2}-[0-9]{4}"
          r"|[2-9][0-9]{2}[.][2-9][0-9]{2}[.][0-9]{4}|0[1-9](?: [0-9]{2}){4}"
          r"|0[1-9](?:[.][0-9]{2}){4}",
          "phone", "(000) 000-0000|(000)000-0000|000-000-0000|000.000.0000|00 00 00 00 00"
          "|00.00.00.00.00", "(415) 867-53{d2}|415-867-53{d2}|01 4{d1} {d2} {d2} {d2}",
          "(212) 555-0123|00 01 02 03 04 05 06|911-222-3333|212-555-0199|123-456-7890|2024-10-1234",
          space=Space.SHAPE, left=f"{WORD}_.+/-", right=f"{WORD}_/-",
          finds="[0-9]{3}(?:[)] ?|[.-])[0-9]{3}[.-][0-9]{4}|[0-9]{2}(?:[ .][0-9]{2}){4}"),
    _rule("phone-labelled", "a telephone number",
          rf"(?i)(?:phone|telefon|mobil|handy|fax|tel){_TO}([+(]?[0-9][0-9 /().-]{{6,20}}[0-9])",
          "labelled", "phone|telefon|mobil|handy|fax|tel",
          "Telefon: 030 / 9{d7}|phone: \"98{d8}\"|mobile=0171 {d7}",
          "phone: 1234567890|tel: 555-0123|phone=0000000000",
          space=Space.LOWER, left="",
          finds=f"(?i)(?:phone|telefon|mobil|handy|fax|tel){_TO}[+(]?[0-9][0-9 /().-]{{6}}"),
    _rule("credit-card", "a payment card number", _CARD, "card",
          "000000000000000|0000 0000 0000 0000|0000-0000-0000-0000|0000 000000 00000"
          "|0000-000000-00000",
          "{card}|{card4}|{amex}", "4111 1111 1111 1112|0.4242424242424242|5300000000000001",
          space=Space.SHAPE, left=f"{WORD}_.+/=-", right=f"{WORD}_=+/-", finds=_LONG),
    _rule("iban", "an IBAN",
          "[A-Z]{2}[0-9]{2}(?:[A-Z0-9]{11,30}|(?: [A-Z0-9]{4}){2,7}(?: [A-Z0-9]{1,3})?)", "iban",
          "AA00",
          "{iban}|{iban4}", "DE89370400440532013001|AB12345678901234567890|GB00 0000 0000",
          space=Space.SHAPE, left=f"{WORD}_+/=-", finds="[A-Z]{2}[0-9]{2} ?[A-Z0-9]{4}"),
    _rule("us-ssn", "a US social security number", "[0-9]{3}-[0-9]{2}-[0-9]{4}", "ssn",
          "000-00-0000",
          "51{d1}-7{d1}-1{d3}", "000-12-3456|666-12-3456|912-12-3456|212-00-1234|212-12-0000",
          space=Space.SHAPE, left=f"{WORD}_.+/-", right=f"{WORD}_-"),
    _rule("fr-nir", "a French social security number",
          "[12][0-9]{2}(?:0[1-9]|1[0-2])(?:[0-9]{2}|2[AB])[0-9]{8}"
          "|[12] [0-9]{2} (?:0[1-9]|1[0-2]) (?:[0-9]{2}|2[AB]) [0-9]{3} [0-9]{3} [0-9]{2}",
          "nir", "000000000000000|000000A00000000|0 00 00 ", "{nir}",
          "185057800608490|1 85 05 78 006 084 92", space=Space.SHAPE, right=f"{WORD}_.",
          finds="[0-9]{15}|[0-9]{6}[AB][0-9]{8}|[0-9] [0-9]{2} [0-9]{2} [0-9][0-9AB] "),
    _rule("es-dni", "a Spanish DNI or NIE", "(?:[0-9]{8}|[XYZ]-?[0-9]{7})-?[A-HJ-NP-TV-Z]", "dni",
          "00000000A|00000000-A|A0000000A|A0000000-A|A-0000000A|A-0000000-A", "{dni}",
          "12345678A|X1234567A", space=Space.SHAPE, left=f"{WORD}_./-",
          finds="[0-9]{7}-?[A-Z]", weak=True),
    _rule("de-tax-id", "a German tax number",
          r"(?i)(?:steuer-?id(?:entifikationsnummer|-?nr)?|idnr|tax[ _-]?id)[.]?[^0-9\n]{1,8}"
          "([0-9]{2} ?[0-9]{3} ?[0-9]{3} ?[0-9]{3})", "steuer", "steuer|idnr|tax",
          "Steuer-ID: {steuer}|tax_id=\"{steuer}\"", "Steuer-ID: 12345678901|tax id 00000000000",
          space=Space.LOWER, left=""),
    _rule("in-aadhaar", "an Aadhaar number", "[2-9][0-9]{3} [0-9]{4} [0-9]{4}", "aadhaar",
          "0000 0000 0000", "{aadhaar}", "2345 6789 0123|2000 2001 2002", space=Space.SHAPE,
          left=f"{WORD}_.,+-", right=f"{WORD}_.,-"),
    _rule("passport", "the machine-readable line of a passport", "P<[A-Z]{3}[A-Z<]{39}", "mrz",
          "P<", "P<UTO{C10}<<{C8}<<<<<<<<<<<<<<<<<<<", "P<UTO", finds="P<[A-Z]{3}"),
    _rule("birth-date", "a date of birth",
          rf"(?i)(?:{_BORN})[\"']?[ \t:=]{{1,5}}[\"']?"
          r"([0-9]{4}[./-][0-9]{1,2}[./-][0-9]{1,2}|[0-9]{1,2}[./-][0-9]{1,2}[./-][0-9]{4})",
          "any", "date|birth|dob|geb|fecha",
          "DOB: 0{e1}/1{d1}/19{d2}|\"birthdate\": \"19{d2}-0{e1}-1{d1}\"",
          "dob: unknown|birthdate 12", space=Space.LOWER, left="A-Za-z", weak=True),
    _rule("ipv4", "a public IP address",
          "[0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]{1,3}", "ipv4", ".0.|.00.|.000.",
          "93.184.1{d2}.3{e1}|\"51.15.{e1}{d1}.2{e1}\"",
          "192.0.2.7|10.0.0.1|127.0.0.1|8.8.8.8|300.1.1.1|192.168.1.1|1.2.3.4.5|v52.1.2.33",
          space=Space.SHAPE,
          finds="[0-9][.][0-9]{1,3}[.][0-9]{1,3}[.][0-9]", back="0-9", reach=3,
          left=f"{WORD}_./=<>~-", right=f"{WORD}_/-", weak=True),
    _rule("ipv6", "a public IP address",
          "[23][0-9A-Fa-f]{3}:(?:[0-9A-Fa-f]{0,4}:){1,6}[0-9A-Fa-f]{0,4}", "ipv6", "0000:0|0000::",
          "2a01:4f8:{h4}:{h4}::{e1}|2606:4700:3031::6815:{h4}",
          "2001:db8::1|2023:10:12|fe80::1|2001:4860:4860::8888", space=Space.HEX,
          finds="[0-9A-Fa-f]{4}:[0-9A-Fa-f:]",
          left=f"{WORD}_.:-", right=f"{WORD}_:", weak=True),
)  # fmt: skip
