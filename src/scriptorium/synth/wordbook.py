"""Text in several scripts, made offline: common words of a language, and a share that nobody can guess.

Common words are shared by all splits. The others (pseudo-words, serial numbers, figures) come from the split's
own pool, as in `words`; so what a bench asks for was never a target in training.
"""

import random
from collections.abc import Callable

from scriptorium.errors import ConfigError
from scriptorium.synth.words import Words, pool_of

UNPREDICTABLE = 0.1
"""The share of words that no language model can foresee."""

NOUNS = """archive river station meadow engine harbour letter garden market bridge winter council border village
cabinet journey painter lantern harvest mountain island theatre orchard library factory railway captain merchant
window kitchen teacher weather station signal valley forest record method sample surface volume pressure balance
current circuit mixture crystal particle theorem measure function boundary lattice sequence spectrum apparatus
observer account contract statute court clause tenant payment invoice budget shipment warehouse committee report
chapter question answer student lecture language grammar history century empire treaty portrait sculpture melody
instrument rhythm recipe flour butter vessel bottle leather cotton copper silver marble timber""".split()
ADJECTIVES = """old quiet narrow northern distant early heavy common open bright gentle severe public private modern
ancient regular uncertain local foreign careful rapid steady shallow complex linear finite local smooth plain
wooden broken final annual joint mutual formal brief entire former recent""".split()
VERBS = """crossed described measured followed received carried opened closed replaced observed compared recorded
repaired divided reached produced improved examined returned announced delivered collected reduced extended
confirmed rejected preserved arranged published translated""".split()
LINKS = "near behind beside beyond above under across within without against along before after".split()
OPENERS = """In the meantime|After the second visit|According to the register|By contrast|On most days|For this
 reason|As a rule|In later years|At the same time|With few exceptions|Under these conditions|To our surprise"""
JOINTS = "while;because;although;so that;until;and;but;whereas".split(";")

FRENCH = """maison rivière marché château fenêtre jardin lumière hiver été forêt musée théâtre école élève lettre
journée première dernière ancien récent société comité séance règlement intérêt santé liberté côté pièce manière
mémoire siècle œuvre peintre voyage frontière naïve façade garçon français où déjà après près très même être avoir
faire porter montrer recevoir répondre décrire mesurer suivre dans avec pour sans sous entre vers chez depuis""".split()
GERMAN = """Haus Straße Brücke Fluss Gärten Schlüssel Wörter Übung Größe Höhe Mühle König Bürger Stadt Rathaus
Zeitung Bericht Sitzung Verein Gesetz Prüfung Lösung Maß Gewässer Wälder Frühling Büro Schloss Bäcker früher später
größer schön grün müde kräftig süß während über unter zwischen gegen für wird wurde haben können müssen lesen
schreiben messen führen öffnen zählen erklären""".split()
GREEK = """σπίτι ποταμός αγορά γέφυρα χειμώνας καλοκαίρι δάσος βιβλίο γράμμα σχολείο μαθητής δάσκαλος πόλη χωριό
θάλασσα νησί βουνό δρόμος παράθυρο κήπος ημέρα νύχτα πρώτος τελευταίος παλιός νέος μεγάλος μικρός νόμος ερώτηση
απάντηση ιστορία αιώνας λόγος μέτρο αριθμός επιφάνεια δύναμη φως ήλιος άνεμος νερό ψωμί κρασί γράφει διαβάζει
βλέπει μετράει ανοίγει κλείνει έρχεται φεύγει μένει και με από για στον στην προς χωρίς μετά πριν όταν όπως""".split()
RUSSIAN = """дом река рынок мост зима лето лес книга письмо школа ученик учитель город деревня море остров гора
дорога окно сад день ночь первый последний старый новый большой малый закон вопрос ответ история век слово мера
число поверхность сила свет солнце ветер вода хлеб вино пишет читает видит мерит открывает закрывает приходит
уходит остаётся объект подъезд съёмка щётка и с от для в на к без после перед когда как между через около""".split()

SYLLABLES = {
    "el": ("βα γε δι θο κα λυ μη νω πα ρο σι τε φα χω ψη ξυ ζα".split(), "ς ν ".split(" ")),
    "ru": ("ба во ги дю же за ки лы ме ню по ря сё ту фе хо цы чу ша щи".split(), "к н т й ".split(" ")),
    "ja": (
        "あ い う え お か き く け こ さ し す せ そ た ち つ て と な に の は ひ ふ ま み む も や よ ら り る".split(),
        [""],
    ),
}
JAPANESE = """東京 歴史 図書 研究 学校 先生 時間 電車 会社 新聞 手紙 世界 方法 問題 自然 社会 経済 文化 科学 数学
資料 契約 請求 住所 電話 番号 年度 報告 結果 表面 温度 圧力 山川 春夏 秋冬 東西 南北""".split()
PARTICLES = "は が を に で と の へ も から まで".split()
JAPANESE_ENDS = "である。 です。 と考えられる。 を示す。 が多い。 になった。 ではない。".split()

LEXICON = {"fr": FRENCH, "de": GERMAN, "el": GREEK, "ru": RUSSIAN}
LANGUAGES = ("en", "fr", "de", "el", "ru", "ja")

FONTS = {"ja": ("Noto Serif CJK JP", "Noto Sans CJK JP", "IPAMincho", "IPAexMincho", "Harano Aji Mincho")}
"""Fonts of a machine that a language needs; for the others those inside typst suffice."""

GIVEN = "Anna Bruno Clara Dieter Elena Felix Greta Hugo Irene Jonas Klara Louis Marta Nils Olga Pavel Rosa Simon Tilda".split()
FAMILY = "Ashdown Berger Carlisle Dumont Eriksen Falk Granger Holm Ivers Jansen Keller Lindqvist Moreau Novak Ostrow".split()
PLACES = "Altmere Brenford Casterby Dunmoor Elmstead Farrow Glenhaven Harwick Inverley Kelmouth Lorne Marsham".split()
STREETS = (
    "Mill Lane|Station Road|Harbour Street|Church Row|Orchard Close|Quay Side|Weaver Street|Long Acre".split(
        "|"
    )
)
MONTHS = """January February March April May June July August September October November December""".split()


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
        if self.language not in SYLLABLES:
            word = self.words.token(14)
            return word.capitalize() if self.rng.random() < 0.3 else word
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
        while pool_of((token := draw())) != self.words.pool:
            pass
        return token

    def noun(self) -> str:
        """A common word of the language, a noun where its kind is known."""
        return self.rng.choice(LEXICON.get(self.language, JAPANESE if self.language == "ja" else NOUNS))

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
            text = f"{' '.join(rng.choice(OPENERS.split('|')).split())}, {text}"
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
