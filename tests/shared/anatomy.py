"""Taking picture files apart, byte by byte, to see what they hold besides the picture.

Written from the formats' own descriptions and not with an imaging library, which may overlook the
same things when it reads that it left when it wrote.
"""

import struct

# ITU-T T.81, table B.1: what a picture needs, and JFIF's header.
JPEG_PARTS = {
    0xC0: "SOF0", 0xC2: "SOF2", 0xC4: "DHT", 0xDA: "SOS", 0xDB: "DQT", 0xDD: "DRI", 0xE0: "JFIF",
}  # fmt: skip
WEBP_PARTS = {b"VP8 ", b"VP8L", b"ALPH"}  # RFC 9649: no ICCP, EXIF, XMP, ANIM
AVIF_ITEMS = {b"av01"}  # ISO/IEC 23000-22: no Exif, no mime (XMP)


def strangers(content: bytes) -> list[str]:
    """The parts of a JPEG, WebP or AVIF file that are no part of the picture itself."""
    if content.startswith(b"\xff\xd8"):
        return _in_jpeg(content)
    if content.startswith(b"RIFF"):
        return _in_webp(content)
    if content[4:12] == b"ftypavif":
        return _in_avif(content)
    return ["unknown format"]


def _in_jpeg(content: bytes) -> list[str]:
    found, at = [], 2
    while content[at] == 0xFF and content[at + 1] != 0xD9:
        kind, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        body = content[at + 4 : at + 2 + length]
        is_plain_header = len(body) == 14 and body.startswith(b"JFIF\0") and body[12:] == b"\0\0"
        if kind not in JPEG_PARTS or (kind == 0xE0 and not is_plain_header):
            found.append(f"marker {kind:02x}")
        at += 2 + length
        if kind == 0xDA:  # then the picture, up to what is a marker and no restart in it
            while content[at] != 0xFF or content[at + 1] in {0, *range(0xD0, 0xD8)}:
                at += 1
    if content[at:] != b"\xff\xd9":
        found.append("bytes behind the end")
    return found


def _in_webp(content: bytes) -> list[str]:
    found, at = [], 12
    while at < len(content):
        kind, length = struct.unpack_from("<4sI", content, at)
        if kind == b"VP8X":
            flags = content[at + 8]
            found += ["flag of metadata"] if flags & ~0x10 else []  # 0x10: it has transparency
        elif kind not in WEBP_PARTS:
            found.append(f"chunk {kind!r}")
        at += 8 + length + length % 2
    size = int.from_bytes(content[4:8], "little")
    return found + (["bytes behind the end"] if len(content) != size + 8 else [])


def _in_avif(content: bytes) -> list[str]:
    found = []
    for kind, body in _boxes(content):
        if kind == b"meta":
            found += _in_meta(body[4:])
        elif kind not in {b"ftyp", b"mdat", b"free"}:
            found.append(f"box {kind!r}")
    return found


def _in_meta(meta: bytes) -> list[str]:
    found = []
    for kind, body in _boxes(meta):
        if kind == b"iinf":
            found += [
                f"item {entry[8:12]!r}"
                for name, entry in _boxes(body[6:])
                if name == b"infe" and entry[8:12] not in AVIF_ITEMS
            ]
        elif kind == b"iprp" and b"colrprof" in body:
            found.append("colour profile")
    return found


def _boxes(content: bytes):
    at = 0
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        yield kind, content[at + 8 : at + length]
        at += length
