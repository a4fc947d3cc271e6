"""ZIPs as volunteers and attackers make them (trust.md, Archives; issue 3, Bad input)."""

import io
import random
import stat
import struct
import tracemalloc
import zipfile
import zlib
from dataclasses import dataclass

import pytest
from PIL import Image

from sistercities.shared import archives
from sistercities.shared.archives import ArchiveRefused, entries
from sistercities.shared.images import inspect

LARGEST = 8 * 1024**2
NOISE = random.Random(3).randbytes(16 * 1024)
PICTURE = b"\xff\xd8\xff" + NOISE[:3000]
OUTSIDE = "The name of this file points to a place outside the ZIP."
LINK = "This is a link to another file, not a picture."
DEVICE = "This is a device of a computer, not a picture."
LOCKED = "This file is locked with a password."
PACKED = "This file is packed in a way that we cannot open: please make a plain ZIP."
SHARED = "This file shares its bytes with another file in the ZIP."
LARGE = "This file is larger than 8 MB."
RATIO = "This file unpacks to more than 100 times its size, as no picture does."
SIZE = "This file has another size than the ZIP says."
CHECKSUM = "This file has another checksum than the ZIP says."
DAMAGED = "This file is damaged inside the ZIP."
NESTED = "This is an archive inside the ZIP: please unpack it first."
NO_ZIP = "This is not a ZIP file, or a part of it is missing."
TOO_MANY = "This ZIP has more than 500 files: please make several smaller ones."


class Counted(io.BytesIO):
    """A file that knows how many bytes were read from it."""

    count = 0

    def read(self, size=-1):
        data = super().read(size)
        self.count += len(data)
        return data


def deflated(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


@dataclass
class Item:
    """One file of a forged archive; what is None is written truthfully."""

    name: str | bytes
    data: bytes = PICTURE
    method: int = 8
    flags: int = 0
    mode: int = stat.S_IFREG | 0o644
    packed: bytes | None = None
    size: int | None = None
    packed_size: int | None = None
    checksum: int | None = None
    offset: int | None = None
    local_extra: bytes = b""
    extra: bytes = b""
    needs: int = 20


def forged(*items: Item, comment: bytes = b"", wide: tuple[int, int] | None = None) -> Counted:
    """An archive as its makers never would; `wide` is the length and start that ZIP64 claims."""
    body, contents = bytearray(), bytearray()
    for item in items:
        name = item.name.encode() if isinstance(item.name, str) else item.name
        packed = item.packed
        if packed is None:
            packed = deflated(item.data) if item.method == 8 else item.data
        size = len(item.data) if item.size is None else item.size
        packed_size = len(packed) if item.packed_size is None else item.packed_size
        checksum = zlib.crc32(item.data) if item.checksum is None else item.checksum
        common = (item.flags, item.method, 0, 33, checksum, packed_size, size, len(name))
        offset = len(body) if item.offset is None else item.offset
        body += struct.pack("<4s5H3L2H", b"PK\3\4", 20, *common, len(item.local_extra))
        body += name + item.local_extra + packed
        contents += struct.pack(
            "<4s6H3L5H2L", b"PK\1\2", 3 << 8, item.needs, *common, len(item.extra),
            0, 0, 0, item.mode << 16, offset,
        )  # fmt: skip
        contents += name + item.extra
    end = len(body) + len(contents)
    wide_end = b""
    if wide:
        wide_end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, len(items), len(items),
                               *wide)  # fmt: skip
        wide_end += struct.pack("<4sLQL", b"PK\6\7", 0, end, 1)
    tail = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, len(items), len(items), len(contents),
                       len(body), len(comment))  # fmt: skip
    return Counted(bytes(body + contents) + wide_end + tail + comment)


def honest(*names: str, method: int = zipfile.ZIP_DEFLATED, data: bytes = PICTURE) -> Counted:
    buffer = Counted()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name in names:
            archive.writestr(name, data)
    buffer.count = 0
    return buffer


def opened(file: io.BytesIO) -> list[tuple[str, bytes | str]]:
    """Each file's name with its bytes, or with the reason why it was left closed."""
    found: list[tuple[str, bytes | str]] = []
    for entry in entries(file, largest=LARGEST):
        if entry.file is None:
            assert entry.reason
            found.append((entry.name, entry.reason))
        else:
            assert (entry.reason, entry.file.tell()) == ("", 0)
            data = entry.file.read()
            assert len(data) == entry.file.size
            found.append((entry.name, data))
    return found


def among_good(*items: Item) -> list[bytes | str]:
    """What comes of `items` between two good files, which must come out whole."""
    first, *found, last = opened(forged(Item("first.jpg"), *items, Item("last.jpg")))
    assert (first, last) == (("first.jpg", PICTURE), ("last.jpg", PICTURE))
    return [result for _name, result in found]


def refused(file: io.BytesIO) -> tuple[list[str], str]:
    """The names that came out before the whole archive was refused, and why it was."""
    names = []
    with pytest.raises(ArchiveRefused) as caught:
        for entry in entries(file, largest=LARGEST):
            names.append(entry.name)
    return names, str(caught.value)


def ends_with_its_chunk(data: bytes) -> bytes:
    """`data` deflated to exactly one chunk: blocks of 5 and 6 bytes without content fill it up."""
    five, six = b"\0\0\0\xff\xff", b"\2\0\0\0\xff\xff"
    last = b"\1" + struct.pack("<2H", len(data), 0xFFFF - len(data)) + data
    rest = archives.CHUNK - len(last)
    sixes = rest % 5
    return six * sixes + five * ((rest - 6 * sixes) // 5) + last


def blocks(count: int) -> tuple[bytes, int]:
    """`count` MB that deflate to about a fortieth, made without packing each; and their size."""
    megabyte = NOISE * 64
    packer = zlib.compressobj(wbits=-15)
    block = packer.compress(megabyte) + packer.flush(zlib.Z_FULL_FLUSH)
    return block * count + b"\3\0", count * len(megabyte)


# What people really drop


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_good_files_come_out_whole_and_in_order(method):
    names = ["b.jpg", "a.jpg", "day 1/锦州市.jpg", "day 1/锦州市.jpg", "day 2\\Қала.jpg"]
    with pytest.warns(UserWarning, match="Duplicate name"):
        file = honest(*names, method=method)
    assert opened(file) == [
        (name, PICTURE) for name in ("b.jpg", "a.jpg", "锦州市.jpg", "锦州市.jpg", "Қала.jpg")
    ]


@pytest.mark.parametrize("size", [0, 1, 65535, 65536, 65537, 131072, 3 * 1024**2])
@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_file_of_any_length_comes_out_whole(size, method):
    data = (NOISE * (size // len(NOISE) + 1))[:size]
    assert opened(honest("a.tiff", method=method, data=data)) == [("a.tiff", data)]


def test_picture_out_of_an_archive_is_taken_in_like_an_upload():
    buffer = io.BytesIO()
    Image.new("RGB", (640, 480), "teal").save(buffer, "JPEG")
    for entry in entries(honest("a.jpg", "b.jpg", data=buffer.getvalue()), largest=LARGEST):
        assert entry.file is not None
        assert (entry.file.name, entry.file.size) == (entry.name, len(buffer.getvalue()))
        assert inspect(entry.file, size=entry.file.size).suffix == ".jpeg"


def test_archive_written_as_a_stream_is_read():
    """Phones and web stores write sizes behind the data, and zeros before it."""

    class Pipe(io.BytesIO):
        def seekable(self):
            return False

        def tell(self):
            raise OSError

    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.jpg", PICTURE)
        archive.writestr("b.jpg", PICTURE)
    assert opened(io.BytesIO(pipe.getvalue())) == [("a.jpg", PICTURE), ("b.jpg", PICTURE)]


def test_archive_with_wide_numbers_is_read(monkeypatch):
    """ZIP64 for all there is: sizes, offsets and the list of files."""
    monkeypatch.setattr(zipfile, "ZIP64_LIMIT", 10)
    file = honest("a.jpg", "b.jpg")
    assert b"PK\6\6" in file.getvalue() and b"PK\6\7" in file.getvalue()
    assert opened(file) == [("a.jpg", PICTURE), ("b.jpg", PICTURE)]


def test_archive_with_a_comment_is_read():
    file = forged(Item("a.jpg"), comment=b"from Ann " * 7000)
    assert opened(file) == [("a.jpg", PICTURE)]


def test_empty_archive_holds_nothing():
    assert opened(honest()) == []


def test_housekeeping_is_left_out_without_a_word():
    names = ["album/", "album/a.jpg", "__MACOSX/album/._a.jpg", "__MACOSX/x.jpg", "._b.jpg",
             ".DS_Store", "album/Thumbs.db", "DESKTOP.INI", "album\\empty\\"]  # fmt: skip
    assert opened(honest(*names)) == [("a.jpg", PICTURE)]
    assert opened(forged(Item("folder", mode=stat.S_IFDIR | 0o755))) == []


def test_file_is_closed_when_the_next_is_asked_for():
    found = [entry.file for entry in entries(honest("a.jpg", "b.jpg"), largest=LARGEST)]
    assert [file is not None and file.closed for file in found] == [True, True]


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("锦州市代表团.jpg".encode("gbk"), "锦州市代表团.jpg"),
        ("锦州市代表团.jpg".encode(), "锦州市代表团.jpg"),
        ("锦州喆.jpg".encode("gbk"), "锦州喆.jpg"),
        ("Fáilte go Loch Garman.jpg".encode("cp850"), "Fáilte go Loch Garman.jpg"),
        ("Áine Ó Cléirigh.jpg".encode("cp850"), "Áine Ó Cléirigh.jpg"),
        ("Müller été.jpg".encode("cp437"), "Müller été.jpg"),
        (b"\xfd\xfe\x81.jpg", "²■ü.jpg"),
        (b"", "picture"),
        (b"a\0.exe\r\n.jpg", "a.exe.jpg"),
        ("x\u202egpj.exe".encode(), "xgpj.exe"),
        (b"x" * 60000 + b".jpg", "x" * 115 + "….jpg"),
    ],
)
@pytest.mark.parametrize("flags", [0, 0x800])
def test_name_in_any_code_page_is_readable(raw, shown, flags):
    """The flag that promises UTF-8 may lie."""
    assert opened(forged(Item(raw, flags=flags))) == [(shown, PICTURE)]


# Files that stay closed, while their neighbours come out


@pytest.mark.parametrize(
    "name",
    ["../a.jpg", "a/../../b.jpg", "..", "..\\a.jpg", "a\\..\\b.jpg", "/etc/passwd", "//host/a.jpg",
     "\\a.jpg", "\\\\host\\share\\a.jpg", "C:\\a.jpg", "c:/a.jpg", "C:a.jpg"],
)  # fmt: skip
def test_name_that_points_outside_is_refused(name):
    """Trust.md, Archives: nothing outside the prefix."""
    assert among_good(Item(name)) == [OUTSIDE]


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        (stat.S_IFLNK, LINK), (stat.S_IFCHR, DEVICE), (stat.S_IFBLK, DEVICE),
        (stat.S_IFIFO, DEVICE), (stat.S_IFSOCK, DEVICE),
    ],
)  # fmt: skip
def test_link_or_device_is_refused(kind, reason):
    assert among_good(Item("a.jpg", b"/etc/passwd", mode=kind | 0o777)) == [reason]


@pytest.mark.parametrize("flags", [0x1, 0x41, 0x2001])
def test_locked_file_is_refused(flags):
    assert among_good(Item("a.jpg", flags=flags)) == [LOCKED]


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_unusual_packing_is_refused(method):
    """Their unpackers know no limit: 4 KB of bzip2 become 80 MB at once."""
    assert opened(honest("a.jpg", method=method)) == [("a.jpg", PACKED)]


@pytest.mark.parametrize("item", [Item("a.jpg", method=97), Item("a.jpg", flags=0x20)])
def test_unknown_packing_is_refused(item):
    assert among_good(item) == [PACKED]


def test_many_names_for_the_same_bytes_are_refused_unread():
    """Each is honest by itself; together they would be 1.2 GB out of 0.1 MB."""
    core, size = blocks(3)
    honest_one = {"size": size, "checksum": zlib.crc32(NOISE * 192), "packed_size": len(core)}
    copies = [Item(f"{n}.tiff", packed=b"", offset=0, **honest_one) for n in range(400)]
    file = forged(Item("core.tiff", packed=core, **honest_one), *copies, Item("last.jpg"))
    *found, last = opened(file)
    assert [reason for _name, reason in found] == [SHARED] * 401
    assert last == ("last.jpg", PICTURE)
    assert file.count < 200_000


def test_header_hidden_in_anothers_extra_field_is_refused():
    inner = forged(Item("b.jpg")).getvalue()
    hidden = inner[: inner.index(b"PK\1\2")]
    first = Item("a.jpg", method=0, local_extra=hidden)
    second = Item("b.jpg", offset=30 + len("a.jpg"))
    file = forged(first, second, Item("c.jpg"))
    assert opened(file) == [("a.jpg", SHARED), ("b.jpg", SHARED), ("c.jpg", PICTURE)]


@pytest.mark.parametrize("offset", [5, 0x7FFFFFFF, 0xFFFFFFFE, 0xFFFFFFFF])
def test_file_that_is_not_where_it_should_be_is_refused(offset):
    assert among_good(Item("a.jpg", offset=offset)) == [DAMAGED]


def test_file_beyond_any_disk_is_refused():
    """ZIP64 can name places that no file system can seek."""
    extra = struct.pack("<2HQ", 1, 8, 2**64 - 1)
    assert among_good(Item("a.jpg", offset=0xFFFFFFFF, extra=extra)) == [DAMAGED]


def test_file_without_its_own_header_is_refused():
    raw = forged(Item("a.jpg"), Item("b.jpg")).getvalue().replace(b"PK\3\4", b"PK\3\5", 1)
    assert opened(io.BytesIO(raw)) == [("a.jpg", DAMAGED), ("b.jpg", PICTURE)]


@pytest.mark.parametrize("packed_size", [10**6, 0xFFFFFFFF])
def test_file_longer_than_the_archive_is_refused(packed_size):
    assert among_good(Item("a.jpg", packed_size=packed_size)) == [DAMAGED]


@pytest.mark.parametrize("method", [0, 8])
@pytest.mark.parametrize("difference", [-len(PICTURE), -1, 1, 1000])
def test_file_of_another_size_than_stated_is_refused(method, difference):
    item = Item("a.jpg", method=method, size=len(PICTURE) + difference)
    assert among_good(item) == [SIZE]


@pytest.mark.parametrize("method", [0, 8])
def test_file_cut_where_its_header_says_is_refused(method):
    """Size and checksum agree with each other, but not with what is there."""
    item = Item("a.jpg", method=method, size=100, checksum=zlib.crc32(PICTURE[:100]))
    assert among_good(item) == [SIZE]


@pytest.mark.parametrize("method", [0, 8])
def test_file_with_another_checksum_than_stated_is_refused(method):
    assert among_good(Item("a.jpg", method=method, checksum=7)) == [CHECKSUM]


@pytest.mark.parametrize(
    "packed",
    [
        deflated(PICTURE)[:-4],
        deflated(PICTURE) + b"more",
        deflated(PICTURE) + bytes(200_000),
        deflated(PICTURE[:-50]) + deflated(PICTURE[-50:]),
        ends_with_its_chunk(PICTURE) + b"more",
        b"\xff" * 99,
    ],
)
def test_damaged_data_is_refused(packed):
    assert among_good(Item("a.jpg", packed=packed)) == [DAMAGED]


def test_data_that_ends_with_its_chunk_is_whole():
    packed = ends_with_its_chunk(PICTURE)
    assert len(packed) == archives.CHUNK
    assert among_good(Item("a.jpg", packed=packed)) == [PICTURE]


def test_data_without_an_end_is_refused():
    packed, size = blocks(1)
    assert among_good(Item("a.jpg", packed=packed[:-2], size=size)) == [DAMAGED]


def test_file_larger_than_a_picture_may_be_is_refused_unread():
    packed, size = blocks(300)
    file = forged(Item("a.mov", packed=packed, size=size))
    assert opened(file) == [("a.mov", LARGE)]
    assert file.count < 70_000 < len(packed)


@pytest.mark.parametrize(("stated", "most_read"), [(1000, 3 * 65536), (LARGEST, 400_000)])
def test_file_that_hides_300_mb_is_stopped_at_what_it_stated(stated, most_read):
    """Never more memory than some megabytes, never more bytes than the largest picture's."""
    packed, size = blocks(300)
    assert len(packed) > 6_000_000 and size > 300_000_000
    file = forged(Item("a.jpg", packed=packed, size=stated))
    tracemalloc.start()
    try:
        assert opened(file) == [("a.jpg", SIZE)]
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()
    assert file.count < most_read


def test_stored_file_longer_than_stated_is_not_read_on():
    file = forged(Item("a.jpg", NOISE * 640, method=0, size=1000))
    assert opened(file) == [("a.jpg", SIZE)]
    assert file.count < 3 * 65536


def test_large_file_waits_on_disk():
    packed, size = blocks(8)
    file = forged(Item("a.tiff", packed=packed, checksum=zlib.crc32(NOISE * 512), size=size))
    tracemalloc.start()
    try:
        sizes = [entry.file and entry.file.size for entry in entries(file, largest=LARGEST)]
        assert tracemalloc.get_traced_memory()[1] < 6_000_000
    finally:
        tracemalloc.stop()
    assert sizes == [8 * 1024**2]


def test_file_that_swells_is_refused():
    """Trust.md, Archives: ratio 100."""
    swelling = bytes(1024**2)
    assert among_good(Item("a.tiff", swelling)) == [RATIO]
    packed = deflated(swelling)
    padded = Item("a.tiff", swelling, packed=packed + bytes(20_000 - len(packed)))
    assert among_good(padded) == [DAMAGED]


def test_ratio_holds_for_the_whole_archive(monkeypatch):
    """Trust.md, Archives: 499 liars, each cut off, together stay below 100 times the archive."""
    packed = deflated(bytes(1024**2))
    liars = [Item(f"{n}.tiff", packed=packed, size=100 * len(packed)) for n in range(499)]
    file = forged(*liars)
    monkeypatch.setattr(archives, "MAX_UNPACKED", 100 * len(file.getvalue()))
    assert [reason for _name, reason in opened(file)] == [SIZE] * 499
    monkeypatch.setattr(archives, "MAX_UNPACKED", 80 * len(file.getvalue()))
    assert len(refused(file)[0]) > 300  # so all of it is counted


@pytest.mark.parametrize(
    "head",
    [honest("a.jpg").getvalue(), honest().getvalue(), b"PK\7\x08PK\3\4", b"\x1f\x8b\x08\0",
     b"7z\xbc\xaf\x27\x1c\0\4", b"Rar!\x1a\x07\1\0", b"a.jpg" + bytes(252) + b"ustar\0" + b"00"],
    ids=["zip", "empty zip", "zip in parts", "gzip", "7z", "rar", "tar"],
)  # fmt: skip
def test_archive_in_the_archive_stays_closed(head):
    """Trust.md, Archives: nested archives left closed, whatever they are called."""
    assert among_good(Item("a.jpg", head + PICTURE)) == [NESTED]


def test_line_of_a_newer_program_does_not_close_the_others():
    assert among_good(Item("a.jpg", needs=99, extra=b"\1\0\xff\xff")) == [PICTURE]


# Whole archives that stay closed


@pytest.mark.parametrize("raw", [b"", b"PK", PICTURE, b"PK\3\4" + PICTURE, b"PK\5\6", b"\0" * 99])
def test_what_is_no_zip_is_refused(raw):
    assert refused(io.BytesIO(raw)) == ([], NO_ZIP)


def test_archive_cut_anywhere_is_refused():
    raw = forged(Item("a.jpg", b"small"), Item("b.jpg", b"small")).getvalue()
    assert opened(io.BytesIO(raw)) == [("a.jpg", b"small"), ("b.jpg", b"small")]
    for length in range(len(raw)):
        assert refused(io.BytesIO(raw[:length])) == ([], NO_ZIP)


def test_last_part_of_several_is_refused():
    raw = forged(Item("a.jpg")).getvalue()
    assert refused(io.BytesIO(raw.replace(b"PK\5\6\0\0", b"PK\5\6\2\0"))) == ([], NO_ZIP)


def test_list_of_files_that_is_damaged_is_refused():
    raw = forged(Item("a.jpg")).getvalue().replace(b"PK\1\2", b"PK\1\3")
    assert refused(io.BytesIO(raw)) == ([], "The list of files in this ZIP is damaged.")


def test_3000_files_are_refused_unread():
    """Trust.md, Archives: 500 entries."""
    file = honest(*[f"{n}.jpg" for n in range(3000)])
    contents = len(file.getvalue()) - file.getvalue().index(b"PK\1\2")
    assert refused(file) == ([], TOO_MANY)
    assert file.count < contents + 70_000 < len(file.getvalue()) / 10


def test_501_files_are_one_too_many():
    assert refused(honest(*[f"{n}.jpg" for n in range(501)])) == ([], TOO_MANY)


def test_500_photos_from_a_mac_are_not_too_many():
    """It adds a folder and a shadow to each; only pictures count."""
    names = [f"album/{n}.jpg" for n in range(500)]
    shadows = [f"__MACOSX/album/._{n}.jpg" for n in range(500)]
    found = opened(honest("album/", *names, *shadows, data=b"small"))
    assert found == [(f"{n}.jpg", b"small") for n in range(500)]


def test_list_of_files_that_is_huge_is_refused_unread():
    file = forged(*[Item(f"{n}/", b"", extra=bytes(60_000)) for n in range(40)])
    assert refused(file) == (
        [], "The list of files in this ZIP is too long: please make several smaller ones.",
    )  # fmt: skip
    assert file.count < 70_000 < len(file.getvalue())


@pytest.mark.parametrize("wide", [(2**63, 0), (0, 2**64 - 1), (2**64 - 1, 2**64 - 1), (46, 2**40)])
def test_wide_numbers_that_lie_are_refused(wide):
    assert refused(forged(Item("a.jpg"), wide=wide)) == ([], NO_ZIP)


def test_wide_end_beyond_any_disk_is_refused():
    raw = forged(Item("a.jpg"), wide=(0, 0)).getvalue()
    at = raw.index(b"PK\6\7") + 8
    assert refused(io.BytesIO(raw[:at] + b"\xff" * 8 + raw[at + 8 :])) == ([], NO_ZIP)


def test_more_than_the_whole_may_unpack_to_ends_it(monkeypatch):
    """Trust.md, Archives: 1 GB unpacked; what came out before stays."""
    monkeypatch.setattr(archives, "MAX_UNPACKED", 3 * len(PICTURE))
    assert archives.MAX_UNPACKED < 1024**2
    names, reason = refused(honest(*[f"{n}.jpg" for n in range(5)]))
    assert names == ["0.jpg", "1.jpg", "2.jpg"]
    assert reason.startswith("This ZIP unpacks to more than ")


def test_liars_count_into_what_the_whole_may_unpack_to(monkeypatch):
    monkeypatch.setattr(archives, "MAX_UNPACKED", 3 * len(PICTURE))
    liars = [Item(f"{n}.jpg", checksum=7) for n in range(5)]
    assert refused(forged(*liars))[0] == ["0.jpg", "1.jpg", "2.jpg"]


def test_too_long_a_time_ends_it(monkeypatch):
    """Trust.md, Archives: 60 seconds."""
    monkeypatch.setattr(archives, "MAX_SECONDS", -1)
    assert refused(honest("a.jpg")) == (
        [], "Opening this ZIP took too long, so the rest was left closed.",
    )  # fmt: skip


def test_time_that_the_caller_takes_does_not_count(monkeypatch):
    """Preparing 500 pictures takes minutes, while the archive waits."""
    seconds = 0.0
    monkeypatch.setattr(archives, "monotonic", lambda: seconds)
    names = []
    for entry in entries(honest("a.jpg", "b.jpg", "c.jpg"), largest=LARGEST):
        names.append(entry.name)
        seconds += 59 * 60
    assert names == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize("seed", range(20))
def test_archive_with_any_bytes_changed_gives_files_or_a_sentence(seed):
    """No byte anywhere makes it stumble; what comes out is one of the files, whole."""
    dice = random.Random(seed)
    small = [NOISE[:200], NOISE[200:500], NOISE * 2]
    sound = forged(*[Item(f"{n}.jpg", data) for n, data in enumerate(small)]).getvalue()
    start = sound.index(b"PK\1\2")
    for _ in range(100):
        raw = bytearray(sound)
        for _ in range(dice.randint(1, 4)):
            where = dice.choice([dice.randrange(len(raw)), dice.randrange(start, len(raw))])
            raw[where] = dice.choice([0, 0xFF, dice.randrange(256)])
        try:
            found = opened(io.BytesIO(bytes(raw)))
        except ArchiveRefused as reason:
            assert str(reason)
        else:
            assert all(isinstance(data, str) or data in small for _name, data in found)
