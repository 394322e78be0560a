"""A picture and a page, as small as their formats allow, in base64."""

import base64
import struct
import zlib


def _chunk(kind: bytes, data: bytes) -> bytes:
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))


_HEAD = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)  # one pixel, eight bits of each colour
PNG = base64.b64encode(
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", _HEAD)
    + _chunk(b"IDAT", zlib.compress(b"\x00\xff\x80\x00"))
    + _chunk(b"IEND", b"")
).decode()
PDF = base64.b64encode(
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
).decode()
