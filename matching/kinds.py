"""Words that say which of a family a thing is: left or right, of lemon or mint, a refill, without caffeine.

Titles of siblings share all else, so that such a word outweighs its letters: "mirror left" and "mirror right" are two
products. Each table has the languages of the lexicon; a word that is not here says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final

from matching.judgements import BEHIND, MOST, SIBLING
from matching.lexicon import folded_words
from matching.normalize import fold
from matching.sides import Side

#: Values of a kind rule each other out where both sides name one and share none.
_KIND_ROWS: Final = """
side left: left lh links linke linker linkes gauche izquierdo izquierda izdo izda esquerdo esquerda sinistro sinistra sx
    lewy lewa lewe levy leva leve левый левая левое левые
side right: right rh rechts rechte rechter rechtes droit droite derecho derecha dcho dcha direito direita destro destra
    dx prawy prawa prawe pravy prava prave правый правая правое правые
place front: front vorn vorne vorderer vordere vorderachse avant delantero delantera dianteiro dianteira anteriore
    anteriori przedni przednia przednie predni передний передняя передние
place rear: rear hinten hintere hinterer hinterachse arriere trasero trasera traseiro traseira posteriore posteriori
    tylny tylna tylne zadni задний задняя задние
tone warm: warm warmweiss warmwhite warmton chaud chaude calido calida caldo calda quente tepla teply teple ciepla
    cieply cieple теплый теплая теплое теплые
tone cold: cold cool kalt kaltweiss coolwhite daylight tageslichtweiss froid froide frio fria freddo fredda studena
    studeny studene zimna zimny zimne холодный холодная холодное холодные
sex men: men mens man male homme hommes herren hombre hombres caballero masculino masculina masculinos homem homens uomo
    uomini meska meski meskie panske pansky panska мужской мужская мужское мужские мужчин
sex women: women womens woman female ladies femme femmes damen mujer mujeres feminino feminina femininos mulher mulheres
    donna donne damska damski damskie damske damsky женский женская женское женские женщин
age adult: adult adults adulto adultos adulta adultas adulte adultes adulti erwachsene erwachsenen dospele dospely
    doroslych взрослых
age young: kids kid child children childrens junior juniors puppy puppies kitten kittens toddler youth boys girls kinder
    jungen madchen welpen enfant enfants garcon fille chiot chiots chaton chatons nino nina ninos ninas infantil crianca
    criancas menino menina filhote filhotes juvenil bambino bambina bambini bimbo bimba cucciolo cuccioli gattini
    dzieciecy dzieciece dzieci szczeniat kociat detske detsky detska stenata kotata детский детская детское детские
    детей щенков котят мальчиков девочек
binding hard: hardcover hardback hardbound gebunden relie reliee rilegato tapa_dura capa_dura copertina_rigida
    twarda_oprawa oprawa_twarda twarda_okladka pevna_vazba твердый_переплет твердая_обложка твердом_переплете
binding soft: paperback softcover softback taschenbuch broschiert poche broche bolsillo rustica brossura tascabile
    tapa_blanda capa_mole copertina_flessibile miekka_oprawa oprawa_miekka miekka_okladka brozovana мягкая_обложка
    мягкий_переплет мягкой_обложке
grind beans: beans bohnen bohne grano grani grao graos grains zrnkova ziarnista зернах
grind ground: ground gemahlen gemahlener molido macinato moido moulu mleta mielona молотый
dose tablets: tablets tabletten filmtabletten comprimes comprimidos compresse tabletki tabletek tablety
    таблетки таблеток
dose capsules: capsules kapseln gelules capsulas capsule kapsulki kapsulek tobolky капсулы капсул
form powder: powder pulver polvo poudre polvere proszek prasek порошок
form liquid: liquid flussig flussigwaschmittel liquido liquida liquide plyn tekuty жидкий жидкое
taste lemon: lemon limon limao citron citronova citronovy zitrone zitronen limone cytryna cytrynowy cytrynowa лимон
    лимонный лимонная лимоном
taste orange: orange naranja laranja arancia pomaranczowy pomaranczowa pomarancza pomeranc pomerancova апельсин
    апельсиновый апельсином
taste strawberry: strawberry fresa frutilla morango fraise erdbeere erdbeer fragola truskawka truskawkowy truskawkowa
    jahoda jahodova клубника клубничный клубникой
taste vanilla: vanilla vainilla baunilha vanille vaniglia wanilia waniliowy waniliowa vanilka vanilkova ваниль ванильный
    ванильная
taste chocolate: chocolate chocolat schokolade schoko cioccolato czekolada czekoladowy czekoladowa cokolada cokoladova
    шоколад шоколадный шоколадная
taste banana: banana platano banane banan bananowy bananova банан банановый бананом
taste cherry: cherry cereza cereja cerise kirsche kirsch ciliegia wisnia wisniowy visnova вишня вишневый вишней
taste raspberry: raspberry frambuesa framboesa framboise himbeere himbeer lampone malina malinowy malinova малина
    малиновый малиной
taste peach: peach melocoton durazno pessego peche pfirsich pesca brzoskwinia brzoskwiniowy brzoskwiniowa broskev
    broskvova персик персиковый персиком
taste coconut: coconut kokos kokosnuss cocco kokosowy kokosova кокос кокосовый кокосом
taste mint: mint menta menthe minze minz mieta mietowy mietowa matova мята мятный мятная мятой
taste lavender: lavender lavanda lavande lavendel lawenda lawendowy lawendowa levandule levandulova лаванда лавандовый
    лавандой
taste chicken: chicken pollo frango poulet huhn hahnchen kurczak kurczakiem kure kureci курица курицей куриный
taste beef: beef ternera vacuno carne boeuf rind manzo wolowina wolowy hovezi говядина говядиной
taste salmon: salmon salmao saumon lachs salmone losos lososiem lososem лосось лососем
taste tuna: tuna atun atum thunfisch tonno tunczyk tunczykiem tunak тунец тунцом
taste turkey: turkey pavo dinde pute truthahn tacchino indyk indykiem krocan kruti индейка индейкой
taste lamb: lamb cordero cordeiro agneau lamm agnello jagniecina jehneci ягненок ягненком
"""
#: What grown people are called beside "adult".
_GROWN: Final = ("men", "women")

#: What is told of a thing only where it is so: a side that does not say it may mean another.
_MARKED_ROWS: Final = """
refill: refill refills refil recharge recharges ecorecharge recarga recargas recambio recambios ricarica ricariche
    ecoricarica nachfull nachfuller nachfullpack nachfullpackung nachfullbeutel nachfullung napln wklad uzupelnienie
    рефил сменный_блок запасной_блок
lactose: laktosefrei laktosefreie laktosefreier lactosefree delactosado
caffeine: koffeinfrei koffeinfreier entkoffeiniert entkoffeinierter decaf decaff decaffeinated decafeine decaffeine
    descafeinado descafeinada decaffeinato decaffeinata bezkofeinova bezkofeinovy bezkofeinowa bezkofeinowy
alcohol: alkoholfrei alkoholfreie alkoholfreies analcolico analcolica bezalkoholowe bezalkoholowy nealko nealkoholicke
    nealkoholicky безалкогольное безалкогольный
"""
#: The same in two words: "sin lactosa", "caffeine free".
_LACKED: Final[dict[str, str]] = {
    word: what
    for what, words in {
        "lactose": "lactose lactosa laktozy laktosy lattosio laktose лактозы",
        "caffeine": "caffeine cafeina cafeine kofeinu kofeiny caffeina koffein кофеина",
        "alcohol": "alcohol alcool alkoholu alkoholi alkohol алкоголя спирта",
    }.items()
    for word in folded_words(words)
}
#: Words before what a thing has not, and those of them that also are names and numbers ("Coca-Cola Zero", "No 5").
_WITHOUT: Final = folded_words("without non sans sin sem senza bez ohne без")
_MAYBE_WITHOUT: Final = _WITHOUT | folded_words("no not zero 0 kein keine не")
_FREE: Final = folded_words("free frei")
#: A negated word has so many letters at least: shorter ones are articles and numbers.
_SHORTEST: Final = 4

_WORD: Final = re.compile(r"\w+")
#: How many of the best candidates may go behind a sibling (as in judgements.py).
_LOOKED_AT: Final = 6
#: Words behind a number or each other that make another model of it: "13", "13 Pro", "13 Pro Max".
_GRADES: Final = frozenset(("pro", "max", "mini", "plus", "lite", "ultra", "air"))


def _read(rows: str) -> dict[str, str]:
    """Word (or two joined by a space) -> the head of its row."""
    out = {}
    for row in rows.strip().replace("\n    ", " ").splitlines():
        head, words = row.split(":")
        for word in folded_words(words):
            out[word.replace("_", " ")] = head
    return out


_KINDS: Final = _read(_KIND_ROWS)
_MARKED: Final = _read(_MARKED_ROWS)
#: Words one of which is in every title that says a kind.
_SIGNS: Final = _WITHOUT | frozenset(word for said in _KINDS for word in said.split())
_LETTERS: Final = re.compile(r"[^\W\d_]+")
#: Letters one of which are in every title that says anything here.
_TELLING: Final = frozenset(
    letters for said in (*_SIGNS, *_MARKED, *_FREE, *_GRADES) for letters in _LETTERS.findall(said)
)


def other_kind(ours: Side, theirs: Side) -> tuple[str, str] | None:
    """The words by which two titles name two things of a family, as each has it; "" for a side that is silent.

    None when nothing says so.
    """
    if _says_nothing(ours) and _says_nothing(theirs):  # as most do, and to read their words would take long
        return None
    mine, yours = tuple(ours.words), tuple(theirs.words)
    told = _ruled_out(mine, yours) or _lacking(mine, yours) or _marked(mine, yours) or _graded(ours, theirs)
    return told and (_as_written(told[0], ours.title), _as_written(told[1], theirs.title))


def behind_siblings(
    odds: Sequence[float], alike: Sequence[float], products: Sequence[Side], listing: Side
) -> list[float]:
    """The log-odds of a listing's best candidates, those of another kind just behind their best sibling that is not.

    Siblings are as alike as those of packs and sizes (judgements.py), and what a kind takes is limited as there.
    """
    wanted = tuple(listing.tokens)
    titles = [tuple(product.tokens) for product in products[:_LOOKED_AT]]
    other = [bool(_ruled_out(title, wanted) or _lacking(title, wanted)) for title in titles]
    out = list(odds)
    for i in range(len(other)):
        if other[i]:
            better = [odds[j] for j in range(len(other)) if not other[j] and alike[j] >= SIBLING * alike[i]]
            if better:
                out[i] = min(odds[i], max(odds[i] - MOST, max(better) - BEHIND))
    return out


def says_a_kind(side: Side) -> bool:
    """Whether any word of a title is of a kind; for most it is not, and looking at the words takes no time."""
    return not _SIGNS.isdisjoint(side.tokens)


def _says_nothing(side: Side) -> bool:
    return _TELLING.isdisjoint(_LETTERS.findall(side.text))


def _as_written(words: str, title: str) -> str:
    """Folded words as the title has them, in small letters: "левый" for "левыи"."""
    if not words or (words.isascii() and title.isascii()):
        return words
    written = {fold(word): word.lower() for word in _WORD.findall(title)}
    return _WORD.sub(lambda found: written.get(found[0], found[0]), words)


def _ruled_out(mine: tuple[str, ...], yours: tuple[str, ...]) -> tuple[str, str] | None:
    a, b = _told(mine)[0], _told(yours)[0]
    for kind, values in a.items():
        others = b.get(kind)
        if others and values.keys().isdisjoint(others):
            return ", ".join(values.values()), ", ".join(others.values())
    return None


def _lacking(mine: tuple[str, ...], yours: tuple[str, ...]) -> tuple[str, str] | None:
    """A word that one title denies and the other affirms: "non dimmable" and "dimmable"."""
    for denied, said in _denied(mine, _WITHOUT).items():
        if denied in yours and denied not in _denied(yours, _MAYBE_WITHOUT):
            return said, denied
    for denied, said in _denied(yours, _WITHOUT).items():
        if denied in mine and denied not in _denied(mine, _MAYBE_WITHOUT):
            return denied, said
    return None


def _marked(mine: tuple[str, ...], yours: tuple[str, ...]) -> tuple[str, str] | None:
    a, b = _told(mine)[1], _told(yours)[1]
    for what, word in a.items():
        if what not in b:
            return word, ""
    for what, word in b.items():
        if what not in a:
            return "", word
    return None


@lru_cache(maxsize=20_000)
def _told(words: tuple[str, ...]) -> tuple[dict[str, dict[str, str]], dict[str, str]]:
    """What the words of a title say: kind -> {value: word}, and marks -> word."""
    kinds: dict[str, dict[str, str]] = {}
    marks: dict[str, str] = {}
    for one in (*words, *(f"{a} {b}" for a, b in pairwise(words))):
        if head := _KINDS.get(one):
            kind, value = head.split()
            kinds.setdefault(kind, {})[value] = one
            if value in _GROWN:
                kinds.setdefault("age", {})["adult"] = one
        elif what := _MARKED.get(one):
            marks[what] = one
    for denied, said in _denied(words, _WITHOUT).items():
        if what := _LACKED.get(denied):
            marks[what] = said
    return kinds, marks


@lru_cache(maxsize=20_000)
def _denied(words: tuple[str, ...], without: frozenset[str]) -> dict[str, str]:
    """The words that a title says a thing is without -> how it says so."""
    out = {}
    for before, word in pairwise(words):
        if before in without and word.isalpha() and len(word) >= _SHORTEST:
            out[word] = f"{before} {word}"
        elif word in _FREE and before.isalpha() and len(before) >= _SHORTEST:
            out[before] = f"{before} {word}"
    return out


def _graded(ours: Side, theirs: Side) -> tuple[str, str] | None:
    if word := _grade(ours.words, theirs):
        return word, ""
    if word := _grade(theirs.words, ours):
        return "", word
    return None


def _grade(words: Sequence[str], other: Side) -> str:
    """A word that makes another model of a number which the other title has without it; "" when there is none."""
    for before, word in pairwise(words):
        if word not in _GRADES or before not in other.words or not (before in _GRADES or before[-1].isdigit()):
            continue
        if not any(said.startswith(word) for said in other.words) and not (word == "plus" and "+" in other.title):
            return f"{before} {word}"
    return ""
