"""Is the truth of generated pages right? Two readers that know nothing of the tree say what they see.

Of English pages of each family, clean: the share of the truth's words that pdfium's text layer holds, and that
tesseract (Debian's, on a picture of 200 dots an inch) reads. Words of three letters or more, formulas and alt
texts left out, each as often as it occurs.

    python benchmarks/data_truth.py --pages 3
"""

import argparse
import io
import random
import re
import subprocess
from collections import Counter

import pypdfium2

from scriptorium.pages import front_matter
from scriptorium.synth import markdown
from scriptorium.synth.families import FAMILIES, draw
from scriptorium.synth.typst import Typesetter

NO_WORDS = re.compile(r"\\\[.*?\\\]|\\\(.*?\\\)|!\[.*?\]\(.*?\)|<[^>]*>|```\w*", re.DOTALL)


def words(text: str) -> Counter[str]:
    """Words of three letters or figures and more; a word broken at the end of a line is whole."""
    text = re.sub(r"[-\ufffe\u00ad\u2010]\s*\n\s*", "", text.replace("\r", ""))
    text = re.sub(r"[\ufffe\u00ad\u2010-]", "", text)
    return Counter(re.findall(r"\w{3,}", text))


def share(truth: Counter[str], seen: Counter[str]) -> float:
    return (truth & seen).total() / max(1, truth.total())


def tesseract(pdf: bytes) -> str:
    """What tesseract reads on the first page of a PDF."""
    with pypdfium2.PdfDocument(pdf) as document:
        picture = io.BytesIO()
        document[0].render(scale=200 / 72).to_pil().save(picture, "PNG")
    command = ["tesseract", "stdin", "stdout", "-l", "eng"]
    return subprocess.run(command, input=picture.getvalue(), capture_output=True, check=True).stdout.decode()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--pages", type=int, default=3)
    parser.add_argument("--family", nargs="*", default=[name for name in FAMILIES if name != "blank"])
    args = parser.parse_args()
    typesetter = Typesetter()
    for family in args.family:
        shares = []
        for number in range(args.pages):
            sheet = draw(family, "dev", random.Random(f"{family} {number}"), "en")
            pdf = typesetter.pdf(sheet)
            truth = words(
                NO_WORDS.sub(" ", front_matter.decode(markdown.truth(sheet))[1] or "").replace("*", "")
            )
            with pypdfium2.PdfDocument(pdf) as document:
                layer = document[0].get_textpage().get_text_range()
            shares.append((share(truth, words(layer)), share(truth, words(tesseract(pdf)))))
        pdfium, read = (sum(each) / len(shares) for each in zip(*shares, strict=True))
        print(f"{family:12} pdfium {pdfium:6.1%}  tesseract {read:6.1%}", flush=True)


if __name__ == "__main__":
    main()
