"""How often the test for garbled text layers errs, in the languages that a Linux system's translations are in.

python benchmarks/convert_layers.py --locale /usr/share/locale --size 1500

Translated messages, `size` characters of them at a time, stand for true layers; each is also garbled in one way
after another. Printed: true texts that are called garbled, and garbled ones that are not, by language.
"""

import argparse
import gettext
import re
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path

from scriptorium.pages.layer import judge

BLOCKS = ("az", "AZ", "ая", "АЯ", "αω", "ΑΩ", "את", "աֆ", "აჰ", "اي")
"""Alphabets by first and last letter; texts without their letters, or ideographs, are not shifted."""
PLACES = re.compile(r"%[\w.$-]*|\\n|\{[^}]*\}|<[^>]*>|--?[a-z-]+")
"""What is no language in a message."""
SHORTEST = 60
MOST = 12
"""Texts a language."""


def shifted(text: str, by: int) -> str:
    """Each letter `by` places on in its alphabet, ideographs and Korean syllables seven times as many code points."""

    def one(character: str) -> str:
        for first, last in BLOCKS:
            if first <= character <= last:
                return chr(ord(first) + (ord(character) - ord(first) + by) % (ord(last) - ord(first) + 1))
        return chr(ord(character) + 7 * by) if "\u3400" <= character <= "\ud000" else character

    return "".join(map(one, text))


def codes(text: str) -> str:
    """Each letter as the glyph number that a font without a map gives it: its rank, from `!` on."""
    letters = sorted({each for each in text if each.isalpha()})
    return text.translate({ord(each): 33 + rank % 94 for rank, each in enumerate(letters)})


WAYS: dict[str, Callable[[str], str]] = {
    "shifted by 1": lambda text: shifted(text, 1),
    "shifted by -1": lambda text: shifted(text, -1),
    "shifted by 13": lambda text: shifted(text, 13),
    "numbers of glyphs": codes,
    "private use": lambda text: re.sub(r"[^\W\d_]", lambda f: chr(0xE000 + ord(f[0]) % 0x1000), text),
    "(cid:N)": lambda text: re.sub(r"\w", lambda f: f"(cid:{ord(f[0])})", text),
    "no spaces": lambda text: re.sub(r"\s", "", text),
    "a space after each letter": lambda text: re.sub(r"(\w)(?=\w)", r"\1 ", text),
}


def texts(locale: Path, size: int) -> Iterator[tuple[str, str]]:
    """Language and text, MOST a language."""
    messages: dict[str, list[str]] = defaultdict(list)
    for path in sorted(locale.glob("*/LC_MESSAGES/*.mo")):
        try:
            with path.open("rb") as file:
                catalogue = vars(gettext.GNUTranslations(file))["_catalog"]
        except (OSError, UnicodeDecodeError, struct.error, IndexError):  # broken catalogues are met
            continue
        for key, message in catalogue.items():
            if isinstance(message, str) and key and message != key and len(message) > SHORTEST:
                messages[re.split("[_@]", path.parts[-3])[0]].append(
                    " ".join(PLACES.sub("", message).split())
                )
    for language, found in sorted(messages.items()):
        text = "\n".join(dict.fromkeys(found))
        for start in range(0, min(len(text) - size, MOST * size), size):
            yield language, text[start : start + size]


def main() -> None:
    """Count and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--locale", type=Path, default=Path("/usr/share/locale"))
    parser.add_argument("--size", type=int, default=1500)
    args = parser.parse_args()
    true, wrong, languages = 0, Counter[str](), set[str]()
    asked, missed = Counter[str](), defaultdict[str, Counter[str]](Counter)
    for language, text in texts(args.locale, args.size):
        true += 1
        languages.add(language)
        if judge(text).fault:
            wrong[language] += 1
            continue
        for way, spoil in WAYS.items():
            spoilt = spoil(text)
            changed = sum(one != other for one, other in zip(text, spoilt, strict=False)) > len(text) / 2
            if changed or len(spoilt) != len(text):
                asked[way] += 1
                missed[way][language] += not judge(spoilt).fault
    print(f"{true} true texts in {len(languages)} languages: {wrong.total()} called garbled {dict(wrong)}")
    for way in WAYS:
        named = {language: count for language, count in missed[way].items() if count}
        print(f"{way}: {missed[way].total()} of {asked[way]} missed {named}")


if __name__ == "__main__":
    main()
