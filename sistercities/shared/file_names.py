"""The name that somebody's computer gave to a file, made fit to be shown to people."""

import re
import unicodedata

LONGEST = 120
LONGEST_SUFFIX = 10
NAMELESS = "picture"
# Control characters, marks that turn the reading direction, zero-width signs, halves of signs.
UNSEEN = {"Cc", "Cf", "Cs", "Zl", "Zp"}
BLANK = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")  # letters by rank, empty to the eye
JOINER = "\u200d"
TAGS = "\U000e0020-\U000e007f"
SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
EMOJI = "\u2190-\u2bff\U0001f000-\U0001faff"
# Some unseen signs belong to what is seen: in a family, in the flag of Wales, after a heart.
STRAY = re.compile(
    f"(\U0001f3f4[{TAGS}]{{3,6}}\U000e007f)|[{TAGS}]"
    f"|(?<![{EMOJI}\ufe0f]){JOINER}|{JOINER}(?![{EMOJI}])"
    f"|(?<![^{SELECTORS}])[{SELECTORS}]"
)
TAIL = re.compile(f"[\\s{JOINER}{TAGS}]+$")


def clean(name: str) -> str:
    """The last part of `name`, whichever slashes it has, in NFC and without what nobody can see.

    At most 120 characters, the suffix kept; never empty, never `.` or `..`. Letters of every
    script and emoji stay as they are. For people only: nothing is ever stored under this name.
    """
    seen = "".join(sign for sign in name if not _is_unseen(sign))
    last = re.split(r"[/\\]", STRAY.sub(lambda found: found[1] or "", seen).rstrip("/\\"))[-1]
    # Shortened twice: joining thousands of accents takes minutes, and joined they are fewer.
    last = unicodedata.normalize("NFC", _shortened(last.strip(), 4 * LONGEST))
    last = _shortened(last, LONGEST)
    return last if last.strip(". ") else NAMELESS


def _is_unseen(sign: str) -> bool:
    if sign == JOINER or "\U000e0020" <= sign <= "\U000e007f":
        return False  # `STRAY` judges these by their neighbours
    return unicodedata.category(sign) in UNSEEN or sign in BLANK


def _shortened(name: str, longest: int) -> str:
    if len(name) <= longest:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > LONGEST_SUFFIX:
        stem, dot, suffix = name, "", ""
    room = longest - len(f"…{dot}{suffix}")
    return f"{TAIL.sub('', stem[:room])}…{dot}{suffix}"
