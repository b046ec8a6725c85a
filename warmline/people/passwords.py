"""Passwords: argon2id, in a thread, a few at a time because each takes 64 MB."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

_AT_ONCE = 2


class Passwords:
    """Hashes and checks; an unknown person costs as much time as a known one."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher()
        self._threads = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="argon2")
        # In a thread: nobody has to wait for it while the process starts.
        self._nobody = self._threads.submit(self._hasher.hash, "nobody's password")

    async def hash(self, password: str) -> str:
        """What is stored for `password`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._hasher.hash, password)

    async def fits(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` is the one; None (nobody of that name) is checked all the same."""
        loop = asyncio.get_running_loop()
        known = password_hash is not None
        fits = await loop.run_in_executor(self._threads, self._fits, password_hash, password)
        return known and fits

    def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False)

    def _fits(self, password_hash: str | None, password: str) -> bool:
        try:
            return self._hasher.verify(password_hash or self._nobody.result(), password)
        except (VerificationError, InvalidHashError):
            return False
