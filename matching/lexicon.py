"""Words that carry facts in product titles, in many languages: units, packs, colours, sizes."""

from __future__ import annotations

from typing import Final

from matching.wording import phrase

#: Every dimension a quantity may have. `pack` counts sold units, `count` counts pieces inside one unit.
DIMENSIONS: Final = (
    "volume", "mass", "length", "storage", "power", "voltage", "frequency", "pack", "count", "energy",
    "resolution", "speed", "area", "screen", "charge", "oz",
)  # fmt: skip
DIMENSION_ID: Final = {name: number for number, name in enumerate(DIMENSIONS)}

#: unit word -> (dimension, factor to the base unit, base unit). Factors: NIST Handbook 44, appendix C.
_UNIT_ROWS: Final = """
volume ml 1: ml millilitre milliliter millilitres milliliters mililitro mililitros мл
volume ml 10: cl centilitre centiliter centilitres
volume ml 100: dl
volume ml 1000: l lt ltr liter litre liters litres litro litros litri л литр литра литров
volume ml 29.5735: floz
volume ml 473.176: pint pints
volume ml 946.353: quart quarts qt
volume ml 3785.41: gal gallon gallons galon galones
mass g 0.001: mg
mass g 1: g gr gram grams gramm gramme grammes gramo gramos grama gramas grammi г гр
mass g 1000: kg kgs kilo kilos kilogram kilograms kilogramm кг
mass g 453.592: lb lbs pound pounds
oz oz 1: oz ounce ounces onza onzas
length mm 1: mm millimeter millimetre milimetros мм
length mm 10: cm centimeter centimetre centimeters centimetros см
length mm 1000: m meter metre meters metres metro metros metri м
length mm 304.8: ft foot feet
screen in 1: in inch inches zoll pulgada pulgadas pouce pouces polegada polegadas pollici cale palec palce tum inc
storage gb 0.001: mb
storage gb 1: gb go гб
storage gb 1024: tb to тб
power w 1: w watt watts vatios vattios вт
power w 1000: kw
voltage v 1: v volt volts voltios вольт
frequency mhz 0.000001: hz
frequency mhz 0.001: khz
frequency mhz 1: mhz
frequency mhz 1000: ghz
energy wh 1: wh
energy wh 1000: kwh
charge mah 1: mah
resolution mp 1: mp megapixel megapixels megapixeles
speed rpm 1: rpm
area sqft 1: sqft
"""
UNITS: Final[dict[str, tuple[int, float, str]]] = {}
for _row in _UNIT_ROWS.strip().splitlines():
    _head, _words = _row.split(":")
    _dimension, _base, _factor = _head.split()
    for _word in _words.split():
        UNITS[_word] = (DIMENSION_ID[_dimension], float(_factor), _base)

#: Words that count pieces inside one sold unit ("80 ct").
COUNT_WORDS: Final = frozenset(
    """ct count cnt pcs pc pce piece pieces pz pza pzas pieza piezas peca pecas pezzi pezzo stk stuck stucke stueck
    unidades unidad unidade uds und unds unid units unit unites unite sheets sheet hojas folhas feuilles blatt fogli
    tablets tabs tabletas capsules caps capsulas kapseln tablet tabletten comprimidos comprimes compresse szt ks adet
    шт штук kpl st ud bags teabags wipes rolls rollos rollen rouleaux""".split()
)
#: Words that count how many units are sold together ("pack of 6", "6er Pack", "lote de 6", "caixa com 6").
PACK_WORDS: Final = frozenset(
    """pack packs pk pkg package packung pak paquete paquetes pacote pacotes paquet paquets paq pacco pacchi confezione
    confezioni conf set sets kit lot lots lote lotes caja cajas caixa caixas boite boites box case cases bundle bulk
    multipack conjunto juego karton schachtel scatola scatole satz ensemble cartone упаковка упаковки уп набор balenie
    baleni zestaw opakowanie paket""".split()
)
NUMBER_WORDS: Final = {
    "twin": 2, "double": 2, "duo": 2, "pair": 2, "doppelpack": 2, "duplo": 2, "par": 2, "paire": 2, "coppia": 2,
    "paar": 2,
    "triple": 3, "trio": 3, "dreierpack": 3, "dozen": 12, "docena": 12, "duzia": 12, "douzaine": 12, "dutzend": 12,
    "dozzina": 12,
}  # fmt: skip

_COLOUR_ROWS: Final = """
black: black blk negro negra negros negras preto preta pretos pretas noir noire noirs noires schwarz schwarze
    schwarzer schwarzes nero nera neri nere czarny czarna cerny cerna siyah черный черная черное svart
white: white wht blanco blanca blancos blancas branco branca brancos brancas blanc blanche blancs blanches weiss
    weisse weisser bianco bianca bianchi bianche bialy biala bily bila beyaz белый белая белое vit
red: red rojo roja rojos rojas vermelho vermelha vermelhos rouge rouges rot rote roter rosso rossa rossi rosse
    czerwony cerveny cervena kirmizi красный красная красное
blue: blue blu azul azules azuis bleu bleue bleus blau blaue blauer azzurro niebieski modry modra mavi синий
    синяя синее голубой голубая navy marine marino marinho
green: green grn verde verdes vert verte verts grun grune gruner gruen verdi zielony zeleny zelena yesil зеленый
    зеленая зеленое
yellow: yellow amarillo amarilla amarillos amarelo amarela jaune jaunes gelb gelbe gelber giallo gialla zolty
    zluty sari желтый желтая
orange: orange naranja laranja arancione arancio pomaranczowy oranzovy turuncu оранжевый оранжевая
pink: pink rosa rosado rosada rose fuchsia magenta fucsia rozowy ruzovy pembe розовый розовая
purple: purple violet morado morada roxo roxa lila violett viola violeta purpura lilac lavender fioletowy
    fialovy mor фиолетовый фиолетовая
brown: brown marron cafe castanho castanha marrom braun braune marrone brun brune brazowy hnedy kahverengi
    коричневый коричневая
grey: grey gray gris grises cinza cinzento grau graue grauer grigio grigia szary sedy seda gri серый серая
    graphite grafito anthracite anthrazit antracita charcoal
silver: silver plata plateado prata prateado argent argente silber silbern argento srebrny stribrny gumus
    серебристый
gold: gold golden dorado dorada oro dourado dourada or dore gouden goldfarben dorato zloty zlaty altin золотой
beige: beige bege cream crema creme ivory marfil bezowy bezova bej бежевый
turquoise: turquoise turquesa turkis turchese teal cyan cian aqua
clear: clear transparent transparente klar trasparente прозрачный
"""
COLOURS: Final[dict[str, int]] = {}
#: The names as screens show them, in the order of their bits.
COLOUR_NAMES: Final = (
    phrase("black"), phrase("white"), phrase("red"), phrase("blue"), phrase("green"), phrase("yellow"),
    phrase("orange"), phrase("pink"), phrase("purple"), phrase("brown"), phrase("grey"), phrase("silver"),
    phrase("gold"), phrase("beige"), phrase("turquoise"), phrase("clear"),
)  # fmt: skip
for _row in _COLOUR_ROWS.strip().replace("\n    ", " ").splitlines():
    _name, _words = _row.split(":")
    for _word in _words.split():
        COLOURS[_word] = COLOUR_NAMES.index(_name)

#: Words above that name one shade of their colour: another word for the colour may mean another shade.
SHADES: Final = frozenset(
    """navy marine marino marinho azzurro голубой fuchsia magenta fucsia lilac lavender lila lilas graphite grafito
    anthracite anthrazit antracita charcoal cream crema creme ivory marfil teal cyan cian aqua golden argent""".split()
) & frozenset(COLOURS)

#: Clothing sizes by letter, with the words that mean the same.
SIZES: Final[dict[str, str]] = {
    "xxs": "xxs", "xs": "xs", "s": "s", "m": "m", "l": "l", "xl": "xl", "xxl": "2xl", "2xl": "2xl", "xxxl": "3xl",
    "3xl": "3xl", "4xl": "4xl", "xxxxl": "4xl", "5xl": "5xl",
    "small": "s", "medium": "m", "large": "l", "pequeno": "s", "pequena": "s", "mediano": "m", "mediana": "m",
    "grande": "l", "medio": "m", "media": "m", "petit": "s", "petite": "s", "moyen": "m", "moyenne": "m", "grand": "l",
    "klein": "s", "mittel": "m", "gross": "l", "piccolo": "s", "piccola": "s",
}  # fmt: skip
#: Words after which a letter or a number is a size ("talla 42", "Größe M").
SIZE_WORDS: Final = frozenset(
    """size sz talla tamano taille tamanho tam numero grosse gr groesse taglia misura velikost rozmiar
    размер""".split()
)

#: Names of variant options, as marketplaces write them, by what they mean.
OPTION_KINDS: Final[dict[str, str]] = {
    **dict.fromkeys(
        "size talla tamano taille tamanho grosse groesse taglia misura medida размер velikost".split(), "size"
    ),
    **dict.fromkeys("colour color couleur cor farbe colore kolor barva цвет renk".split(), "colour"),
}
