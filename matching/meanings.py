"""What words of options mean, in six languages: materials and flavours; and whether two records speak one language.

A value that only a translation tells apart ("Cotton", "Baumwolle") is the same; one that nobody here understands is
unknown rather than another when the two records are in different languages.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from matching.lexicon import COLOURS

# A line is one meaning, in English, Spanish, Portuguese, French, German and Italian.
_ROWS: Final = """
cotton algodon algodao coton baumwolle baumwoll cotone
wool lana laine wolle
linen lino linho lin leinen
silk seda soie seide seta
leather cuero piel couro cuir leder pelle cuoio
suede ante gamuza camurca daim wildleder veloursleder camoscio
velvet terciopelo veludo velours samt velluto
felt fieltro feltro feutre filz
denim vaquero jeans
polyester poliester poliestere
nylon nailon
viscose viscosa viskose
cashmere cachemira caxemira cachemire kaschmir
wood madera madeira bois holz legno wooden
oak roble carvalho chene eiche rovere quercia
beech haya faia hetre buche faggio
walnut nogal nogueira noyer nussbaum noce
pine pino pinho pin kiefer
bamboo bambu bambou bambus
cork corcho cortica liege kork sughero
rattan ratan vime rotin
steel acero aco acier stahl acciaio
stainless inoxidable inoxidavel inoxydable inox rostfrei inossidabile rostfreier
iron hierro ferro fer eisen
aluminium aluminum aluminio alu alluminio
brass laton latao laiton messing ottone
copper cobre cuivre kupfer rame
titanium titanio titane titan
metal metall metallo metalico metallic
plastic plastico plastique kunststoff plastik plastica
rubber caucho goma borracha caoutchouc gummi gomma
silicone silicona silikon
glass vidrio cristal vidro verre glas vetro
ceramic ceramica ceramique keramik ceramics
porcelain porcelana porcelaine porzellan porcellana
stoneware gres steingut steinzeug
marble marmol marmore marbre marmor marmo
stone piedra pedra pierre stein pietra
concrete hormigon concreto beton calcestruzzo
paper papel papier carta
cardboard carton papelao karton cartone pappe
wax cera cire wachs
faux synthetic sintetico sintetica synthetique kunst finta finto imitation
strawberry fresa frutilla morango fraise erdbeere erdbeer fragola
vanilla vainilla baunilha vanille vaniglia
chocolate chocolat schokolade schoko cioccolato
lemon limon limao citron zitrone limone
orange naranja laranja arancia
apple manzana maca pomme apfel mela
banana platano banane
cherry cereza cereja cerise kirsche kirsch ciliegia
raspberry frambuesa framboesa framboise himbeere himbeer lampone
coconut coco kokos kokosnuss cocco
coffee cafe kaffee caffe
mint menta menthe minze minz
caramel caramelo karamell caramello
honey miel mel honig miele
peach melocoton durazno pessego peche pfirsich pesca
mango manga mangue
chicken pollo frango poulet huhn hahnchen
beef ternera vacuno boeuf rind manzo
salmon salmao saumon lachs salmone
fish pescado peixe poisson fisch pesce
natural natur naturel naturale
"""
MEANINGS: Final[dict[str, frozenset[str]]] = {}
for _row in _ROWS.strip().splitlines():
    for _word in _row.split():
        MEANINGS[_word] = MEANINGS.get(_word, frozenset()) | {_row.split()[0]}
MEANINGS.update(
    edelstahl=frozenset(("stainless", "steel")),
    kunstleder=frozenset(("faux", "leather")),
    similicuir=frozenset(("faux", "leather")),
    ecopelle=frozenset(("faux", "leather")),
    polipiel=frozenset(("faux", "leather")),
    schurwolle=frozenset(("wool",)),
)
_FILLERS: Final = frozenset("of de di en aus in made y e et und and con com with mit pure puro pura pur rein".split())

#: Words that belong to one language of titles, or to few.
_SPOKEN: Final[Mapping[str, str]] = {
    "en": "with and for the of without colour color size from set pack",
    "es": "con y para sin los las del de el talla color juego unidades",
    "pt": "com e para sem dos das do da de tamanho cor unidades",
    "fr": "avec et pour sans les des du de le taille couleur lot",
    "de": "mit und fur ohne der die das aus farbe grosse stuck teilig",
    "it": "con e per senza della del di il taglia colore pezzi",
}
_LANGUAGES: Final[dict[str, list[str]]] = {}
for _language, _words in _SPOKEN.items():
    for _word in _words.split():
        _LANGUAGES.setdefault(_word, []).append(_language)
#: Names of options that are one word in two spellings of one language.
_SPELLINGS: Final = {"color": "colour", "flavor": "flavour", "groesse": "grosse", "tam": "tamanho", "sz": "size"}


def meaning(words: Iterable[str]) -> frozenset[str]:
    """What the words of a value mean together; empty when one of them is not known."""
    out: set[str] = set()
    for word in words:
        if word in _FILLERS:
            continue
        known = MEANINGS.get(word) or ({str(COLOURS[word])} if word in COLOURS else {word} if word.isdigit() else None)
        if known is None:
            return frozenset()
        out |= known
    return frozenset(out)


def two_languages(ours: str, theirs: str, our_names: Mapping[str, str], their_names: Mapping[str, str]) -> bool:
    """Whether two records are in different languages, by the names of their options and the words of their titles.

    Titles come folded; names by what they mean (`variants.kind_of`), as they are spelt.
    """
    for kind, name in our_names.items():
        other = their_names.get(kind, name)
        if _SPELLINGS.get(name, name) != _SPELLINGS.get(other, other):
            return True
    a, b = _spoken(ours.split()), _spoken(theirs.split())
    return bool(a and b) and a.isdisjoint(b)


def _spoken(words: Sequence[str]) -> set[str]:
    """The languages that most of the words with a language belong to."""
    votes = Counter(language for word in words for language in _LANGUAGES.get(word, ()))
    most = max(votes.values(), default=0)
    return {language for language, n in votes.items() if n == most}
