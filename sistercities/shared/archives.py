"""A ZIP that somebody dropped, opened with suspicion (trust.md, Archives).

Its table of contents is read here, not by `zipfile`: that one gives up on a whole archive for one
odd line, cuts a file where its header says that it ends, and unpacks shared bytes twice.
"""

import re
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from os import SEEK_END
from tempfile import SpooledTemporaryFile
from time import monotonic
from typing import IO

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from sistercities.shared import file_names

MAX_ENTRIES = 500
MAX_UNPACKED = 1024**3
MAX_RATIO = 100
MAX_SECONDS = 60
MAX_CONTENTS = 1024**2  # 500 files with the longest usual names, and macOS's shadow of each
IN_MEMORY = 2 * 1024**2
CHUNK = 64 * 1024

# The format, as PKWARE's APPNOTE 6.3.10 has it: 4.3 the records, 4.4 their fields, 4.5.3 ZIP64.
LOCAL = struct.Struct("<4s5H3L2H")
RECORD = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")
WIDE_LOCATOR = struct.Struct("<4sLQL")
WIDE_END = struct.Struct("<4sQ2H2L4Q")
WIDE_FIELD = 1
UNKNOWN = 0xFFFFFFFF  # the true number stands in a wider field
STORED, DEFLATED = 0, 8
LOCKED = 0x1 | 0x40 | 0x2000  # the file, the file strongly, its header
PATCHED = 0x20

SLASHES = ("/", "\\")
HOUSEKEEPING = {".ds_store", "thumbs.db", "desktop.ini"}
ZIPS = (b"PK\3\4", b"PK\5\6", b"PK\7\x08")
ARCHIVES = (*ZIPS, b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07")  # and gzip, 7z, RAR
TAR = slice(257, 262)


@dataclass(frozen=True)
class Entry:
    """One file out of an archive: either `file` can be read or `reason` says why not.

    `name` is for people only. `file` stands at 0 and knows its `size`; it lives until the next
    entry is asked for.
    """

    name: str
    file: UploadedFile | None
    reason: str


class ArchiveRefused(Exception):
    """The whole archive, or the rest of it, stays closed; its text is one sentence for people."""


class _EntryRefused(Exception):
    """One file stays closed; its text is one sentence for people."""


@dataclass(frozen=True)
class _Record:
    """What the table of contents says of one file. Nothing of it is true before it is read."""

    path: str
    flags: int
    method: int
    checksum: int
    packed: int
    size: int
    mode: int
    offset: int


def entries(file: IO[bytes], *, largest: int) -> Iterator[Entry]:
    """The files in the ZIP `file`, in its order, each unpacked when it is asked for.

    A file that cannot be used comes with its reason, and the others stay usable. `largest` is in
    bytes. Folders and what macOS and Windows leave for themselves are left out. Raises
    `ArchiveRefused`: at once for what is no ZIP or has more than 500 files; after the entries up
    to there for more than 1 GB unpacked or 60 seconds of work, the caller's own not counted.
    Ratio 100 holds for the whole as well: it holds for each file, and no two share bytes.
    """
    deadline = monotonic() + MAX_SECONDS
    contents, start = _contents(file)
    records = _records(contents)
    places = [_place(file, record, start) for record in records]
    shared = _overlapping(records, places)
    unpacked = 0
    for number, (record, place) in enumerate(zip(records, places, strict=True)):
        name = file_names.clean(record.path)
        with SpooledTemporaryFile(max_size=IN_MEMORY) as spool:
            try:
                _check(record, shared=number in shared, largest=largest)
                for piece in _pieces(file, record, place):
                    unpacked += len(piece)
                    if unpacked > MAX_UNPACKED:
                        raise ArchiveRefused(
                            _("This ZIP unpacks to more than %d GB, so the rest was left closed.")
                            % (MAX_UNPACKED // 1024**3)
                        )
                    if monotonic() > deadline:
                        raise ArchiveRefused(
                            _("Opening this ZIP took too long, so the rest was left closed.")
                        )
                    spool.write(piece)
                size = spool.tell()
                _check_not_an_archive(spool)
            except _EntryRefused as refused:
                entry = Entry(name, None, str(refused))
            else:
                entry = Entry(name, UploadedFile(spool, name, size=size), "")
            paused = monotonic()
            yield entry
            deadline += monotonic() - paused


def _read(file: IO[bytes], start: int, length: int) -> bytes:
    file.seek(start)
    return file.read(length)


def _contents(file: IO[bytes]) -> tuple[bytes, int]:
    """The archive's table of contents, and where it starts: no file's bytes reach further."""
    no_zip = ArchiveRefused(_("This is not a ZIP file, or a part of it is missing."))
    file.seek(0, SEEK_END)
    total = file.tell()
    begin = max(total - END.size - 0xFFFF, 0)
    tail = _read(file, begin, total - begin)
    at = tail.rfind(b"PK\5\6")
    if at < 0 or len(tail) < at + END.size:
        raise no_zip
    _sign, disk, *_rest, length, start, _comment = END.unpack_from(tail, at)
    end = begin + at
    locator = _read(file, max(end - WIDE_LOCATOR.size, 0), WIDE_LOCATOR.size)
    if locator.startswith(b"PK\6\7") and len(locator) == WIDE_LOCATOR.size:
        end = min(WIDE_LOCATOR.unpack(locator)[2], end)
        wide = _read(file, end, WIDE_END.size)
        if not wide.startswith(b"PK\6\6") or len(wide) < WIDE_END.size:
            raise no_zip
        *_rest, length, start = WIDE_END.unpack(wide)
    if start + length > end or disk not in {0, 0xFFFF}:  # 0xFFFF: ZIP64 says it
        raise no_zip
    if length > MAX_CONTENTS:
        raise ArchiveRefused(
            _("The list of files in this ZIP is too long: please make several smaller ones.")
        )
    return _read(file, start, length), start


def _records(contents: bytes) -> list[_Record]:
    """What the table of contents lists, without folders and housekeeping; at most 500."""
    records: list[_Record] = []
    at = 0
    while at < len(contents):
        if len(contents) < at + RECORD.size or not contents.startswith(b"PK\1\2", at):
            raise ArchiveRefused(_("The list of files in this ZIP is damaged."))
        (_sign, _by, _needed, flags, method, _time, _date, checksum, packed, size, name_length,
         extra_length, comment_length, _disk, _kind, attributes, offset) = RECORD.unpack_from(
            contents, at
        )  # fmt: skip
        name_end = at + RECORD.size + name_length
        extra_end = name_end + extra_length
        path = _decoded(contents[at + RECORD.size : name_end])
        size, packed, offset = _widened([size, packed, offset], contents[name_end:extra_end])
        at = extra_end + comment_length
        mode = attributes >> 16
        if _is_housekeeping(path, mode):
            continue
        if len(records) == MAX_ENTRIES:
            raise ArchiveRefused(
                _("This ZIP has more than %d files: please make several smaller ones.")
                % MAX_ENTRIES
            )
        records.append(_Record(path, flags, method, checksum, packed, size, mode, offset))
    return records


def _decoded(name: bytes) -> str:
    """Old programs wrote names in their computer's own code page and did not say which.

    Western letters, read as Chinese, give rare signs only; a Chinese name has common ones too.
    """
    with suppress(UnicodeDecodeError):
        return name.decode()
    with suppress(UnicodeDecodeError):
        chinese = name.decode("gbk")
        if not chinese.encode("gb2312", "ignore").isascii():
            return chinese
    return name.decode("cp850")


def _widened(numbers: list[int], extra: bytes) -> list[int]:
    """Those of `numbers` that do not fit into 32 bits stand in an extra field, in this order."""
    at = 0
    while at + 4 <= len(extra):
        kind, length = struct.unpack_from("<2H", extra, at)
        body = extra[at + 4 : at + 4 + length]
        if kind == WIDE_FIELD:
            wide = iter(struct.unpack_from(f"<{len(body) // 8}Q", body))
            return [next(wide, number) if number == UNKNOWN else number for number in numbers]
        at += 4 + length
    return numbers


def _is_housekeeping(path: str, mode: int) -> bool:
    *folders, last = _parts(path)
    return (
        path.endswith(SLASHES)
        or stat.S_ISDIR(mode)
        or "__MACOSX" in folders
        or last.startswith("._")
        or last.lower() in HOUSEKEEPING
    )


def _parts(path: str) -> list[str]:
    return path.replace("\\", "/").split("/")


def _place(file: IO[bytes], record: _Record, start: int) -> range | None:
    """The bytes of the file's data, or None where its own header is not to be found."""
    if record.offset + LOCAL.size > start:
        return None
    header = _read(file, record.offset, LOCAL.size)
    if not header.startswith(b"PK\3\4"):
        return None
    *_rest, name_length, extra_length = LOCAL.unpack(header)
    begin = record.offset + LOCAL.size + name_length + extra_length
    return range(begin, begin + record.packed) if begin + record.packed <= start else None


def _overlapping(records: list[_Record], places: list[range | None]) -> set[int]:
    """The numbers of files that share bytes with another: the way to unpack the same twice."""
    spans = sorted(
        (record.offset, place.stop, number)
        for number, (record, place) in enumerate(zip(records, places, strict=True))
        if place is not None
    )
    shared: set[int] = set()
    furthest, owner = -1, -1
    for begin, end, number in spans:
        if begin < furthest:
            shared |= {number, owner}
        if end > furthest:
            furthest, owner = end, number
    return shared


def _check(record: _Record, *, shared: bool, largest: int) -> None:
    """All that can be said before a byte is unpacked. `_pieces` holds the file to its word."""
    path = record.path
    if path.startswith(SLASHES) or ".." in _parts(path) or re.match("[A-Za-z]:", path):
        raise _EntryRefused(_("The name of this file points to a place outside the ZIP."))
    if stat.S_ISLNK(record.mode):
        raise _EntryRefused(_("This is a link to another file, not a picture."))
    if stat.S_IFMT(record.mode) not in {0, stat.S_IFREG}:
        raise _EntryRefused(_("This is a device of a computer, not a picture."))
    if record.flags & LOCKED:
        raise _EntryRefused(_("This file is locked with a password."))
    if record.method not in {STORED, DEFLATED} or record.flags & PATCHED:
        raise _EntryRefused(
            _("This file is packed in a way that we cannot open: please make a plain ZIP.")
        )
    if shared:
        raise _EntryRefused(_("This file shares its bytes with another file in the ZIP."))
    if record.size > largest:
        raise _EntryRefused(_("This file is larger than %d MB.") % (largest // 1024**2))
    if record.size > MAX_RATIO * record.packed:
        raise _EntryRefused(
            _("This file unpacks to more than %d times its size, as no picture does.") % MAX_RATIO
        )


def _pieces(file: IO[bytes], record: _Record, place: range | None) -> Iterator[bytes]:
    """The file unpacked, in pieces: what was said of it must be the truth, to the byte."""
    if place is None:
        raise _damaged()
    packed = _packed(file, place)
    pieces = packed if record.method == STORED else _inflated(packed, record.size)
    size = checksum = 0
    for piece in pieces:
        size += len(piece)
        checksum = zlib.crc32(piece, checksum)
        yield piece
        if size > record.size:
            break
    if size != record.size:
        raise _EntryRefused(_("This file has another size than the ZIP says."))
    if checksum != record.checksum:
        raise _EntryRefused(_("This file has another checksum than the ZIP says."))


def _damaged() -> _EntryRefused:
    return _EntryRefused(_("This file is damaged inside the ZIP."))


def _packed(file: IO[bytes], place: range) -> Iterator[bytes]:
    for begin in range(place.start, place.stop, CHUNK):
        yield _read(file, begin, min(CHUNK, place.stop - begin))


def _inflated(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """`chunks` unpacked: at most one byte more than `size`, and nothing missing or left over."""
    inflate = zlib.decompressobj(-zlib.MAX_WBITS)
    waiting = b""
    left = size + 1
    while left and not inflate.eof:
        chunk = waiting or next(chunks, b"")
        try:
            piece = inflate.decompress(chunk, min(left, CHUNK))
        except zlib.error:
            raise _damaged() from None
        if not (chunk or piece):
            break
        waiting = inflate.unconsumed_tail
        left -= len(piece)
        yield piece
    if left and (not inflate.eof or inflate.unused_data or next(chunks, b"")):
        raise _damaged()


def _check_not_an_archive(spool: IO[bytes]) -> None:
    """Looks at the first bytes, whatever the name says, and leaves `spool` at 0."""
    spool.seek(0)
    head = spool.read(TAR.stop)
    spool.seek(0)
    if head.startswith(ARCHIVES) or head[TAR] == b"ustar":
        raise _EntryRefused(_("This is an archive inside the ZIP: please unpack it first."))
