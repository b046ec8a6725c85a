"""Voucher codes: hard to guess, forgiving to type."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing.code import ALPHABET, LENGTH, RANDOM_BYTES, draw, hashed, read, spaced
from terms.refusals import RefusalCode, Refused

CODES = st.binary(min_size=RANDOM_BYTES, max_size=RANDOM_BYTES).map(draw)


@given(CODES)
def test_a_code_has_sixteen_characters_that_nobody_confuses(code: str) -> None:
    assert len(code) == LENGTH == 16
    assert set(code) <= set(ALPHABET)
    assert not set("ILOU") & set(ALPHABET)
    assert len(set(ALPHABET)) == 32


@given(st.integers(0, 2**75 - 1), st.integers(0, 2**75 - 1))
def test_75_bits_of_randomness_all_end_up_in_the_code(one: int, other: int) -> None:
    codes = {draw(number.to_bytes(RANDOM_BYTES)) for number in (one, other)}

    assert len(codes) == len({one, other})


def test_a_code_is_not_made_of_too_little_randomness() -> None:
    with pytest.raises(ValueError, match="10 random bytes"):
        draw(b"short")


@given(CODES, st.data())
def test_one_wrong_character_is_noticed(code: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, LENGTH - 1))
    wrong = data.draw(st.sampled_from(ALPHABET.replace(code[place], "")))

    with pytest.raises(Refused) as refused:
        read(code[:place] + wrong + code[place + 1 :])
    assert refused.value.code is RefusalCode.VOUCHER_INVALID


@given(CODES, st.data())
def test_two_characters_that_changed_places_are_noticed(code: str, data: st.DataObject) -> None:
    one = data.draw(st.integers(0, LENGTH - 2))
    other = data.draw(st.integers(one + 1, LENGTH - 1))
    typed = list(code)
    typed[one], typed[other] = typed[other], typed[one]

    if "".join(typed) == code:
        assert read("".join(typed)) == code
    else:
        with pytest.raises(Refused):
            read("".join(typed))


@given(CODES)
def test_a_code_is_read_however_a_person_types_it(code: str) -> None:
    wide = "".join(chr(ord(character) + 0xFEE0) for character in code)
    ways = (
        code,
        spaced(code),
        spaced(code).lower(),
        f"  {code[:5]} {code[5:]}\n",
        spaced(code).replace("-", "—"),
        wide,
        code.replace("0", "O").replace("1", "l"),
        code.replace("0", "o").replace("1", "I"),
    )

    assert {read(way) for way in ways} == {code}


@pytest.mark.parametrize("typed", ["", "ABCD", "U" * 16, "0" * 17, "零" * 16, "\0" * 16])
def test_what_cannot_be_a_code_is_refused_without_a_look_up(typed: str) -> None:
    with pytest.raises(Refused) as refused:
        read(typed)

    assert refused.value.code is RefusalCode.VOUCHER_INVALID


def test_the_stored_hash_depends_on_the_house_key_and_does_not_show_the_code() -> None:
    code = draw(bytes(range(RANDOM_BYTES)))

    assert hashed(code, b"one key") == hashed(code, b"one key")
    assert hashed(code, b"one key") != hashed(code, b"another key")
    assert len(hashed(code, b"one key")) == 32
    assert code.encode() not in hashed(code, b"one key")


def test_a_code_is_sent_in_groups_of_four() -> None:
    assert spaced("ABCDEFGH01234567") == "ABCD-EFGH-0123-4567"
