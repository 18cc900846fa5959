"""Words that carry facts in product titles, in many languages: units, packs, colours, sizes."""

from __future__ import annotations

import unicodedata
from typing import Final

from matching.wording import phrase


def _folded(words: str) -> str:
    """Words without accents, as `normalize.fold` leaves them: "черныи" for "черный"."""
    parted = unicodedata.normalize("NFD", words)
    return unicodedata.normalize("NFC", "".join(c for c in parted if not unicodedata.combining(c)))


def folded_words(text: str) -> frozenset[str]:
    """The words of a list as they stand in a folded title."""
    return frozenset(_folded(text).split())


#: Every dimension a quantity may have. `pack` counts sold units, `count` counts pieces inside one unit.
DIMENSIONS: Final = (
    "volume", "mass", "length", "storage", "power", "voltage", "frequency", "pack", "count", "energy",
    "resolution", "speed", "area", "screen", "charge", "oz", "capacity",
)  # fmt: skip
DIMENSION_ID: Final = {name: number for number, name in enumerate(DIMENSIONS)}

#: unit word -> (dimension, factor to the base unit, base unit). Factors: NIST Handbook 44, appendix C.
_UNIT_ROWS: Final = """
volume ml 1: ml millilitre milliliter millilitres milliliters mililitro mililitros мл
volume ml 10: cl centilitre centiliter centilitres
volume ml 100: dl дл
volume ml 1000: l lt ltr liter litre liters litres litro litros litri litru litry litrow л литр литра литров
volume ml 29.5735: floz
volume ml 473.176: pint pints
volume ml 946.353: quart quarts qt
volume ml 3785.41: gal gallon gallons galon galones
mass g 0.000001: mcg ug мкг
mass g 0.001: mg мг
mass g 1: g gr gram grams gramm gramme grammes gramo gramos grama gramas gramow grammi г гр грамм
mass g 1000: kg kgs kilo kilos kilogram kilograms kilogramm кг
mass g 453.592: lb lbs pound pounds
oz oz 1: oz ounce ounces onza onzas
length mm 1: mm millimeter millimetre milimetros мм
length mm 10: cm centimeter centimetre centimeters centimetros centimetres centimetri см
length mm 1000: m meter metre meters metres metro metros metri м
length mm 304.8: ft foot feet
screen in 1: in inch inches zoll pulgada pulgadas pouce pouces polegada polegadas pollici cale palec palce palcu palcovy
screen in 1: palcova cali tum tums inc дюйм дюйма дюймов
storage gb 0.001: mb
storage gb 1: gb go гб
storage gb 1024: tb to тб
power w 1: w watt watts vatios vattios вт
power w 1000: kw квт
voltage v 1: v volt volts voltios вольт
frequency mhz 0.000001: hz
frequency mhz 0.001: khz
frequency mhz 1: mhz
frequency mhz 1000: ghz
energy wh 1: wh
energy wh 1000: kwh
charge mah 1: mah мач
charge mah 1000: ah ач
resolution mp 1: mp megapixel megapixels megapixeles
speed rpm 1: rpm
area sqft 1: sqft
capacity cuft 1: cuft
"""
UNITS: Final[dict[str, tuple[int, float, str]]] = {}
for _row in _folded(_UNIT_ROWS).strip().splitlines():
    _head, _words = _row.split(":")
    _dimension, _base, _factor = _head.split()
    for _word in _words.split():
        UNITS[_word] = (DIMENSION_ID[_dimension], float(_factor), _base)

#: Words that count pieces inside one sold unit ("80 ct").
COUNT_WORDS: Final = folded_words("""
    ct count cnt pcs pc pce piece pieces pz pza pzas pieza piezas peca pecas pezzi pezzo stk stuck stucke stueck
    unidades unidad unidade uds und unds unid units unit unites unite sheets sheet hojas folhas feuilles blatt fogli
    tablets tabs tabletas capsules caps capsulas kapseln tablet tabletten comprimidos comprimes compresse szt ks adet
    шт штук штуки kpl st ud bags teabags wipes rolls rollos rollen rouleaux rotoli rolos rolek rolki roli
    pair pairs paar paare par pares paire paires paia pary пар пары tabletek tablety таблеток таблетки
    capsule capsula capsulas gelules kapsulek kapsulki kapsli kapsle капсул капсулы cialde dosettes pads sachets sachet
    sobres saquetas beutel bustine saszetek sacku пакетиков пакетов мешков рулонов рулона листов салфеток лезвий
    капс табл таб ампул ампулы амп саше драже свечей рул пак comp cps comps role
    toallitas lingettes salviette tucher feuchttucher blades lames klingen cuchillas lavados lavages lavaggi
    waschladungen wl prani pran washes loads стирок cans bottles latas botellas garrafas flaschen dosen bouteilles
    canettes lattine bottiglie puszek butelek plechovek lahvi банок бутылок stuks stuk sztuk sztuki teile tlg teilig
    teilige teiliges filmtabletten tabl kaps cpr teebeutel
""")
#: Of them those for what a pharmacy counts, and what it is called.
DOSES: Final = folded_words("""
    таблетки таблеток табл таб капсулы капсул капс ампулы ампул амп суппозитории свечи саше драже tablets tabs
    capsules caps tabletki tabletek tablety tabletten kapsulki kapsulek kapsli kapseln comprimidos comprimes compresse
""")
#: Words that count how many units are sold together ("pack of 6", "6er Pack", "lote de 6", "caixa com 6").
PACK_WORDS: Final = folded_words("""
    pack packs pk pkg package packung packen pak paquete paquetes pacote pacotes paquet paquets paq pacco pacchi
    confezione confezioni conf set sets kit lot lots lote lotes caja cajas caixa caixas boite boites box boxes
    case cases bundle bundles bulk multipack conjunto juego karton kartons schachtel scatola scatole satz ensemble
    cartone упаковка упаковки уп набор balenie kiste kisten cx ctn carton cartons lotto lotti cassa casse fardo fardos
    blister blisters
    baleni zestaw opakowanie opakowania opakowan paket pacotes packungen пачка пачек пачки коробка verpakking doos
    vorteilspack komplet
""")
#: Of the words above those that also name the thing itself ("iPhone 13 case", "Lego set 7965"): they count only with a
#: word in between ("set of 3") or behind "er" ("3er Set").
THING_WORDS: Final = folded_words("""
    case set kit box bundle bulk lot juego satz ensemble conjunto набор zestaw коробка scatola boite kiste cassa casse
    carton blister
""")
#: Of the words above those of which there are several: "2 packs of 6" are twelve.
PACKS: Final = folded_words("""
    packs boxes sets lots bundles cases paquetes pacotes paquets pacchi confezioni lotes cajas caixas boites kartons
    kisten scatole lotti cartons casse fardos packungen packen blisters
""")
#: Words that count what is sold, whatever it is: "pack of 6 pieces" is a pack of six.
PIECE_WORDS: Final = folded_words("""
    pcs pc pce piece pieces pz pza pzas pieza piezas peca pecas pezzi pezzo stk stuck stucke stueck unidades unidad
    unidade uds ud und unds unid units unit unites unite szt ks adet шт штук штуки kpl st stuks stuk sztuk sztuki
""")
NUMBER_WORDS: Final = {
    "twin": 2, "double": 2, "duo": 2, "pair": 2, "doppelpack": 2, "duplo": 2, "par": 2, "paire": 2, "coppia": 2,
    "paar": 2, "twinpack": 2, "doublepack": 2, "duopack": 2, "bipack": 2, "zweierpack": 2, "doppelpackung": 2,
    "tripack": 3, "triopack": 3, "dreierpack": 3, "viererpack": 4, "funferpack": 5, "sixpack": 6, "sechserpack": 6,
    "achterpack": 8, "zehnerpack": 10, "zwolferpack": 12, "triple": 3, "trio": 3, "dozen": 12, "docena": 12,
    "duzia": 12, "douzaine": 12, "dutzend": 12, "dozzina": 12,
}  # fmt: skip
#: Numbers as words, which count beside a word for packs or pieces ("pack of three", "lote de dos", "six-pack").
SPELLED: Final = {
    word: number
    for number, words in enumerate(
        (
            "two dos dois duas deux zwei due", "three tres trois drei tre", "four cuatro quatro quatre vier quattro",
            "five cinco cinq funf cinque", "six seis sechs sei", "seven siete sete sept sieben sette",
            "eight ocho oito huit acht otto", "nine nueve nove neuf neun", "ten diez dez dix zehn dieci",
            "eleven once onze elf undici", "twelve doce doze douze zwolf dodici",
        ),
        start=2,
    )
    for word in words.split()
}  # fmt: skip

_COLOUR_ROWS: Final = """
black: black blk negro negra negros negras preto preta pretos pretas noir noire noirs noires schwarz schwarze
    schwarzer schwarzes nero nera neri nere czarny czarna cerny cerna siyah черный черная черное черные cerne cerno
    czarne svart svarta zwart zwarte
white: white wht blanco blanca blancos blancas branco branca brancos brancas blanc blanche blancs blanches weiss
    weisse weisser bianco bianca bianchi bianche bialy biala bily bila beyaz белый белая белое белые biale bile
    vita wit witte weisses
red: red rojo roja rojos rojas vermelho vermelha vermelhos rouge rouges rot rote roter rosso rossa rossi rosse
    czerwony cerveny cervena kirmizi красный красная красное красные czerwona czerwone cervene rotes rood
blue: blue blu azul azules azuis bleu bleue bleus blau blaue blauer azzurro niebieski modry modra mavi синий синяя
    синее синие голубой голубая голубые niebieska niebieskie modre blaues blauw blauwe navy marine marino marinho
green: green grn verde verdes vert verte verts grun grune gruner gruen verdi zielony zeleny zelena yesil зеленый
    зеленая зеленое зеленые zielona zielone zelene grunes groen groene
yellow: yellow amarillo amarilla amarillos amarelo amarela jaune jaunes gelb gelbe gelber giallo gialla zolty zluty
    sari желтый желтая желтые amarillas amarelas gelbes gialle gialli zolta zolte zluta zlute geel gele
orange: orange naranja laranja arancione arancio pomaranczowy oranzovy turuncu оранжевый оранжевая оранжевые arancioni
    pomaranczowa oranzova oranzove oranje
pink: pink rosa rosado rosada rose fuchsia magenta fucsia rozowy ruzovy pembe розовый розовая розовые rozowa rozowe
    ruzova ruzove roze
purple: purple violet morado morada roxo roxa lila violett viola violeta purpura lilac lavender fioletowy fialovy mor
    фиолетовый фиолетовая фиолетовые fioletowa fioletowe fialova fialove moradas paars paarse
brown: brown marron cafe castanho castanha marrom braun braune marrone brun brune brazowy hnedy kahverengi коричневый
    коричневая коричневые brazowa brazowe hneda hnede braunes marroni bruin bruine
grey: grey gray gris grises cinza cinzento grau graue grauer grigio grigia szary sedy seda gri серый серая серые szara
    szare sede sive graues grise grijs grijze graphite grafito anthracite anthrazit antracita charcoal
silver: silver plata plateado prata prateado argent argente silber silbern argento srebrny stribrny gumus серебристый
    серебристая серебристые srebrna srebrne stribrna stribrne prateada plateada plateados argentee silbernes zilver
gold: gold golden dorado dorada oro dourado dourada dore gouden goldfarben dorato zloty zlaty altin золотой золотая
    золотые zlota zlote zlata zlate doree goud
beige: beige bege cream crema creme ivory marfil bezowy bezova bej бежевый бежевая бежевые bezowa bezowe bezove
turquoise: turquoise turquesa turkis turchese teal cyan cian aqua
clear: clear transparent transparente klar trasparente прозрачный прозрачная прозрачные przezroczysty pruhledny
    pruhledna
"""
COLOURS: Final[dict[str, int]] = {}
#: The names as screens show them, in the order of their bits.
COLOUR_NAMES: Final = (
    phrase("black"), phrase("white"), phrase("red"), phrase("blue"), phrase("green"), phrase("yellow"),
    phrase("orange"), phrase("pink"), phrase("purple"), phrase("brown"), phrase("grey"), phrase("silver"),
    phrase("gold"), phrase("beige"), phrase("turquoise"), phrase("clear"),
)  # fmt: skip
for _row in _folded(_COLOUR_ROWS).strip().replace("\n    ", " ").splitlines():
    _name, _words = _row.split(":")
    for _word in _words.split():
        COLOURS[_word] = COLOUR_NAMES.index(_name)

#: Words above that name one shade of their colour: another word for the colour may mean another shade.
SHADES: Final = folded_words("""
    navy marine marino marinho azzurro голубой fuchsia magenta fucsia lilac lavender lila lilas graphite grafito
    anthracite anthrazit antracita charcoal cream crema creme ivory marfil teal cyan cian aqua golden argent
""") & frozenset(COLOURS)

#: Words above that name what is in a pack as often as a colour. Where a title says how much of it there is, by volume
#: or weight, they are none.
FOODS: Final = folded_words("orange naranja laranja cafe castanha cream crema creme")

#: Clothing sizes by letter, with the words that mean the same.
SIZES: Final[dict[str, str]] = {
    "xxs": "xxs", "xs": "xs", "s": "s", "m": "m", "l": "l", "xl": "xl", "xxl": "2xl", "2xl": "2xl", "xxxl": "3xl",
    "3xl": "3xl", "4xl": "4xl", "xxxxl": "4xl", "5xl": "5xl",
    "small": "s", "medium": "m", "large": "l", "pequeno": "s", "pequena": "s", "mediano": "m", "mediana": "m",
    "grande": "l", "medio": "m", "media": "m", "petit": "s", "petite": "s", "moyen": "m", "moyenne": "m", "grand": "l",
    "klein": "s", "mittel": "m", "gross": "l", "piccolo": "s", "piccola": "s",
}  # fmt: skip
#: Letters that are sizes only behind a word for size, since titles have them for much else: "tamanho G", "talla CH".
SIZE_LETTERS: Final[dict[str, str]] = {
    **SIZES, "p": "s", "pp": "xs", "g": "l", "gg": "xl", "xg": "2xl", "xgg": "3xl", "ch": "s", "eg": "xl",
}  # fmt: skip
#: Words after which a letter or a number is a size ("talla 42", "Größe M").
SIZE_WORDS: Final = folded_words("""
    size sz talla tamano taille tamanho tam numero grosse gr groesse taglia tg misura velikost vel rozmiar rozm roz
    размер разм
""")

#: Words for what is sold by band and cup ("90 C"): a number and a letter beside one of them are a size.
CUP_WORDS: Final = folded_words("""
    bra bras brassiere bralette sujetador sujetadores sosten sostenes brasier corpino soutien sutia sutias
    soutiengorge bh bhs bustenhalter bugelbh reggiseno reggiseni biustonosz podprsenka бюстгальтер
""")
CUPS: Final = frozenset("a aa b c d dd ddd e ee f ff g gg h hh i j k".split())

#: Numbers of models and volumes in Roman numerals, but for single letters, which are much else.
ROMAN: Final = {
    "ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9", "xi": "11", "xii": "12",
    "xiii": "13", "xiv": "14", "xvi": "16",
}  # fmt: skip
#: How strong a scent is, in its usual letters, with the word of it that people leave when they leave the others out.
SCENTS: Final = {"edp": "parfum", "edt": "toilette", "edc": "cologne"}

#: Regions in whose sizes shoes and clothes are told ("EU 42", "UK 8"): the number behind is one where a foot or a body
#: may have it.
SIZE_REGIONS: Final = {"eu": "", "eur": "", "uk": "uk ", "us": "us "}

#: What says that there is one size only.
ONE_SIZE: Final = frozenset((
    "one size", "onesize", "os", "o s", "talla unica", "tamanho unico", "taille unique", "taglia unica",
    "einheitsgrosse", "unica", "unico", "unique", "universal", "free size", "one size fits all", "tu", "uni",
))  # fmt: skip
#: Sizes written in two words.
SIZE_PAIRS: Final = {
    "x small": "xs", "extra small": "xs", "x large": "xl", "extra large": "xl", "xx large": "2xl", "xxx large": "3xl",
    "extra grande": "xl", "extra klein": "xs", "extra gross": "xl",
}  # fmt: skip
#: Words beside a size that say nothing: continental sizes are meant where no other region is named.
SIZE_FILLERS: Final = SIZE_WORDS | {"eu", "eur"}
#: Words for ages, which name sizes of children's clothes.
AGE_WORDS: Final = {
    **dict.fromkeys("monate monaten monat months month mths mth meses mes mois mesi mese maanden".split(), "months"),
    **dict.fromkeys("jahre jahren jahr years year yrs yr anos ano ans an anni anno jaar lat".split(), "years"),
}  # fmt: skip

#: Names of variant options, as marketplaces write them, by what they mean.
OPTION_KINDS: Final[dict[str, str]] = {
    **dict.fromkeys(
        "size talla tamano taille tamanho grosse groesse taglia misura medida размер velikost".split(), "size"
    ),
    **dict.fromkeys("colour color couleur cor farbe colore kolor barva цвет renk".split(), "colour"),
    **dict.fromkeys("material materials materiale materiau matiere materia materialien".split(), "material"),
    **dict.fromkeys("flavour flavor sabor gout saveur geschmack gusto sapore parfum".split(), "flavour"),
}
