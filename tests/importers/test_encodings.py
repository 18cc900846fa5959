"""Encodings that no mark tells: letters are read as those of the language they make words in, and told of."""

from __future__ import annotations

import random
import time

import pytest

from importers.letter_judge import Sample, judge

WORDS = "sku,title\nA-1,{}\n"
TITLES = {
    "pl": "Kubek ceramiczny niebieski 350 ml,Świeca zapachowa różana,Łyżka wazowa ze stali,Pościel bawełniana żółta",
    "cs": "Hrnek modrý keramický,Dětská židle růžová,Příbor nerezový,Šátek vlněný žlutý,Lžíce na polévku",
    "sk": "Hrnček keramický modrý,Detská stolička ružová,Obrus bavlnený biely,Ľanová košeľa,Nôž kuchynský",
    "hu": "Kerámia bögre kék,Fürdőköpeny fehér,Gyertyatartó üvegből,Fűszertartó készlet,Kötött sál hosszú",
    "ro": "Cană ceramică albastră,Lumânare parfumată,Faţă de masă brodată,Şosete bărbaţi,Pernă de grădină",
    "hr": "Šalica keramička plava,Dječja stolica ružičasta,Žlica za juhu,Čaša staklena,Kuhinjski nož oštar",
    "lt": "Keraminis puodelis mėlynas,Vaikiška kėdė rožinė,Šaukštas sriubai,Žvakė kvapioji,Pagalvėlė ąžuolo rašto",
    "lv": "Keramikas krūze zila,Bērnu krēsls rozā,Karote zupai nerūsējošā,Svece smaržīgā,Spilvens mīksts",
    "et": "Sinine tass küünlaga,Lõhnaküünal roosiõli,Šokolaadikarp,Õlipudel klaasist,Käterätik valge",
    "tr": "Mavi seramik kupa,Çocuk sandalyesi pembe,Yemek kaşığı paslanmaz,Gül kokulu mum,Işıklı süs ağacı",
    "ru": "Кружка керамическая синяя,Детский стул розовый,Ложка столовая,Свеча ароматическая",
    "uk": "Чашка керамічна синя,Дитячий стілець рожевий,Ложка столова,Свічка ароматична,Рушник їдальні",
    "bg": "Керамична чаша синя,Детски стол розов,Лъжица за супа,Ароматна свещ,Възглавница памучна",
    "el": "Κούπα κεραμική μπλε,Παιδική καρέκλα ροζ,Κουτάλι σούπας,Αρωματικό κερί,Μαξιλάρι βαμβακερό",
    "ar": "كوب سيراميك أزرق,كرسي أطفال وردي,ملعقة طعام من الفولاذ,شمعة معطرة,وسادة قطنية بيضاء",
    "th": "แก้วเซรามิกสีฟ้า,เก้าอี้เด็กสีชมพู,ช้อนสแตนเลส,เทียนหอมกลิ่นกุหลาบ,หมอนผ้าฝ้ายสีขาว",
    "ja": "マグカップ 青 ３５０ｍｌ,子供用椅子 ピンク,スープ用スプーン ステンレス,ソ表能 緑茶",
    "zh_CN": "陶瓷马克杯 蓝色,儿童椅子 粉色,不锈钢汤匙,玫瑰香薰蜡烛,纯棉枕头 白色",
    "zh_TW": "陶瓷馬克杯 藍色,兒童椅子 粉色,不鏽鋼湯匙,玫瑰香氛蠟燭,純棉枕頭 白色",
    "ko": "세라믹 머그컵 파란색,어린이 의자 분홍색,스테인리스 수저,장미 향초,면 베개 흰색",
    "es": "Taza cerámica azul,Silla niño rosa,Cucharón acero,Vela aromática,Almohada algodón 50 por 70 cm,Año 12 €",
    "pt": "Caneca de cerâmica azul,Cadeira infantil,Colher de sopa aço,Algodão orgânico,Sofá três lugares,Pão",
    "fr": "Tasse en céramique bleue,Chaise d’enfant,Cuillère à soupe,Bougie parfumée,Sœur,Île flottante – 3 pièces",
    "de": "Größe „M“ blau,Kinderstuhl grün,Löffel für Suppe,Kerze süß,Weißes Kissen weich,Übertopf",
    "it": "Caffè macinato qualità oro,Tè verde più forte,Città di notte quadro,Così è la vita,Perché no",
    "sv": "Blå mugg för kaffe,Barnstol i trä,Sked av stål,Doftljus med rosdoft,Örngott",
    "da": "Blå krus til børn,Træstol rød,Skeæske i stål,Duftlys æble,Pude til sofaen grøn",
    "en": "Café table,Naïve art print,Crème brûlée set of 6,Jalapeño sauce 50 °C,Häagen tub ½ pint,Kärcher® hose",
}
ENCODINGS = {
    "pl": "cp1250 iso8859-2 cp852", "cs": "cp1250 iso8859-2 cp852", "sk": "cp1250 iso8859-2 cp852",
    "hu": "cp1250 iso8859-2 cp852", "ro": "cp1250 iso8859-2", "hr": "cp1250 iso8859-2 cp852", "lt": "cp1257",
    "lv": "cp1257", "et": "cp1257", "tr": "cp1254", "ru": "cp1251 koi8-r cp866", "uk": "cp1251 koi8-u", "bg": "cp1251",
    "el": "cp1253", "ar": "cp1256", "th": "cp874", "ja": "cp932 euc-jp", "zh_CN": "gb18030", "zh_TW": "big5",
    "ko": "euc-kr", "es": "cp1252 mac-roman", "pt": "cp1252 mac-roman cp850", "fr": "cp1252 mac-roman",
    "de": "cp1252 mac-roman", "it": "cp1252", "sv": "cp1252 mac-roman cp850", "da": "cp1252 mac-roman",
    "en": "cp1252",
}  # fmt: skip
WIDE = ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")


def table(language: str) -> str:
    titles = TITLES[language].split(",")
    return "sku;title;price\r\n" + "".join(f"A-{n};{title};{n},50\r\n" for n, title in enumerate(titles, start=1))


@pytest.mark.parametrize(
    ("language", "name"), [(key, name) for key, said in ENCODINGS.items() for name in said.split()]
)
def test_titles_are_read_in_the_letters_of_their_language(run, language, name):
    checked = run(table(language).encode(name))
    assert [row["title"] for row in checked.rows.values()] == TITLES[language].split(",")
    assert ("encoding_guessed" in checked.warnings) == (name != "cp1252")


@pytest.mark.parametrize("name", WIDE)
@pytest.mark.parametrize("language", ["de", "ru", "el", "ja", "zh_CN", "lv"])
def test_two_and_four_bytes_for_a_letter_are_seen_without_a_mark(run, language, name):
    checked = run(table(language).encode(name))
    assert (checked.report.encoding, checked.warnings) == (name, set())
    assert [row["title"] for row in checked.rows.values()] == TITLES[language].split(",")


@pytest.mark.parametrize("language", ["es", "pt", "fr", "de", "it", "sv", "da", "en"])
def test_one_word_of_western_europe_is_enough(run, language):
    for title in TITLES[language].split(","):
        checked = run(f"sku,title\nA-1,{title}\n".encode("cp1252"))
        assert (checked.rows[2]["title"], checked.report.errors) == (title, ())


@pytest.mark.parametrize(
    "text",
    [
        *("Tapis 3 m² à 12 cm³", "Año nº 1ª ½ Maß ‘x’ “y”", "10 µm ± 5 % – 40 °C", "Marke® 12.50 €", "Ø 12 mm"),
        *(
            "CAMISETA ALGODÓN NIÑO",
            "ÜBERGRÖSSE WEIß",
            "¡Oferta!",
            "L'ÉTÉ À LA PLAGE",
            "Škoda Octavia",
            "Lancôme",
            "Moët & Chandon",
        ),
    ],
)
def test_signs_and_capitals_of_trade_are_western(run, text):
    checked = run(f"sku,title\nA-1,{text}\n".encode("cp1252"))
    assert checked.rows[2]["title"] == text


def test_signs_of_the_euro_and_ligatures_tell_latin_9_from_windows(run):
    text = "Cœur de bœuf et œuf 12 €"
    assert run(WORDS.format(text).encode("iso8859-15")).rows[2]["title"] == text


def test_several_languages_of_the_west_in_one_file_are_no_doubt(run):
    titles = [title for language in ("es", "fr", "de", "pt", "it", "en") for title in TITLES[language].split(",")]
    content = "sku;title\n" + "".join(f"A-{n};{title}\n" for n, title in enumerate(titles))
    checked = run(content.encode("cp1252"))
    assert (checked.report.encoding, checked.warnings) == ("cp1252", set())


def test_a_choice_wins_over_the_letters_and_leaves_no_doubt(run):
    checked = run(table("pl").encode("cp1250"), encoding="cp1252")
    assert (checked.report.encoding, checked.warnings) == ("cp1252", set())
    assert checked.rows[3]["title"] != TITLES["pl"].split(",")[1]


def test_bytes_that_make_words_in_no_language_are_asked_about(run):
    draw = random.Random(3)
    letters = bytes(draw.choice(range(0xA0, 0xFF)) for _ in range(400))
    assert run(b"sku,title\nA-1," + letters.replace(b"\xfe", b" ") + b"\n").errors == [(1, "bad_encoding")]


def test_zeros_in_a_text_of_single_bytes_do_not_make_it_wide(run):
    checked = run(b"sku,title\nA-1,a\0b\nA-2,Mug\nA-3,c\0d\nA-4,e\0\0f\n")
    assert checked.report.encoding == "utf-8"
    assert checked.rows[3]["title"] == "Mug"


def test_a_judgement_of_many_words_takes_no_longer_than_one_of_hundreds():
    piece = "\n".join(f"{title}{n}" for n in range(3000) for title in TITLES["cs"].split(",")).encode("cp1250")
    sample = Sample.empty()
    started = time.process_time()
    sample.add(piece[:20_000])
    judge(sample)
    few, started = time.process_time() - started, time.process_time()
    sample.add(piece)
    judge(sample)
    assert time.process_time() - started < 10 * few + 0.5


@pytest.mark.parametrize("text", ["绿茶 五十克", "红茶", "陶瓷杯"])
def test_few_chinese_signs_are_never_read_as_japanese(run, text):
    checked = run(WORDS.format(text).encode("gb18030"))
    assert not checked.rows or checked.rows[2]["title"] == text


def test_the_japanese_encoding_of_mail_is_seen_by_its_marks(run):
    checked = run("sku,title,price\nA-1,緑茶 カップ,1.00\n".encode("iso2022_jp"))
    assert (checked.report.encoding, checked.rows[2]["title"]) == ("iso2022_jp", "緑茶 カップ")


def test_bytes_that_are_no_letters_are_named_in_a_column_of_numbers_too(run):
    assert run("sku,title,price\nA-1,é,1".encode() + b"\xff.00\n").errors == [(2, "bad_encoding")]
    cut = "\ufeffsku\ttitle\tprice\nA-1\tÉté\t1.00".encode("utf-16-le")[:-1]
    assert run(cut).errors == [(2, "bad_encoding")]


@pytest.mark.parametrize("cell", [b"x" * 400_000, b"\xe9" * 400_000, b"x " * 200_000, b"(" * 400_000])
@pytest.mark.parametrize("place", [0, 1])
def test_one_long_cell_beside_a_letter_takes_no_time(run, cell, place):
    cells = [b"A-1", b"a", b"1"]
    cells[place] = cell
    started = time.perf_counter()
    checked = run(b"sku,title,price\nA-2,Gr\xf6\xdfe,1\n" + b",".join(cells) + b"\n")
    assert time.perf_counter() - started < 5
    assert checked.errors == [(3, "too_long")]


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("sku;denumire;preţ;cantitate", "cp1250"),
        ("Stok Kodu;Ürün Adı;Fiyat;Stok", "cp1254"),
        ("Šifra;Naziv;Količina;Cijena", "cp1250"),
        ("Код;Име;Наличност;Цена", "cp1251"),
        ("商品编码;商品名称;库存;价格", "gb18030"),
        ("商品コード;商品名;在庫数;価格", "cp932"),
        ("Código;Título;Precio;Categoría", "mac-roman"),
    ],
)
def test_headers_that_are_known_words_tell_the_encoding_of_a_short_file(run, header, name):
    checked = run(f"{header}\nA-1;Mug;5;5\n".encode(name), kind="listings")
    assert checked.report.encoding == name
    assert set(checked.report.headers) == set(header.split(";"))
    assert "encoding_guessed" in checked.warnings


def test_known_headers_of_the_west_leave_the_judgement_to_the_letters(run):
    assert run("Référence;Désignation\nA;Écharpe été\n".encode("cp1252")).warnings == set()
    checked = run("sku;titre;quantité\nA;Kubek żółty łąka;\n".encode("cp1250"))
    assert (checked.report.encoding, checked.rows[2]["title"]) == ("cp1250", "Kubek żółty łąka")


@pytest.mark.parametrize(("word", "name"), [("Ayakkabı", "cp1254"), ("Dağ", "cp1254"), ("Fustă", "cp1250")])
def test_a_word_that_reads_as_well_in_another_encoding_is_doubted(run, word, name):
    checked = run(f"sku,title\nA-1,{word}\n".encode(name))
    assert not checked.rows or checked.rows[2]["title"] == word or "encoding_guessed" in checked.warnings
