"""Headers that no list of words can hold: abbreviations, marks, other orders of words, and words that add nothing.

“Qty in stock”, “In stock qty” and “Stock Qty.” say one thing. A quantity and a price are known by what their words are
made of; other fields by their words once abbreviations are spelt alike and spaces are gone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Words for the same part of an ID's name, spelt alike.
_ALIKE = {
    **dict.fromkeys(("no", "nr", "num", "nbr", "nummer", "numero"), "number"),
    **dict.fromkeys(("cod", "codigo", "codice"), "code"),
    **dict.fromkeys(("art", "articulo", "artigo", "articolo", "article"), "artikel"),
    **dict.fromkeys(("prod", "producto", "produto", "prodotto", "produit", "produkt"), "product"),
}
_SPLIT_TA = re.compile(r"\bq ta\b")
_NUMBER_AT_END = re.compile(r"(?<=[a-z]{3})(?:nummer|nr)$")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Small words inside a header, which some write and others leave out: “ID de la publicación”, “ID publicación”.
LITTLE = _words(
    "a l d el la los las lo le les il i gli o os as al de del do da dos das du des di della dello dell dei degli delle "
    "der die den dem of the"
)
#: Words that count what there is, and of which one has to be there.
_COUNTED = _words(
    "qty quantity stock inventory stk qoh soh cantidad cant existencia existencias inventario quantidade qtd qtde "
    "estoque saldo quantite qte menge bestand lagerbestand lagerbest stuck stuckzahl quantita qta giacenza esistenza "
    "esistenze pezzi lager units unidades unites nb"
)
#: Words beside them that leave the meaning as it is. Others change it: reserved, minimum, incoming, sold, status.
_COUNTED_TOO = _words(
    "in on hand counted current available total level count avail physical auf en em mano actual atual actuel fisico "
    "fisica physique disponible disponibles disponivel disponiveis disponibile disponibili dispo disp verfugbar "
    "verfugbare verfugbarer aktuell aktueller aktuelle gesamt gesamter attuale totale magazzino"
)
#: Answered with yes or no, a loose “in stock” is no quantity, and some words need company to be one.
_NO_QUANTITY = frozenset(
    frozenset(said.split()) for said in ("in stock", "en stock", "em estoque", "stuck", "nb", "nb total")
)
_PRICE = _words("price precio preco prix preis prezzo pvp vk verkaufspreis bruttopreis")
_PRICE_TOO = _words(
    "selling unit normal regular standard final endpreis venta venda vente vendita unitario unitaire regulier brutto "
    "gross ttc total"
) | _words("eur euro euros usd gbp chf mxn ars brl cop clp pen uyu cad aud nzd sek nok dkk pln czk huf ron jpy")
#: A price that stands beside the one that is asked, and is taken where no other is there.
_PRICE_BESIDE = _words("sale retail recommended suggested list lista publico public pubblico rrp msrp uvp ladenpreis")
_WITH = _words("con com incl inkl inc including inklusive inclusive inclusa inclusiva incluida incluido inclus mit")
_TAX = _words("vat iva mwst ust tax taxes tva gst impuestos impostos")


_NET = re.compile(
    r"\b(?:tax excl|excl tax|excluding tax|without tax|excl vat|ex vat|vat excl|excl btw|sin iva|sin impuestos"
    r"|sem impostos|hors taxe|iva esclusa|ohne mwst|zzgl mwst|bez dph|netto|net)\b"
)


def is_net(form: str) -> bool:
    """Whether a normalised header says that tax is not in its amounts; it is a price where there is no other."""
    return _NET.search(form) is not None


def spelt_alike(gist: str) -> str:
    """The gist of a header in one word, its abbreviations spelt alike: “art nr” and “artikelnummer” are the same."""
    words = [_ALIKE.get(word) or _NUMBER_AT_END.sub("number", word) for word in gist.split()]
    return "".join(words)


def amount_said(form: str) -> tuple[str, bool] | None:
    """The field of amounts that a normalised header is made of, and whether a better header goes first; or None."""
    said = frozenset(_SPLIT_TA.sub("qta", form).split()) - LITTLE
    if said & _COUNTED and said <= _COUNTED | _COUNTED_TOO and said not in _NO_QUANTITY:
        return "quantity", False
    taxed = bool(said & _TAX)
    if taxed != bool(said & _WITH):
        return None
    said -= _TAX | _WITH
    if said & (_PRICE | {"rrp", "msrp", "uvp"}) and said <= _PRICE | _PRICE_TOO | _PRICE_BESIDE:
        return "price", bool(said & _PRICE_BESIDE)
    return None


#: Headers that stand for a SKU where there is none, best first, without little words and spelt alike.
_WEAK_SKU = {
    spelt_alike(said): rank
    for rank, said in enumerate(
        (
            *("item number", "item id", "number articulo", "part number", "product number", "product id"),
            *("vendor sku", "supplier sku"),
        )
    )
}


def weak_rank(field: str, forms: Sequence[str], gists: Sequence[str]) -> int | None:
    """How well a header names a field that no other header names better (0 is the best), or None when it does not."""
    if field == "price":
        return 0 if any(amount_said(form) == ("price", True) for form in forms) else None
    if field == "sku":
        return min((_WEAK_SKU[one] for one in map(spelt_alike, gists) if one in _WEAK_SKU), default=None)
    return None
