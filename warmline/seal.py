"""Keeping phone numbers and other secrets unreadable at rest, and still findable.

Every use has its own key, derived from the installation's secret. A sealed value opens with a byte
that names the secret it was sealed under, so that a newer secret can be put in front of the old.
"""

import hashlib
import hmac
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from terms.phone import PhoneNumber

_KEY_BYTES = 32
_NONCE_BYTES = 12
_PHONE = b"phone"


class SealBroken(Exception):
    """The bytes were not sealed by this installation, or were changed since."""


class AesSeal:
    """AES-256-GCM with keyed hashes beside it; implements `terms.phone.Seal`.

    `secret` seals; `older` secrets only open what they once sealed. Look-ups keep using the eldest
    secret, because a stored index cannot be re-keyed without opening every number.
    """

    def __init__(self, secret: bytes, *older: bytes) -> None:
        self._ciphers: dict[int, AESGCM] = {}
        for key in (secret, *older):
            name = _derive(key, b"key name")[0]
            if name in self._ciphers:
                raise ValueError("two secrets share a name: choose another secret")
            self._ciphers[name] = AESGCM(_derive(key, b"seal"))
        self._current = next(iter(self._ciphers))
        self._index_key = _derive((secret, *older)[-1], b"index")
        self._sign_keys = tuple(_derive(key, b"sign") for key in (secret, *older))

    def seal(self, number: PhoneNumber) -> bytes:
        """Encrypt; the same number sealed twice differs."""
        return self._encrypt(number.digits.encode(), _PHONE)

    def open(self, sealed: bytes) -> PhoneNumber:
        """Decrypt what `seal` gave. Raises SealBroken."""
        return PhoneNumber(self._decrypt(sealed, _PHONE).decode())

    def index(self, number: PhoneNumber) -> bytes:
        """A keyed hash, equal for equal numbers: what look-ups compare."""
        return _digest(self._index_key, number.digits.encode())

    def index_text(self, text: str, purpose: str) -> bytes:
        """A keyed hash, equal for equal texts of one purpose: what look-ups compare."""
        return _digest(self._index_key, _tagged(text.encode(), purpose))

    def seal_text(self, text: str, purpose: str) -> bytes:
        """Encrypt any short secret; `purpose` must be given again to open it."""
        return self._encrypt(text.encode(), _purpose(purpose))

    def open_text(self, sealed: bytes, purpose: str) -> str:
        """Decrypt what `seal_text` gave for the same purpose. Raises SealBroken."""
        return self._decrypt(sealed, _purpose(purpose)).decode()

    def sign(self, message: bytes, purpose: str) -> bytes:
        """A tag that only this installation can make; another purpose gives another tag."""
        return _digest(self._sign_keys[0], _tagged(message, purpose))

    def signed(self, message: bytes, purpose: str, tag: bytes) -> bool:
        """Whether `sign` made `tag` for this message and purpose. Takes constant time."""
        tagged = _tagged(message, purpose)
        matches = [hmac.compare_digest(_digest(key, tagged), tag) for key in self._sign_keys]
        return any(matches)

    def _encrypt(self, plain: bytes, context: bytes) -> bytes:
        nonce = os.urandom(_NONCE_BYTES)
        name = self._current
        return bytes([name]) + nonce + self._ciphers[name].encrypt(nonce, plain, context)

    def _decrypt(self, sealed: bytes, context: bytes) -> bytes:
        cipher = self._ciphers.get(sealed[0]) if sealed else None
        if cipher is None:
            raise SealBroken("sealed under a secret that is not configured here")
        nonce, body = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
        try:
            return cipher.decrypt(nonce, body, context)
        except (InvalidTag, ValueError) as broken:
            raise SealBroken("the sealed bytes were changed") from broken


def _derive(secret: bytes, use: bytes) -> bytes:
    return HKDF(SHA256(), _KEY_BYTES, salt=None, info=b"warmline " + use).derive(secret)


def _digest(key: bytes, message: bytes) -> bytes:
    return hmac.digest(key, message, hashlib.sha256)


def _purpose(purpose: str) -> bytes:
    return b"text " + purpose.encode()


def _tagged(message: bytes, purpose: str) -> bytes:
    return len(purpose.encode()).to_bytes(2) + purpose.encode() + message
