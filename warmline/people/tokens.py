"""Opaque tokens: 256 random bits behind a prefix that tells their kind; only a hash is stored."""

import hashlib
import secrets
from enum import StrEnum


class TokenKind(StrEnum):
    """The prefix is for people and scanners of leaked secrets; it proves nothing."""

    APP = "wk_"
    DEVICE = "wd_"
    STAFF = "ws_"


def new_token(kind: TokenKind) -> str:
    """A token nobody can guess. Shown once, never stored."""
    return kind + secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored and looked up. A plain hash will do: the token has 256 bits of its own."""
    return hashlib.sha256(token.encode()).digest()
