"""Sending less: pages and styles leave compressed to browsers that ask for it."""

from __future__ import annotations

import functools
import gzip

from flask import Response, request

TYPES = frozenset({"text/html", "text/css", "text/javascript", "application/javascript", "image/svg+xml"})
# What is smaller gains nothing.
LEAST = 800
# A page is compressed for one reader, a file of ours once for all.
QUICK, THOROUGH = 5, 9


def compress(response: Response) -> Response:
    """Compress a whole text; what is streamed (files to download) stays as it is."""
    if (
        response.mimetype not in TYPES
        or response.status_code not in (200, 400, 404, 409)
        or "Content-Encoding" in response.headers
        or request.method != "GET"
    ):
        return response
    response.vary.add("Accept-Encoding")
    if not request.accept_encodings["gzip"] or (response.is_streamed and not response.direct_passthrough):
        return response
    is_file = response.direct_passthrough
    response.direct_passthrough = False
    body = response.get_data()
    if len(body) >= LEAST:
        etag = response.get_etag()[0]
        response.set_data(_file(body) if is_file else gzip.compress(body, QUICK))
        response.headers["Content-Encoding"] = "gzip"
        if etag:
            response.set_etag(f"{etag}-gzip")
    return response


@functools.lru_cache(maxsize=32)
def _file(body: bytes) -> bytes:
    return gzip.compress(body, THOROUGH)
