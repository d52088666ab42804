"""Make src/scriptorium/pages/letter_pairs.json: what each two neighbouring letters cost, by script.

pip download --no-deps lingua-language-detector==1.3.5; pip install brotli
python benchmarks/letter_pairs.py lingua_language_detector-1.3.5-py3-none-any.whl

lingua (Apache-2.0) has how often each letter comes, and each letter after another, in 75 languages. Letters are
folded as scriptorium.pages.layer folds them; the languages of a script count alike.
"""

import argparse
import json
import math
import unicodedata
import zipfile
from collections import Counter
from pathlib import Path

import brotli  # type: ignore[import-not-found]

from scriptorium.pages.layer import FOLDED, LOWEST, PAIRS, STEP, ZERO

LANGUAGES = {
    "latin": "af ca cs cy da de en es et eu fi fr ga hr hu id is it la lt lv ms nb nl pl pt ro sk sl sq sv sw tl tr vi",
    "cyrillic": "be bg kk mk mn ru sr uk",
    "greek": "el",
    "arabic": "ar fa ur",
    "hebrew": "he",
    "armenian": "hy",
    "georgian": "ka",
}
RAREST_LETTER = 2e-5
NEVER = 1e-6
"""What is added to each pair's frequency: one that is never found costs 20 bits."""
HIGHEST = 90


def frequencies(wheel: zipfile.ZipFile, language: str, kind: str) -> dict[str, float]:
    """The n-grams of a language (kind: unigrams, bigrams) and their relative frequencies."""
    packed = wheel.read(f"lingua/language-models/{language}/{kind}.json.br")
    found = {}
    for share, grams in json.loads(brotli.decompress(packed))["ngrams"].items():
        count, total = map(int, share.split("/"))
        found.update(dict.fromkeys(grams.split(" "), count / total))
    return found


def fold(text: str) -> str:
    """Small letters without accents."""
    plain = unicodedata.normalize("NFKD", text.lower())
    return "".join(each for each in plain if not unicodedata.combining(each)).translate(FOLDED)


def pairs_of(wheel: zipfile.ZipFile, language: str, script: str) -> dict[str, float]:
    """How often each pair of folded letters comes, of all pairs of the script."""
    letters, found = frequencies(wheel, language, "unigrams"), Counter[str]()
    for pair, after in frequencies(wheel, language, "bigrams").items():
        folded = fold(pair)
        if len(folded) == 2 and all(unicodedata.name(each, "").startswith(script.upper()) for each in folded):
            found[folded] += letters.get(pair[0], 0.0) * after  # type: ignore[assignment]
    return {pair: share / found.total() for pair, share in found.items()}


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--out", type=Path, default=PAIRS)
    args = parser.parse_args()
    table = {}
    with zipfile.ZipFile(args.wheel) as wheel:
        for script, languages in LANGUAGES.items():
            joint: dict[str, float] = {}
            for language in languages.split():
                for pair, share in pairs_of(wheel, language, script).items():
                    joint[pair] = joint.get(pair, 0.0) + share / len(languages.split())
            single: dict[str, float] = {}
            for pair, share in joint.items():
                for letter in pair:
                    single[letter] = single.get(letter, 0.0) + share / 2
            letters = "".join(sorted(letter for letter, share in single.items() if share > RAREST_LETTER))
            bits = (-math.log2(joint.get(one + other, 0.0) + NEVER) for one in letters for other in letters)
            costs = "".join(chr(ZERO + min(HIGHEST, round((cost - LOWEST) / STEP))) for cost in bits)
            table[script] = {"letters": letters, "costs": costs}
    args.out.write_text(json.dumps(table, ensure_ascii=False, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
