"""Check digits, against numbers that their makers publish."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from security.secrets import checksums


@pytest.mark.parametrize(
    ("check", "number"),
    [
        (checksums.luhn, "4111111111111111"),
        (checksums.luhn, "378282246310005"),
        (checksums.mod97, "GB29NWBK60161331926819"),
        (checksums.mod97, "DE89370400440532013000"),
        (checksums.verhoeff, "2363"),
        (checksums.mod11_10, "86095742719"),
        (checksums.nir, "255081416802538"),
        (checksums.dni, "12345678Z"),
        (checksums.dni, "X1234567L"),
    ],
)
def test_published_numbers_hold_and_their_neighbours_do_not(
    check: Callable[[str], bool], number: str
) -> None:
    assert check(number)
    digits = [i for i, c in enumerate(number) if c.isdigit()]
    for at in digits:
        other = number[:at] + str((int(number[at]) + 1) % 10) + number[at + 1 :]
        assert not check(other), other
