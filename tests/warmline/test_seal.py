"""Numbers at rest: unreadable, findable, and bound to this installation."""

import pytest

from terms.phone import PhoneNumber, Seal
from warmline.seal import AesSeal, SealBroken

NUMBER = PhoneNumber("+8613800010001")
OTHER = PhoneNumber("+8613800010002")
OLD = b"the old secret of this installation, 0123456789"
NEW = b"the new secret of this installation, 9876543210"


def test_what_is_sealed_opens_again(seal: AesSeal) -> None:
    kept: Seal = seal

    assert kept.open(kept.seal(NUMBER)) == NUMBER


def test_the_same_number_never_looks_the_same_and_never_like_itself(seal: AesSeal) -> None:
    once, again = seal.seal(NUMBER), seal.seal(NUMBER)

    assert once != again
    assert b"138" not in once


def test_the_index_is_equal_for_equal_numbers_only(seal: AesSeal) -> None:
    assert seal.index(NUMBER) == seal.index(PhoneNumber("+8613800010001"))
    assert seal.index(NUMBER) != seal.index(OTHER)
    assert seal.index(NUMBER) != AesSeal(NEW).index(NUMBER)


@pytest.mark.parametrize("place", [0, 1, 13, -1])
def test_one_changed_byte_is_noticed(seal: AesSeal, place: int) -> None:
    sealed = bytearray(seal.seal(NUMBER))
    sealed[place] ^= 1

    with pytest.raises(SealBroken):
        seal.open(bytes(sealed))


@pytest.mark.parametrize("sealed", [b"", b"\x00", b"x" * 12])
def test_bytes_that_were_never_sealed_are_refused(seal: AesSeal, sealed: bytes) -> None:
    with pytest.raises(SealBroken):
        seal.open(sealed)


def test_another_installation_cannot_open_it(seal: AesSeal) -> None:
    with pytest.raises(SealBroken):
        AesSeal(NEW).open(seal.seal(NUMBER))


def test_after_a_change_of_secret_old_values_open_and_numbers_are_still_found() -> None:
    before, after = AesSeal(OLD), AesSeal(NEW, OLD)

    assert after.open(before.seal(NUMBER)) == NUMBER
    assert after.index(NUMBER) == before.index(NUMBER)
    assert after.signed(b"message", "cursor", before.sign(b"message", "cursor"))
    with pytest.raises(SealBroken):
        before.open(after.seal(NUMBER))


def test_the_same_secret_twice_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="share a name"):
        AesSeal(OLD, OLD)


def test_a_text_opens_for_its_own_purpose_only(seal: AesSeal) -> None:
    sealed = seal.seal_text("JBSWY3DPEHPK3PXP", "totp")

    assert seal.open_text(sealed, "totp") == "JBSWY3DPEHPK3PXP"
    with pytest.raises(SealBroken):
        seal.open_text(sealed, "voucher")
    with pytest.raises(SealBroken):
        seal.open(sealed)


def test_a_tag_holds_for_its_message_and_purpose_only(seal: AesSeal) -> None:
    tag = seal.sign(b"after=12", "cursor")

    assert seal.signed(b"after=12", "cursor", tag)
    assert not seal.signed(b"after=13", "cursor", tag)
    assert not seal.signed(b"after=12", "cookie", tag)
    assert not seal.signed(b"rafter=12", "curso", tag)
