"""The pseudonym of a person: AES-256 of the 16 bytes of his uuid, as one block, in 32 hexadecimal digits."""

from __future__ import annotations

import binascii

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

ID_BYTES = 16
PSEUDONYM_CHARACTERS = 32
_KEY_BYTES = 32


class Pseudonyms:
    """Computes pseudonyms under one key. It never leaves the process: there is no way to pickle it, and it shows no key."""

    def __init__(self, key: bytes) -> None:
        """:raises ValueError: the key has not 32 bytes; it is not shown."""
        if len(key) != _KEY_BYTES:
            raise ValueError(f"a pseudonym key has {_KEY_BYTES} bytes, this one {len(key)}")
        # ECB over a batch is AES of each block by itself: each id is a message of one block, and the same id has to give the same text.
        self._cipher = Cipher(algorithms.AES256(key), modes.ECB())

    def __reduce__(self) -> str:
        raise TypeError("a pseudonym key is not written down")

    def __repr__(self) -> str:
        return "Pseudonyms()"

    def of(self, ids: bytes) -> bytes:
        """:param ids: uuids of 16 bytes one after another. :returns: 32 hex digits for each, one after another.

        :raises ValueError: a length that is no multiple of 16.
        """
        if len(ids) % ID_BYTES:
            raise ValueError(f"{len(ids)} bytes are no uuids of {ID_BYTES} bytes")
        encryptor = self._cipher.encryptor()
        return binascii.hexlify(encryptor.update(ids) + encryptor.finalize())


def pseudonyms(key_text: str) -> Pseudonyms:
    """:param key_text: 64 hexadecimal digits, as the setting has them, perhaps with a version and a colon in front. :raises ValueError: it has another form; it is not shown."""
    try:
        key = bytes.fromhex(key_text.strip().rpartition(":")[2])
    except ValueError:
        raise ValueError(f"a pseudonym key has {2 * _KEY_BYTES} hexadecimal digits") from None
    return Pseudonyms(key)
