"""Whether text that a file or a model offers is language, or letters that stand for others.

A PDF may draw "an Open Corpus" and say of itself that this reads "Zm Nodm Bnqotr": its map from glyphs to
letters is shifted, or lost. Every program gets the same letters out of it. Such a layer must not become text.

Signs, none of which needs to know the language:
- characters that stand for none: replacement and private-use characters, `(cid:17)`;
- words without spaces between them, or spaces between all letters;
- marks and digits in the middle of most words, as recognised handwriting has them;
- pairs of neighbouring letters that no language of that script has. Each pair has its cost in bits, from how
  often it is found in the languages of the script; text costs 7 to 9 bits a pair, exchanged letters 11 and more.
  For Chinese, Japanese and Korean characters, which have no such table, it is counted how many are among the
  common ones, those that a national standard has in its first set.

Other scripts (Thai, those of India) have only the signs before that. Not told apart: digits that stand for other
digits, kana for other kana, and what a file says in seven letters. Uyghur is taken for garbled Arabic.
"""

import functools
import json
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

REVISION = 1
"""Raised when another text is called garbled: part of the content key, for the fallback text is."""

PAIRS = Path(__file__).with_name("letter_pairs.json")
"""By script: its letters, folded, and for each two of them a character that says their cost.

Made from the bigrams of lingua 1.3.5 (Apache-2.0): the mean over 35 languages in Latin letters, 8 in Cyrillic,
3 in Arabic, one each of the others."""

LOWEST, STEP, ZERO = 2.0, 0.2, 35
"""A cost in bits is LOWEST + STEP x (code point - ZERO); it ends at 20, for pairs that are never found."""

LIMITS = {
    "latin": 9.6,
    "cyrillic": 10.2,
    "greek": 9.3,
    "arabic": 10.2,
    "hebrew": 10.2,
    "armenian": 10.0,
    "georgian": 9.8,
}
"""Bits a pair above which a stretch of text is no language."""
STRETCH = 80
"""Pairs of letters that are judged together: lines are taken together until they have so many."""
FEWEST = 24
"""Pairs, or characters, below which nothing is said."""
COMMON, COMMON_HANGUL = 0.7, 0.95
"""The share of ideographs, and of Korean syllables, that must be common ones."""
WORST = 0.15
"""The share of letters in stretches that are no language from which a text is garbled."""
BROKEN, BROKEN_SHORT = 0.45, 0.2
"""The share of characters in words with marks or digits inside; tables of chemicals reach 0.29. The second is
for texts under SHORT characters, in which nothing else can be told."""
SHORT = 100
LONG_WORD = 30
"""Letters; a longer word has lost its spaces."""

FOLDED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "t", "ß": "s", "æ": "a", "œ": "o", "ı": "i", "ς": "σ"}
)
CID = re.compile(r"\(cid:\d+\)")
NO_CHARACTER = re.compile("[\ufffd\ue000-\uf8ff\U000f0000-\U0010ffff\x00-\x08\x0e-\x1f\x7f-\x9f]")
APART = re.compile(r"(?<!\w)[^\W\d_](?: [^\W\d_]){5,}(?!\w)")
LETTERS = re.compile(r"[^\W\d_]+")
WHOLE = re.compile(r"[\W_]{0,3}(?:[^\W\d_]+(?:[-'’.‐–/&:@,][^\W\d_]+)*|\d+(?:[.,:;/%–−-]\d+)*|\W+)[\W_]{0,3}")
NO_SPACES = re.compile("[\u0e00-\u109f\u1780-\u17ff\u3000-\uffff]")
LATER_SCRIPT = re.compile("[\u0900-\u1fff\u3000-\ufefe]")
"""Scripts whose words have marks inside, or no spaces between them."""
IDEOGRAPH = re.compile("[\u3400-\u9fff\U00020000-\U0003ffff]")
HANGUL = re.compile("[\uac00-\ud7af]")
MARK = re.compile("[\u0300-\u036f\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670]")


@dataclass(frozen=True)
class Judgement:
    """What can be said of a text: `letters`, the share of them that is `good`, and `fault` if it is garbled."""

    letters: int
    good: float
    fault: str = ""


def judge(text: str) -> Judgement:
    """Whether `text` is language. The fault says which sign speaks against it; an empty text has none."""
    words = LETTERS.findall(text)
    letters = sum(map(len, words))
    if fault := lost(text) or spaced(text, words, letters) or broken(text) or uncommon(text):
        return Judgement(letters, 0.0, fault)
    strange = strange_pairs(text)
    good = 1 - strange / max(1, letters - len(words), 0.7 * letters)
    share = f"{1 - good:.0%} of the letters are in no order that a language has"
    return Judgement(letters, round(good, 3), share if 1 - good > WORST else "")


def lost(text: str) -> str:
    """The fault of a text whose characters stand for none; empty if it has none."""
    visible = len(text) - sum(map(text.count, " \n\t\r\f\v\u00a0"))
    none, cids = len(NO_CHARACTER.findall(text)), CID.findall(text)
    if len(cids) > 2 and sum(map(len, cids)) > 0.02 * visible:
        return f"{len(cids)} characters are numbers of glyphs, such as {cids[0]}"
    return f"{none} of {visible} characters stand for none" if none > 0.05 * visible else ""


def spaced(text: str, words: list[str], letters: int) -> str:
    """The fault of a text without spaces, or with one after each letter; empty if it has words."""
    if letters < FEWEST:
        return ""
    long = [word for word in words if len(word) >= LONG_WORD and not NO_SPACES.search(word)]
    if (glued := sum(map(len, long))) > 0.3 * letters:
        return f"no spaces: {glued} of {letters} letters are in words of {LONG_WORD} or more"
    if sum(len(word) == 1 for word in words) <= 0.5 * letters:
        return ""
    apart = sum((len(run) + 1) // 2 for run in APART.findall(text))
    return f"spaces between {apart} of {letters} letters" if apart > 0.5 * letters else ""


def broken(text: str) -> str:
    """The fault of a text most of whose words have marks or digits inside; empty if they are words."""
    words = MARK.sub("", text).split()
    size = sum(map(len, words))
    bad = sum(len(word) for word in words if not WHOLE.fullmatch(word) and not LATER_SCRIPT.search(word))
    most = BROKEN_SHORT if size < SHORT else BROKEN
    garbled = size >= FEWEST and bad > most * size
    return f"{bad} of {size} characters are in broken words" if garbled else ""


def uncommon(text: str) -> str:
    """The fault of a text whose ideographs or Korean syllables are rare ones; empty if they are common, or few."""
    for found, least, name in (
        (IDEOGRAPH.findall(text), COMMON, "ideographs"),
        (HANGUL.findall(text), COMMON_HANGUL, "Korean syllables"),
    ):
        common = sum(map(is_common, found))
        if len(found) >= FEWEST and common < least * len(found):
            return f"only {common} of {len(found)} {name} are common ones"
    return ""


@functools.lru_cache(maxsize=50_000)
def is_common(character: str) -> bool:
    """Whether a character is in the first set of GB 2312, JIS X 0208 or Big5, or in KS X 1001."""
    return any(
        low <= code < high
        for codec, low, high in (
            ("gb2312", 0xB0A1, 0xD800),
            ("euc_jp", 0xB0A1, 0xD000),
            ("big5", 0xA440, 0xC680),
            ("euc_kr", 0xB0A1, 0xC8FF),
        )
        if (code := int.from_bytes(character.encode(codec, "ignore"), "big"))
    )


def strange_pairs(text: str) -> int:
    """How many pairs of letters are in stretches of text that are no language."""
    import numpy as np

    folded = MARK.sub("", unicodedata.normalize("NFKD", text.lower())).translate(FOLDED)
    codes = np.frombuffer(folded.encode("utf-32-le", "replace"), dtype=np.uint32)
    scripts, numbers, tables = lookup()
    codes = np.where(codes < len(scripts), codes, 0)
    script, number = scripts[codes], numbers[codes]
    lines = np.cumsum(codes == ord("\n"))
    strange = 0
    for name, rank in tables.ranks.items():
        paired = (script[:-1] == rank) & (script[1:] == rank)
        if int(paired.sum()) < FEWEST:
            continue
        cost = tables.costs[name][number[:-1][paired], number[1:][paired]]
        strange += over(cost, lines[:-1][paired], LIMITS[name])
    return strange


def over(cost: "np.ndarray", lines: "np.ndarray", limit: float) -> int:
    """How many pairs are in stretches whose mean cost is above `limit`."""
    import numpy as np

    ends = np.flatnonzero(np.diff(lines)) + 1  # where a line's pairs end
    cuts, start = [0], 0
    for end in ends.tolist():
        if end - start >= STRETCH and len(cost) - end >= STRETCH:
            cuts.append(end)
            start = end
    sums = np.add.reduceat(cost, cuts)
    sizes = np.diff([*cuts, len(cost)])
    return int(sizes[sums / sizes > limit].sum())


@dataclass(frozen=True)
class Tables:
    """The rank of each script, from 1, and its costs (n, n) in bits."""

    ranks: dict[str, int]
    costs: dict[str, Any]


@functools.cache
def lookup() -> tuple[Any, Any, Tables]:
    """By code point: rank of the script, number of the letter in it; and the tables."""
    import numpy as np

    scripts, numbers = np.zeros(0x3000, np.uint8), np.zeros(0x3000, np.uint8)
    ranks, costs = {}, {}
    for rank, (name, each) in enumerate(json.loads(PAIRS.read_text(encoding="utf-8")).items(), 1):
        letters = [ord(letter) for letter in each["letters"]]
        scripts[letters], numbers[letters] = rank, range(len(letters))
        told = np.frombuffer(each["costs"].encode(), np.uint8).astype(np.float32) - ZERO
        ranks[name], costs[name] = rank, LOWEST + STEP * told.reshape(len(letters), len(letters))
    return scripts, numbers, Tables(ranks, costs)
