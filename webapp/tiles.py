"""The small picture that stands for a product or a listing: its kind and its colour, as the words of the title say.

A tile takes the colour that the words name, else the colour of its kind: two titles of one thing must never look
unlike by chance.
"""

from __future__ import annotations

import re

#: Product and colour words in English, Spanish, Portuguese and French; the first word found decides.
KINDS = {
    "bottle": "bottle bottles flask botella botellas garrafa garrafas bouteille bouteilles gourde cantimplora",
    "mug": "mug mugs cup taza tazas caneca canecas xícara tasse tasses jarro",
    "tumbler": "tumbler tumblers termo vaso vasos copo copos gobelet verre",
    "pack": "backpack backpacks rucksack bag mochila mochilas bolsa bolso sac cartable",
    "lamp": "lamp lamps light lámpara lamparas lámparas lampara luminária luminaria abajur lampe lampes",
    "book": "book books notebook notebooks libro libros libreta cuaderno livro livros caderno livre livres cahier "
    "carnet",
    "phones": "headphones headphone earphones earbuds headset auriculares audífonos audifonos fones casque écouteurs",
    "towel": "towel towels toalla toallas toalha toalhas serviette serviettes",
    "tee": "tee tees t-shirt tshirt shirt camiseta camisetas playera camisa polera maillot chemise",
}
_COLOURS = {
    0: "sage green verde vert salvia sauge mint menta menthe",
    1: "terracotta red orange coral rojo naranja vermelho laranja rouge terracota",
    2: "sky blue azul bleu celeste",
    3: "slate black graphite charcoal navy negro preto noir pizarra grafito grafite marino",
    4: "olive moss khaki oliva musgo kaki mousse",
    5: "plum purple violet lila morado roxo violeta prune violette lilac",
    6: "grey gray white silver gris blanco plata cinza branco prata blanc argent",
    7: "sand beige gold yellow cream arena dorado amarillo areia amarelo jaune sable doré crema",
    8: "rose pink rosa",
    9: "teal turquoise aqua turquesa",
    10: "brown oak wood walnut café marrón roble madera marrom carvalho marron chêne bois",
    11: "indigo índigo",
}
_TONES = len(_COLOURS)
_KIND_OF = {word: kind for kind, words in KINDS.items() for word in words.split()}
_COLOUR_OF = {word: number for number, words in _COLOURS.items() for word in words.split()}
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"
_BETWEEN = re.compile(r"[,()/\s]+")


def tile(title: str | None) -> tuple[str, int]:
    """The name of the pictogram, and the number of its colour from 0 to 11."""
    words = _BETWEEN.split((title or "").lower())
    kind = next((_KIND_OF[word] for word in words if word in _KIND_OF), "box")
    colour = next((_COLOUR_OF[word] for word in words if word in _COLOUR_OF), None)
    return kind, tone(kind, _TONES) if colour is None else colour


def tone(name: str, size: int) -> int:
    """A number from 0 to `size` - 1 that is always the same for the same name: a small sum over its first letters."""
    total = 0
    for letter in name.lower()[:32]:
        total = (total * 31 + _LETTERS.find(letter) + 2) % 9973
    return total % size
