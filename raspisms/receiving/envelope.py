"""What a callback's body is wrapped in: opened before anything reads it, by a job, and never without an end."""

from __future__ import annotations

import zlib

# Of an opened body; a callback that is larger than this is none.
LARGEST = 1024 * 1024
GZIP, ZLIB, RAW = 16 + zlib.MAX_WBITS, zlib.MAX_WBITS, -zlib.MAX_WBITS
ENCODING = "content-encoding="


def label(content_type: str | None, encoding: str | None) -> str:
    """What is kept beside a body to read it by: its type, and how it was packed if it was."""
    encoding = (encoding or "").strip().lower()
    told = content_type or ""
    return f"{told}; {ENCODING}{encoding}" if encoding not in ("", "identity") else told


def is_packed(body: bytes, label: str) -> bool:
    """Whether it has to be opened."""
    return body.startswith(b"\x1f\x8b") or f"{ENCODING}deflate" in label


def opened(body: bytes, label: str) -> bytes:
    """The body as it was before it was packed; as it is where it is not packed, or cannot be opened."""
    if body.startswith(b"\x1f\x8b"):
        return _inflated(body, GZIP) or body
    if f"{ENCODING}deflate" in label:  # of which people make two things
        return _inflated(body, ZLIB) or _inflated(body, RAW) or body
    return body


def _inflated(body: bytes, kind: int) -> bytes | None:
    unpacker = zlib.decompressobj(kind)
    try:
        found = unpacker.decompress(body, LARGEST)
    except zlib.error:
        return None
    return found if unpacker.eof and not unpacker.unconsumed_tail else None
