"""The common words that pages are made of, by language, and the words that a page has for its parts.

Own lists: no text of others was copied.
"""


def _words(text: str, between: str | None = None) -> tuple[str, ...]:
    """The words of a text that has blanks between them, or `between`."""
    return tuple(" ".join(word.split()) for word in text.split(between))


NOUNS = _words(
    """
archive river station meadow engine harbour letter garden market bridge winter council border village
cabinet journey painter lantern harvest mountain island theatre orchard library factory railway captain
merchant window kitchen teacher weather signal valley forest record method sample surface volume pressure
balance current circuit mixture crystal particle theorem measure function boundary lattice sequence spectrum
apparatus observer account contract statute court clause tenant payment invoice budget shipment warehouse
committee report chapter question answer student lecture language grammar history century empire treaty
portrait sculpture melody instrument rhythm recipe flour butter vessel bottle leather cotton copper silver
marble timber
"""
)
ADJECTIVES = _words(
    """
old quiet narrow northern distant early heavy common open bright gentle severe public private modern ancient
regular uncertain local foreign careful rapid steady shallow complex linear finite smooth plain wooden
broken final annual joint mutual formal brief entire former recent
"""
)
VERBS = _words(
    """
crossed described measured followed received carried opened closed replaced observed compared recorded
repaired divided reached produced improved examined returned announced delivered collected reduced extended
confirmed rejected preserved arranged published translated
"""
)
LINKS = _words(
    """
near behind beside beyond above under across within without against along before after
"""
)
OPENERS = _words(
    """
In the meantime|After the second visit|According to the register|By contrast|On most days|For this reason|As
a rule|In later years|At the same time|With few exceptions|Under these conditions|To our surprise
""",
    "|",
)
JOINTS = _words(
    """
while|because|although|so that|until|and|but|whereas
""",
    "|",
)
FRENCH = _words(
    """
maison rivière marché château fenêtre jardin lumière hiver été forêt musée théâtre école élève lettre
journée première dernière ancien récent société comité séance règlement intérêt santé liberté côté pièce
manière mémoire siècle œuvre peintre voyage frontière naïve façade garçon français où déjà après près très
même être avoir faire porter montrer recevoir répondre décrire mesurer suivre dans avec pour sans sous entre
vers chez depuis
"""
)
GERMAN = _words(
    """
Haus Straße Brücke Fluss Gärten Schlüssel Wörter Übung Größe Höhe Mühle König Bürger Stadt Rathaus Zeitung
Bericht Sitzung Verein Gesetz Prüfung Lösung Maß Gewässer Wälder Frühling Büro Schloss Bäcker früher später
größer schön grün müde kräftig süß während über unter zwischen gegen für wird wurde haben können müssen
lesen schreiben messen führen öffnen zählen erklären
"""
)
GREEK = _words(
    """
σπίτι ποταμός αγορά γέφυρα χειμώνας καλοκαίρι δάσος βιβλίο γράμμα σχολείο μαθητής δάσκαλος πόλη χωριό
θάλασσα νησί βουνό δρόμος παράθυρο κήπος ημέρα νύχτα πρώτος τελευταίος παλιός νέος μεγάλος μικρός νόμος
ερώτηση απάντηση ιστορία αιώνας λόγος μέτρο αριθμός επιφάνεια δύναμη φως ήλιος άνεμος νερό ψωμί κρασί γράφει
διαβάζει βλέπει μετράει ανοίγει κλείνει έρχεται φεύγει μένει και με από για στον στην προς χωρίς μετά πριν
όταν όπως
"""
)
RUSSIAN = _words(
    """
дом река рынок мост зима лето лес книга письмо школа ученик учитель город деревня море остров гора дорога
окно сад день ночь первый последний старый новый большой малый закон вопрос ответ история век слово мера
число поверхность сила свет солнце ветер вода хлеб вино пишет читает видит мерит открывает закрывает
приходит уходит остаётся объект подъезд съёмка щётка и с от для в на к без после перед когда как между через
около
"""
)
JAPANESE = _words(
    """
東京 歴史 図書 研究 学校 先生 時間 電車 会社 新聞 手紙 世界 方法 問題 自然 社会 経済
文化 科学 数学 資料 契約 請求 住所 電話 番号 年度 報告 結果 表面 温度 圧力 山川 春夏 秋冬 東西
南北
"""
)
PARTICLES = _words(
    """
は が を に で と の へ も から まで
"""
)
JAPANESE_ENDS = _words(
    """
である。 です。 と考えられる。 を示す。 が多い。 になった。 ではない。
"""
)
GIVEN = _words(
    """
Anna Bruno Clara Dieter Elena Felix Greta Hugo Irene Jonas Klara Louis Marta Nils Olga Pavel Rosa Simon
Tilda
"""
)
FAMILY = _words(
    """
Ashdown Berger Carlisle Dumont Eriksen Falk Granger Holm Ivers Jansen Keller Lindqvist Moreau Novak Ostrow
"""
)
PLACES = _words(
    """
Altmere Brenford Casterby Dunmoor Elmstead Farrow Glenhaven Harwick Inverley Kelmouth Lorne Marsham
"""
)
STREETS = _words(
    """
Mill Lane|Station Road|Harbour Street|Church Row|Orchard Close|Quay Side|Weaver Street|Long Acre
""",
    "|",
)
MONTHS = _words(
    """
January February March April May June July August September October November December
"""
)

SYLLABLES = {
    "el": (_words("""βα γε δι θο κα λυ μη νω πα ρο σι τε φα χω ψη ξυ ζα"""), ("ς", "ν", "")),
    "ru": (
        _words("""ба во ги дю же за ки лы ме ню по ря сё ту фе хо цы чу ша щи"""),
        ("к", "н", "т", "й", ""),
    ),
    "ja": (
        _words(
            """あ い う え お か き く け こ さ し す せ そ
た ち つ て と な に の は ひ ふ ま み む も や よ ら り る"""
        ),
        ("",),
    ),
}
"""Syllables and endings of pseudo-words, by language."""

LEXICON = {"fr": FRENCH, "de": GERMAN, "el": GREEK, "ru": RUSSIAN, "ja": JAPANESE}
LANGUAGES = ("en", *LEXICON)

LABELS = {
    "fr": {
        "Figure": "Figure",
        "Table": "Tableau",
        "Abstract": "Résumé",
        "Chapter": "Chapitre",
        "Page": "Page",
    },
    "de": {
        "Figure": "Abbildung",
        "Table": "Tabelle",
        "Abstract": "Kurzfassung",
        "Chapter": "Kapitel",
        "Page": "Seite",
    },
    "el": {
        "Figure": "Εικόνα",
        "Table": "Πίνακας",
        "Abstract": "Περίληψη",
        "Chapter": "Κεφάλαιο",
        "Page": "Σελίδα",
    },
    "ru": {
        "Figure": "Рисунок",
        "Table": "Таблица",
        "Abstract": "Аннотация",
        "Chapter": "Глава",
        "Page": "Страница",
    },
    "ja": {
        "Figure": "図",
        "Table": "表",
        "Abstract": "要旨",
        "Chapter": "章",
        "Page": "頁",
    },
}
"""The words that a page has for its parts, by language."""
