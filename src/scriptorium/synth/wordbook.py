"""Text in several scripts, made offline: common words of a language, and a share that nobody can guess.

Common words are shared by all splits. The others (pseudo-words, serial numbers, figures) come from the split's
own pool, as in `words`; so what a bench asks for was never a target in training.
"""

import random
from collections.abc import Callable

from scriptorium.errors import ConfigError
from scriptorium.synth.lexicon import (
    ADJECTIVES,
    FAMILY,
    GIVEN,
    JAPANESE_ENDS,
    JOINTS,
    LANGUAGES,
    LEXICON,
    LINKS,
    MONTHS,
    NOUNS,
    OPENERS,
    PARTICLES,
    PLACES,
    STREETS,
    SYLLABLES,
    VERBS,
)
from scriptorium.synth.words import Words, pool_of

UNPREDICTABLE = 0.1
"""The share of words that no language model can foresee."""

FONTS = {"ja": ("Noto Serif CJK JP", "Noto Sans CJK JP", "IPAMincho", "IPAexMincho", "Harano Aji Mincho")}
"""Fonts of a machine that a language needs; for the others those inside typst suffice."""


class Wordbook:
    """Words, sentences, names and figures in one language for one split, drawn with `rng`.

    Raises ConfigError for a language that it has no words of.
    """

    def __init__(self, language: str, split: str, rng: random.Random) -> None:
        if language not in LANGUAGES:
            raise ConfigError(f"language {language!r} has no words here; use one of {', '.join(LANGUAGES)}")
        self.language, self.split, self.rng = language, split, rng
        self.words = Words(split, rng, 0.4)

    def rare(self) -> str:
        """A token that nobody can foresee, of the split's pool: a pseudo-word, a serial number, a figure."""
        kind = self.rng.random()
        if kind < 0.25:
            return self.serial()
        if kind < 0.45:
            return self.figure()
        word = self.pseudo_word() if self.rng.random() < 0.6 else self.words.token(14)
        return word.capitalize() if self.rng.random() < 0.3 else word

    def pseudo_word(self) -> str:
        """A word of the language's syllables that nobody has seen, of the split's pool."""
        if self.language not in SYLLABLES:
            while not (word := self.words.token(14)).isalpha():
                pass
            return word
        syllables, ends = SYLLABLES[self.language]
        return self._pooled(
            lambda: "".join(self.rng.choices(syllables, k=self.rng.randint(2, 4))) + self.rng.choice(ends)
        )

    def serial(self) -> str:
        """A serial number such as KX-4471."""
        letters = "ABCDEFGHKLMNPRSTUVWXYZ"
        return self._pooled(
            lambda: "".join(self.rng.choices(letters, k=2)) + f"-{self.rng.randint(100, 99_999)}"
        )

    def figure(self) -> str:
        """A number with a decimal point, or one in thousands."""
        return self._pooled(
            lambda: (
                f"{self.rng.randint(1, 999)}.{self.rng.randint(10, 99)}"
                if self.rng.random() < 0.6
                else f"{self.rng.randint(1, 99)},{self.rng.randint(100, 999)}"
            )
        )

    def _pooled(self, draw: Callable[[], str]) -> str:
        while pool_of(token := draw()) != self.words.pool:
            pass
        return token

    def noun(self) -> str:
        """A common word of the language, a noun where its kind is known."""
        return self.rng.choice(LEXICON.get(self.language, NOUNS))

    def word(self) -> str:
        """A common word, now and then a rare token."""
        if self.rng.random() < UNPREDICTABLE:
            return self.rare()
        return (
            self.rng.choice(ADJECTIVES) if self.language == "en" and self.rng.random() < 0.3 else self.noun()
        )

    def phrase(self, least: int, most: int) -> str:
        """A few words without a full stop, the first in capitals: a title, an item."""
        words = [self.word() for _ in range(self.rng.randint(least, most))]
        if self.language == "ja":
            return "の".join(words)
        return _capital(" ".join(words))

    def sentence(self) -> str:
        """A sentence: by a grammar in English, of common words in the other languages."""
        if self.language == "en":
            return self._english()
        if self.language == "ja":
            pairs = [self.word() + self.rng.choice(PARTICLES) for _ in range(self.rng.randint(2, 5))]
            return "".join(pairs) + self.noun() + self.rng.choice(JAPANESE_ENDS)
        words = [self.word() for _ in range(self.rng.randint(6, 15))]
        if len(words) > 8:
            words[len(words) // 2] += ","
        return _capital(" ".join(words)) + "."

    def _english(self) -> str:
        rng = self.rng
        text = self._clause()
        if rng.random() < 0.3:
            text = f"{rng.choice(OPENERS)}, {text}"
        if rng.random() < 0.5:
            text += f", {rng.choice(JOINTS)} {self._clause()}"
        return _capital(text) + rng.choice((".", ".", ".", ".", "?", ";")).replace(";", ".")

    def _clause(self) -> str:
        rng = self.rng
        thing = [self._thing() for _ in range(3)]
        text = f"{thing[0]} {rng.choice(VERBS)} {thing[1]}"
        return f"{text} {rng.choice(LINKS)} {thing[2]}" if rng.random() < 0.6 else text

    def _thing(self) -> str:
        rng = self.rng
        noun = self.rare() if rng.random() < 2.5 * UNPREDICTABLE else self.noun()
        adjective = f"{rng.choice(ADJECTIVES)} " if rng.random() < 0.4 else ""
        return f"{rng.choice(('the', 'the', 'every', 'one', 'this'))} {adjective}{noun}"

    def text(self, characters: int) -> str:
        """Sentences of about so many characters together, at least one."""
        sentences = [self.sentence()]
        while sum(map(len, sentences)) < characters:
            sentences.append(self.sentence())
        return ("" if self.language == "ja" else " ").join(sentences)

    def name(self) -> str:
        """A person's name; the family name now and then one that nobody bears."""
        family = self.rng.choice(FAMILY) if self.rng.random() < 0.5 else self.words.token(9).capitalize()
        return f"{self.rng.choice(GIVEN)} {family if family.isalpha() else self.rng.choice(FAMILY)}"

    def address(self) -> tuple[str, str]:
        """Street and place."""
        rng = self.rng
        return f"{rng.randint(1, 190)} {rng.choice(STREETS)}", f"{rng.choice(PLACES)} {self.serial()}"

    def date(self) -> str:
        """A date, day month year."""
        return f"{self.rng.randint(1, 28)} {self.rng.choice(MONTHS)} {self.rng.randint(1871, 2026)}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
