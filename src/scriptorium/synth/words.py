"""Words that nobody has seen: pronounceable pseudo-words, random strings and numbers, by split.

Every token belongs to one pool by its hash, and a split draws only from its own pool; so no word of
a bench page was ever a target in training.
"""

import hashlib
import random

from scriptorium.errors import ConfigError

POOLS = (("sft", 0.60), ("rl", 0.16), ("dev", 0.06), ("bench", 0.12), ("corpus", 0.06))
"""Pools and their shares of all tokens."""

POOL_OF_SPLIT = {"pretrain": "sft"} | {name: name for name, _ in POOLS}
"""Pretraining may read the words of sft; every other split has a pool of its own."""

ONSETS = (*"bcdfghjklmnprstvwyz", "br", "ch", "dr", "fl", "gr", "pl", "qu", "sh", "st", "tr")
VOWELS = (*"aeiou", "ai", "ea", "oo")
CODAS = ("", "", "", "b", "ck", "d", "f", "g", "l", "m", "n", "p", "r", "s", "t", "x", "zz")
LETTERS = "abcdefghijklmnopqrstuvwxyz"
DIGITS = "0123456789"


def pool_of(token: str) -> str:
    """The pool that `token` (letters and digits) belongs to."""
    point = int.from_bytes(hashlib.sha256(token.encode()).digest()[:6]) / 2**48
    for name, share in POOLS:
        point -= share
        if point < 0:
            return name
    return POOLS[-1][0]


def _pseudo_word(rng: random.Random) -> str:
    syllables = rng.choice((1, 1, 1, 2, 2, 3))
    return "".join(rng.choice(ONSETS) + rng.choice(VOWELS) for _ in range(syllables)) + rng.choice(CODAS)


def _random_string(rng: random.Random) -> str:
    return "".join(rng.choices(LETTERS + DIGITS, k=rng.randint(2, 6)))


class Words:
    """The words of one split, drawn with `rng`. `unpredictable` is the share that is not pseudo-words."""

    def __init__(self, split: str, rng: random.Random, unpredictable: float = 0.25) -> None:
        if split not in POOL_OF_SPLIT:
            raise ConfigError(f"split {split!r} is unknown; use one of {', '.join(sorted(POOL_OF_SPLIT))}")
        self.pool = POOL_OF_SPLIT[split]
        self.rng = rng
        self.unpredictable = unpredictable

    def token(self, longest: int = 16) -> str:
        """A token of the pool with at most `longest` characters."""
        while True:
            kind = self.rng.random()
            if kind >= self.unpredictable:
                token = _pseudo_word(self.rng)
            elif kind < self.unpredictable / 4:
                token = "".join(self.rng.choices(DIGITS, k=self.rng.randint(1, 5)))
            else:
                token = _random_string(self.rng)
            if len(token) <= longest and pool_of(token) == self.pool:
                return token

    def number(self, digits: int) -> str:
        """A number of `digits` digits, three or more, without a leading zero."""
        while True:
            number = str(self.rng.randint(10 ** (digits - 1), 10**digits - 1))
            if pool_of(number) == self.pool:
                return number

    def line(self, shortest: int, longest: int) -> str:
        """Words with one space between, `shortest` to `longest` characters, now and then with punctuation."""
        wanted = self.rng.randint(shortest, longest)
        line = ""
        while len(line) < wanted:
            longer = f"{line} {self._punctuated()}".lstrip()
            if len(longer) <= longest:
                line = longer
            elif len(line) >= shortest:
                break
            else:
                line = ""
        return line

    def _punctuated(self) -> str:
        token, kind = self.token(), self.rng.random()
        if kind < 0.04:
            return f"{token},"
        # "12." at the start of a line would be a numbered list in Markdown.
        if kind < 0.08 and not token.isdigit():
            return f"{token}."
        if kind < 0.11:
            return f"{token}-{self.token()}"
        return token
