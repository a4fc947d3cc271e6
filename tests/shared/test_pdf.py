"""Documents on paper: text stays text, every letter is drawn, and the bytes are the same again."""

import datetime as dt
import re
import zlib
from concurrent.futures import ThreadPoolExecutor

import pytest
import typst

from sistercities.shared import pdf
from sistercities.shared.pdf import FONTS, FULL_FONT, FULL_FONTS, MissingGlyph, render

MADE_AT = dt.datetime(2026, 3, 4, 15, 30, tzinfo=dt.UTC)
TEMPLATE = """
#let data = json(bytes(sys.inputs.data))
#set document(title: sys.inputs.title)
#set text(font: ("Noto Sans", "Noto Sans SC", "Noto Sans CJK SC"), fallback: false)
= Heading
#data.text *#data.at("strong", default: "")*
"""
SHOWN = re.compile(
    rb"/ActualText<(\w+)>>>BDC.*?EMC|/(f\d+) [\d.]+ Tf [-\d. ]+ Tm(.*?)T[jJ]", re.DOTALL
)
STRINGS = re.compile(rb"<([0-9A-F]*)>|(\()|[^<(]+")
INSIDE = re.compile(rb"\\([0-7]{1,3}|.)|(.)", re.DOTALL)
ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


# --- reading a file back --------------------------------------------------------------------


def pages_of(raw: bytes) -> list[str]:
    """What a screen reader finds on each page: all letters, without the spaces between them."""
    objects = dict(re.findall(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", raw, re.DOTALL))
    kids = re.search(rb"/Type/Pages/Count \d+/Kids\[(.*?)\]", raw)[1]
    return [_page(objects, objects[page]) for page in re.findall(rb"(\d+) 0 R", kids)]


def _page(objects: dict, page: bytes) -> str:
    resources = objects[re.search(rb"/Resources (\d+) 0 R", page)[1]]
    fonts = re.search(rb"/Font<<(.*?)>>", resources)[1]
    letters = {
        name: _letters(objects, objects[number])
        for name, number in re.findall(rb"/(f\d+) (\d+) 0 R", fonts)
    }
    content = _stream(objects[re.search(rb"/Contents (\d+) 0 R", page)[1]])
    text = ""
    for meant, font, shown in SHOWN.findall(content):
        if meant:  # glyphs that do not say by themselves what they stand for
            text += bytes.fromhex(meant.decode()).decode("utf-16")
            continue
        glyphs = _glyphs(shown)
        text += "".join(letters[font][glyphs[i : i + 2]] for i in range(0, len(glyphs), 2))
    return squeezed(text)


def _letters(objects: dict, font: bytes) -> dict[bytes, str]:
    """Of each glyph, what it stands for: several letters for a ligature."""
    table = _stream(objects[re.search(rb"/ToUnicode (\d+) 0 R", font)[1]]).decode()
    assert "bfrange" not in table
    pairs = re.findall(r"<([0-9A-F]{4})> <([0-9A-F]+)>\n", table.split("beginbfchar", 1)[1])
    return {bytes.fromhex(a): bytes.fromhex(b).decode("utf-16-be") for a, b in pairs}


def _stream(thing: bytes) -> bytes:
    return zlib.decompress(thing.split(b"stream\n", 1)[1])


def _glyphs(shown: bytes) -> bytes:
    """The strings of `(...)10<...>`. Parentheses in pairs stand in them as they are."""
    glyphs, depth, at = b"", 0, 0
    while at < len(shown):
        found = (INSIDE if depth else STRINGS).match(shown, at)
        at = found.end()
        coded, byte = found[1], found[2]
        if not depth:
            glyphs += bytes.fromhex((coded or b"").decode())
            depth += byte == b"("
        elif coded:
            glyphs += bytes([int(coded, 8)]) if coded.isdigit() else ESCAPES.get(coded, coded)
        else:
            depth += {b"(": 1, b")": -1}.get(byte, 0)
            glyphs += byte if depth else b""
    return glyphs


def squeezed(text: str) -> str:
    return "".join(re.sub("[\u200b\u200d]", "", text).split())


@pytest.fixture
def text_document(settings, tmp_path):
    """Makes a document of one template, in a folder of its own."""
    folder = tmp_path / "templates" / "letters"
    folder.mkdir(parents=True)
    (folder / "letter.typ").write_text(TEMPLATE)
    settings.BASE_DIR = tmp_path

    def make(text: str, **data) -> bytes:
        data["text"] = text
        return render("letters/letter.typ", data, title="A letter", made_at=MADE_AT)

    return make


@pytest.fixture
def no_full_font(monkeypatch, tmp_path):
    """As on a machine without fonts-noto-cjk."""
    monkeypatch.setattr(pdf, "FULL_FONTS", tmp_path / "none")
    pdf._drawn_by_full_font.cache_clear()
    yield
    pdf._drawn_by_full_font.cache_clear()


# --- what is in a file ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "Қызылорда ӘҒҚҢӨҰҮҺІ әғқңөұүһі",
        "锦州市与阿瓦达市",
        "Mainistir na Corann",
        "Zoë Łukasz Ñandú ffi €",
    ],
)
def test_names_of_all_four_cities_are_drawn_and_read_back(text_document, text):
    assert pages_of(text_document(text, strong=text)) == ["Heading" + squeezed(text) * 2]


def test_a_document_is_tagged_and_says_its_title_and_language(text_document):
    raw = text_document("Text")
    assert b"/MarkInfo<</Marked true" in raw
    assert b"/StructTreeRoot" in raw
    assert b"/Lang(en)" in raw
    assert b"/S/H1" in raw
    assert b"<pdfuaid:part>1</pdfuaid:part>" in raw
    assert re.search(rb"<dc:title>.*A letter.*</dc:title>", raw)
    assert b"<xmp:CreateDate>2026-03-04T15:30:00" in raw


def test_the_same_input_makes_the_same_bytes_in_any_thread(text_document):
    once = text_document("Қызылорда 锦州")
    with ThreadPoolExecutor(4) as pool:
        again = list(pool.map(text_document, ["Қызылорда 锦州"] * 12))
    assert set(again) == {once}


def test_a_moment_without_a_time_zone_is_refused():
    with pytest.raises(ValueError, match="time zone"):
        render("x.typ", {}, title="", made_at=dt.datetime(2026, 3, 4))  # noqa: DTZ001


# --- letters that no font has ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("Ann 🎁 Lee", "🎁"),
        ("𠮷田さん", "𠮷"),
        ("שלום 🎁", "🎁םולש"),
        ("half \ud83d", "\ud83d"),
        ("not given \u0378", "\u0378"),
        ("in a face for headings alone: ◊", "◊"),
    ],
)
def test_a_missing_letter_is_named_before_anything_is_set(
    no_full_font, text_document, text, missing
):
    with pytest.raises(MissingGlyph) as caught:
        text_document("fine", rows=[{"donor": text}])
    assert caught.value.characters == "".join(sorted(missing))
    assert f"U+{ord(min(missing)):04X}" in str(caught.value)
    str(caught.value).encode()


@pytest.mark.skipif(not (FULL_FONTS / FULL_FONT).exists(), reason="needs fonts-noto-cjk")
def test_a_rare_character_is_drawn_where_the_machine_has_it(text_document):
    assert pages_of(text_document("𠮷田 锦州")) == ["Heading𠮷田锦州"]


def test_what_our_fonts_are_said_to_have_can_all_be_set(text_document):
    characters = " ".join(sorted(pdf._drawn()))
    assert text_document(characters, strong=characters)  # PDF/UA has no place for empty boxes


def test_our_fonts_are_what_their_readme_says():
    regular, bold, chinese = (
        pdf.characters_of(FONTS / name)
        for name in ("NotoSans-Regular.ttf", "NotoSans-Bold.ttf", "NotoSansSC-Regular-GB2312.ttf")
    )
    pairs = (bytes((row, cell)) for row in range(0xA1, 0xF8) for cell in range(0xA1, 0xFF))
    gb2312 = {letter for pair in pairs for letter in pair.decode("gb2312", "ignore")}
    assert regular == bold
    assert gb2312 - regular - chinese == set()
    assert len([code for code in chinese if "一" <= code <= "鿿"]) == 6763
    assert sum(path.stat().st_size for path in FONTS.iterdir()) < 4_000_000
    licences = [path.read_text() for path in FONTS.glob("LICENSE-*.txt")]
    assert ["SIL OPEN FONT LICENSE" in licence for licence in licences] == [True] * 3


# --- hostile text ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '#read("/etc/passwd")',
        '#import "@preview/cetz:0.3.4": *',
        "] #panic() [",
        "$ x^2 $ \\ ` ``` * _ ~ -- @ref <label> // /* = 1. + /",
        "\\u{41} {donor} %s {{ 7 }} <b> &amp;",
        "(" * 200 + "[" * 200,
        pytest.param("W" * 10_000, id="one long word"),
        pytest.param("字" * 10_000, id="long Chinese"),
    ],
)
def test_hostile_text_comes_out_as_text(text_document, text):
    assert "".join(pages_of(text_document(text))) == "Heading" + squeezed(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\x07c\x1b[31m\td", "a b c [31m d"),
        ("pay \u202e052$\u202c now\u200f\u2066", "pay 052$ now"),
        ("one\r\ntwo\rthree\u2028four", "one\ntwo\nthree\nfour"),
        ("\ufeffJose\u0301 \u200bAnn\u00ad-Marie\ufe0f", "José Ann-Marie"),
    ],
)
def test_what_cannot_be_printed_is_cleaned(text_document, text, shown):
    assert pdf._cleaned({"rows": [(text, 1, None, True)]}) == {"rows": [[shown, 1, None, True]]}
    assert pages_of(text_document(text)) == ["Heading" + squeezed(shown)]


def test_ten_thousand_accents_do_no_harm(text_document):
    assert text_document("\u0301" * 10_000 + "\n" * 10_000)


def test_a_template_reads_nothing_outside_its_folder(text_document, tmp_path):
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "templates" / "beside.txt").write_text("secret")
    for path in ("/etc/passwd", "../beside.txt", "../../secret.txt"):
        (tmp_path / "templates" / "letters" / "letter.typ").write_text(f'#read("{path}")')
        with pytest.raises(typst.TypstError):
            text_document("")
