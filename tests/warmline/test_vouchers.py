"""Codes of vouchers: how hard they are to guess, and that the decision record says so."""

import re
from pathlib import Path

import pytest

from billing.code import ALPHABET, LENGTH, spaced
from routing.guessing import LIMITS, POINTS, Miss, TriedBy
from warmline.redeeming import tries_from
from warmline.seal import AesSeal
from warmline.vouchers import code_digest, ending_of, new_codes

RECORD = (Path(__file__).parents[2] / "docs" / "adr" / "0012-voucher-codes.md").read_text("utf-8")
CODES = len(ALPHABET) ** (LENGTH - 1)
GOOD = 10**6
HIT = GOOD / CODES
STOLEN_HASHES_PER_SECOND = 10**10
DAY_SECONDS = 86_400

_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def guesses_a_day(by: TriedBy) -> int:
    day = next(limit for limit in LIMITS[by] if limit.window_seconds == DAY_SECONDS)
    return day.count // POINTS[Miss.GUESS]


def told(number: float) -> bool:
    """Whether the record names it, to two digits."""
    found = re.findall(r"(\d\.\d) × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)", RECORD)
    exact = f"{number:.1e}"
    return any(f"{float(a)}e{int(b.translate(_SUPERSCRIPTS)):+03}" == exact for a, b in found)


def test_the_record_gives_the_odds_that_follow_from_alphabet_and_limits() -> None:
    assert told(float(CODES))
    assert told(HIT)
    assert told(HIT * guesses_a_day(TriedBy.NUMBER) * 365)
    assert told(HIT * guesses_a_day(TriedBy.ADDRESS) * 365 * 10 * 10**6)
    assert "75 bits" in RECORD
    assert CODES == 2**75


def test_the_record_says_why_a_hash_without_a_key_would_not_do() -> None:
    days = CODES / GOOD / STOLEN_HASHES_PER_SECOND / DAY_SECONDS

    assert f"is found in {days:.0f} days" in RECORD


@pytest.mark.parametrize(
    ("by", "name"),
    [
        (TriedBy.DEVICE, "device"),
        (TriedBy.NUMBER, "number"),
        (TriedBy.STAFF, "member of staff"),
        (TriedBy.ADDRESS, "address (IPv6: its /64)"),
    ],
)
def test_the_record_lists_the_limits_that_hold(by: TriedBy, name: str) -> None:
    hour, day = LIMITS[by]

    assert f"| {name} | {hour.count} | {day.count} | {guesses_a_day(by)} |" in RECORD


def test_no_two_of_many_codes_are_alike() -> None:
    codes = new_codes(20_000)

    assert len(set(codes)) == len(codes)
    assert {len(code) for code in codes} == {LENGTH}


def test_a_code_is_found_under_the_key_it_was_issued_with_after_a_new_secret_came() -> None:
    (code,) = new_codes(1)
    before = code_digest(AesSeal(b"the old secret, 0123456789"), code)
    rotated = AesSeal(b"a newer secret, 0123456789", b"the old secret, 0123456789")

    assert code_digest(rotated, code) == before
    assert code_digest(AesSeal(b"another house, 0123456789"), code) != before


def test_what_is_kept_of_a_code_beside_its_hash_is_its_end() -> None:
    assert ending_of("ABCDEFGH01234567") == "4567"
    assert spaced("ABCDEFGH01234567").endswith(ending_of("ABCDEFGH01234567"))


def test_tries_from_one_ipv6_network_are_counted_together_and_neighbours_apart(
    seal: AesSeal,
) -> None:
    def subject(address: str) -> bytes:
        return tries_from(seal, address)

    assert subject("2001:db8:1:2::1") == subject("2001:db8:1:2:ffff::9")
    assert subject("2001:db8:1:2::1") != subject("2001:db8:1:3::1")
    assert subject("192.0.2.1") != subject("192.0.2.2")
    assert subject("unknown") == subject("unknown")
