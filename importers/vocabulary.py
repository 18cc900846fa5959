"""The words that people and programs write over columns, in six languages, best word first."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping

from importers.fields import OPTION_COLUMNS, OPTION_PREFIX
from importers.more_words import MORE_WORDS
from importers.report import Kind
from importers.word_rules import LITTLE, amount_said, is_net, spelt_alike, weak_rank

_BRACKETS = re.compile(r"\[([^\]]+)\]")
_PARENTHESES = re.compile(r"\([^)]*\)|\[[^\]]*\]")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_CALLED_SKU = re.compile(r"\w.*\(\s*sku\s*\)", re.IGNORECASE)
_NOT_WORD = re.compile(r"[^\w]+|_")
_NUMBER_SIGN = re.compile(r"(?<=\w)\s*#\s*$")

#: Normalised headers by field. English, Spanish, Portuguese, French, German and Italian stand side by side, because a
#: file does not say its language.
WORDS: dict[str, tuple[str, ...]] = {
    "sku": (
        *("sku", "seller sku", "product sku", "variant sku"),
        *("item sku", "merchant sku", "custom label sku", "sku code"),
        *("custom label", "customlabel", "sku id", "skus", "seller custom sku", "sellercustomsku"),
        *("linnworks sku", "sku number", "stock keeping unit", "internal sku", "handler sku"),
        *("referencia", "reference", "ref", "reference produit", "referencia interna", "sku interno", "codigo sku"),
        *("artikelnummer", "artikel nr", "artikelnr", "art nr", "bestellnummer", "codice articolo", "codice sku"),
        *("codice prodotto", "riferimento", "codigo", "codigo del producto", "codigo do produto", "codigo producto"),
        *("product code", "item code", "article number", "part number sku", "stock code", "codice", "code article"),
        *("clave", "item number sku", "product reference", "internal reference"),
        *("sku del vendedor", "sku do vendedor", "sku du vendeur", "sku del venditore", "verkaufer sku"),
        *("sku del producto", "sku do produto", "sku du produit", "sku del prodotto", "artikel sku", "produkt sku"),
        *("clave del producto", "clave del articulo", "clave interna", "codigo interno", "codigo del articulo"),
        *("codigo do item", "codigo do artigo", "referencia del producto", "referencia do produto", "ref produit"),
        *("reference de l article", "reference interne", "ref article", "code du produit", "code interne"),
        *("numero de referencia", "numero de reference", "produktnummer", "produktcode", "artikelcode"),
        *("codice interno", "riferimento del prodotto", "riferimento interno"),
    ),
    "title": (
        *("title", "product title", "item name", "name", "product name", "item title", "listing title", "titulo"),
        *("titulo del producto", "titulo do produto", "nombre", "nombre del producto", "nome", "nome do produto"),
        *("nome prodotto", "titre", "nom", "nom du produit", "designation", "libelle", "titel", "bezeichnung"),
        *("artikelbezeichnung", "artikelname", "produktname", "produkttitel", "titolo", "denominazione"),
        *("nome del prodotto", "producto", "produto", "product", "item", "artikel", "articolo", "intitule"),
        *("titulo de la publicacion", "titulo do anuncio", "denominacion"),
        *("titulo del anuncio", "titulo del articulo", "nombre del articulo", "nombre de la publicacion"),
        *("nome do anuncio", "nome do item", "nome do artigo", "titulo da publicacao", "titre de l annonce"),
        *("titre du produit", "titre de l article", "titre de l offre", "nom de l article", "nom de l annonce"),
        *("designation du produit", "designation de l article", "libelle du produit", "libelle de l article"),
        *("artikeltitel", "angebotstitel", "produktbezeichnung", "titolo dell inserzione", "titolo dell annuncio"),
        *("titolo del prodotto", "titolo dell articolo", "nome dell articolo", "nome dell inserzione", "titoli"),
    ),
    "brand": (
        *("brand", "brand name", "marca", "marque", "marke", "marchio", "brands", "vendor", "manufacturer"),
        *("fabricante", "fabricant", "hersteller", "produttore", "proveedor marca"),
        *("nombre de la marca", "nome da marca", "nom de la marque", "nome del marchio", "nome della marca"),
        *("marca del producto", "marca do produto", "marque du produit", "marca del prodotto", "markenname"),
        *("marken", "marchi", "produttori"),
    ),
    "gtin": (
        *("gtin", "gtin upc ean or isbn", "ean gtin", "gtin ean", "ean", "ean13", "ean 13", "ean code", "codigo ean"),
        *("barcode", "bar code", "variant barcode", "barcode ean"),
        *("ean barcode", "code barres", "code barre", "codebarre"),
        *("codigo de barras", "codigo barras", "codigo de barra", "codice a barre", "codice ean", "strichcode"),
        *("gtin ean upc", "ean upc", "upc ean", "upc", "upc code", "isbn", "codigo universal de producto", "gencod"),
        *("barcode ean upc", "ean isbn", "global trade item number", "p ean", "p upc", "jan"),
        *("codigo universal", "codigos universales", "codigo universal do produto", "codigos universais"),
        *("code universel", "codes universels", "codice universale", "codici universali", "code a barres"),
        *("codigo upc", "codigo gtin", "code ean", "code upc", "code gtin", "codice upc", "codice gtin", "codici ean"),
        *("codice barre", "codici a barre", "gencode", "strichcodes", "ean nummer", "ean nr", "gtin nummer"),
        *("gtin code", "barcode nummer", "codigo de barras ean", "codigo de barras gtin", "numero ean", "numero gtin"),
    ),
    "mpn": (
        *("mpn", "manufacturer part number", "part number", "numero de pieza", "numero de parte", "modelo", "model"),
        *("model number", "modele", "modell", "modello", "herstellernummer", "referencia del fabricante"),
        *("reference fabricant", "numero de peca", "codice produttore", "herstellerartikelnummer"),
    ),
    "description": (
        *("description", "item description", "product description", "body html", "long description", "descripcion"),
        *("descripcion del producto", "descricao", "descricao do produto", "descriptif", "description produit"),
        *("beschreibung", "produktbeschreibung", "artikelbeschreibung", "descrizione", "descrizione prodotto"),
        *("descrizione articolo", "descrizione del prodotto", "descripcion del articulo", "description de l article"),
    ),
    "category": (
        *("category", "categories", "product category", "product type", "google product category", "categoria"),
        *("categorias", "categorie", "categories produit", "kategorie", "kategorien", "warengruppe", "rubrique"),
        *("type", "familia", "famille"),
    ),
    "price": (
        *("price", "regular price", "variant price", "unit price", "selling price", "sales price", "start price"),
        *("your price", "standard price", "list price", "startprice"),
        *("precio", "precio normal", "precio de venta", "precio unitario"),
        *("pvp", "preco", "preco de venda", "preco normal"),
        *("valor", "prix", "prix de vente", "prix ttc", "prix regulier"),
        *("prix unitaire", "preis", "verkaufspreis", "vk preis", "regularer preis", "prezzo", "prezzo di vendita"),
        *("prezzo di listino", "tarif", "preu"),
        *("precio de la publicacion", "precio del producto", "preco do anuncio", "preco do produto"),
        *("preco unitario", "prix de l annonce", "prix du produit", "prix de l article", "angebotspreis"),
        *("einzelpreis", "stuckpreis", "artikelpreis", "preise", "prezzo unitario", "prezzo del prodotto"),
        *("prezzo dell inserzione", "prezzi"),
    ),
    "quantity": (
        *("quantity", "qty", "stock", "inventory", "available quantity", "quantity available", "stock quantity"),
        *("inventory quantity", "variant inventory qty", "available", "on hand", "stock level", "units"),
        *("cantidad", "cantidad disponible", "existencias", "inventario", "stock disponible", "unidades", "cant"),
        *("quantidade", "quantidade disponivel", "estoque", "qtd", "qtde", "quantite", "quantite disponible", "qte"),
        *("stock disponible unites", "menge", "bestand", "lagerbestand", "anzahl", "stuckzahl", "verfugbar"),
        *("quantita", "giacenza", "disponibilita", "scorte", "disponible", "disponivel", "lager"),
        *("existencia disponible", "existencia actual", "inventario disponible", "unidades disponibles"),
        *("piezas disponibles", "stock actual", "cantidad en stock", "cantidades", "cantidad en existencia"),
        *("cantidad en inventario", "unidades en stock", "estoque disponivel", "estoque atual"),
        *("quantidade em estoque", "quantidade de estoque", "saldo em estoque", "saldo de estoque", "qtd em estoque"),
        *("qtd estoque", "unidades disponiveis", "quantite en stock", "quantite de stock", "qte en stock"),
        *("qte stock", "stock actuel", "unites disponibles", "verfugbare menge", "verfugbarer bestand"),
        *("verfugbare stuckzahl", "bestandsmenge", "lagermenge", "mengen", "quantita disponibile"),
        *("quantita in magazzino", "quantita in stock", "giacenze", "pezzi disponibili"),
    ),
    "base_sku": (
        *("base sku", "parent sku", "parent", "item group id", "group sku", "sku padre", "sku pai", "sku parent"),
        *("master sku", "model sku", "basissku", "vaterartikel", "parent id"),
    ),
    "parent_id": (
        *("parent id", "parent listing id", "parent listing", "item group id", "parent", "parent sku", "parent asin"),
        *("group id", "product group id", "family id", "id padre", "id pai", "id parent", "sku padre", "sku pai"),
        *("sku parent", "vaterartikel", "id prodotto padre"),
    ),
    "option_details": (
        *("variation details", "variation values", "variant details", "option details", "relationship details"),
        *("detalles de la variante", "detalhes da variacao", "details de la variante"),
    ),
    "image_url": (
        *("image url", "image link", "image", "images", "image src", "main image", "main image url", "picture"),
        *("picture url", "product image url", "imagen", "imagenes", "url de imagen", "imagem", "bild", "bild url"),
        *("bilder", "immagine", "url immagine", "photo", "foto", "variant image", "imagens", "immagini"),
    ),
    "listing_id": (
        *("listing id", "item number", "item id", "offer id", "listing", "publication id", "listing number"),
        *("id", "ad id", "numero de articulo", "id de la publicacion", "id publicacion", "id do anuncio", "mlb"),
        *("id anuncio", "angebotsnummer", "artikelnummer ebay", "id annonce", "id inserzione", "numero de l objet"),
        *("external id", "asin", "asin1", "codigo do anuncio", "numero oggetto", "listingid", "itemid"),
        *("numero de publicacion", "no de publicacion", "codigo de la publicacion", "id del anuncio"),
        *("numero del anuncio", "codigo del anuncio", "id de la oferta", "id del articulo", "id del item"),
        *("id mercado libre", "id mercadolibre", "id ml", "mlm", "id da publicacao", "numero da publicacao"),
        *("numero do anuncio", "id da oferta", "id do item", "id mercado livre", "id de l annonce"),
        *("numero de l annonce", "id de l offre", "numero de l offre", "id de l article", "id de l objet"),
        *("angebots id", "angebotsnr", "artikel id", "artikelid", "anzeigen id", "anzeigennummer", "inserat id"),
        *("inseratsnummer", "id dell inserzione", "numero dell inserzione", "codice dell inserzione"),
        *("id dell annuncio", "numero dell annuncio", "codice dell annuncio", "id dell offerta", "id dell oggetto"),
        *("numero dell oggetto", "id dell articolo", "ebay item id", "ebay item number", "ebay id"),
        "angebots nr",
    ),
    "currency": ("currency", "currency code", "moneda", "moeda", "devise", "wahrung", "valuta", "divisa"),
    "status": ("status", "listing status", "estado", "etat", "statut", "stato", "zustand des angebots", "situacao"),
    "url": ("url", "link", "listing url", "product url", "permalink", "enlace", "lien", "item url", "view item url"),
    "channel": (
        *("channel", "marketplace", "sales channel", "channel name", "canal", "canal de venta", "canal de venda"),
        *("kanal", "marktplatz", "canale", "sub source", "subsource", "store", "account"),
    ),
    "source": ("source",),
    "listing_sku": ("channel sku", "listing sku", "marketplace sku"),
    "warehouse": (
        *("warehouse", "location", "location name", "almacen", "deposito", "bodega", "entrepot", "magazzino"),
        *("lagerort", "warehouse name", "ubicacion", "armazem", "emplacement", "stock location"),
    ),
    **{name: (name.replace("_", " "), name.replace("_", " ").replace("option", "option ")) for name in OPTION_COLUMNS},
}
#: Words whose plural or singular is another thing: “Items” over numbers is no title, a “Unit” no count, a “Sale price”
#: beside a price is not what is asked.
_NO_PLURAL = frozenset(
    ("item", "product", "producto", "produto", "articolo", "type", "units", "unidades", "sales price")
)
_BY_GIST: dict[str, dict[str, int]] = {}
#: The same by how they are spelt alike, for the fields of IDs and codes.
_BY_SPELLING: dict[str, dict[str, int]] = {field: {} for field in WORDS}
_SPELT = ("sku", "listing_id", "listing_sku", "gtin", "mpn")
#: After every word of the lists.
BY_RULE = 10_000
#: Words that mean something else in another kind of file.
_ONLY_FOR: dict[tuple[str, str], tuple[Kind, ...]] = {
    ("sku", "linnworks sku"): ("links",),
    ("channel", "store"): ("links",),
}


def normalise(header: str) -> str:
    """A header without case, accents, punctuation and marks of required columns: “*Précio (€)” becomes “precio”.

    A number sign at the end is the word it stands for: an “Item #” is no item.
    """
    said = _NUMBER_SIGN.sub(" number", header.strip().lstrip("*'").replace("ß", "ss"))
    plain = unicodedata.normalize("NFKD", said).casefold()
    bare = "".join(mark for mark in plain if not unicodedata.combining(mark))
    return _NOT_WORD.sub(" ", bare).strip()


def forms(header: str) -> tuple[str, ...]:
    """The forms in which a header is looked up, most telling first: a name in brackets, whole, without parentheses.

    “(SKU)” behind words of any language says what they mean; “UnitPrice” is read as “Unit price” too.
    """
    in_brackets = _BRACKETS.search(header)
    bare = _PARENTHESES.sub(" ", header)
    found = [normalise(in_brackets[1])] if in_brackets else []
    found += [normalise(header), normalise(bare)]
    if _HUMPS.search(header):
        found.append(normalise(_HUMPS.sub(" ", bare)))
    if _CALLED_SKU.match(header):
        found.insert(-1, "custom label sku")
    return tuple(dict.fromkeys(form for form in found if form))


def gist(form: str) -> str:
    """A form without little words and the s of plurals: “id de las publicaciones” becomes “id publicacione”."""
    told = [word for word in form.split() if word not in LITTLE]
    return " ".join(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in told)


_BY_WORD = {field: {word: rank for rank, word in reversed(tuple(enumerate(words)))} for field, words in WORDS.items()}
for _field, _more in MORE_WORDS.items():
    for _word in map(normalise, _more):
        _BY_WORD[_field].setdefault(_word, len(_BY_WORD[_field]))
for _field, _ranks in _BY_WORD.items():
    _found = _BY_GIST.setdefault(_field, {})
    for _word, _rank in _ranks.items():
        if _word not in _NO_PLURAL:
            _found.setdefault(gist(_word), _rank + len(_ranks))
    if _field in _SPELT:
        for _gist, _rank in _found.items():
            _BY_SPELLING[_field].setdefault(spelt_alike(_gist), _rank + len(_ranks))


def recognise(header: str, fields: tuple[str, ...], kind: Kind) -> tuple[str, int] | None:
    """The field that a header means in this kind of file, and the rank of the word (0 is the best), or None."""
    if header.strip().lower().startswith(OPTION_PREFIX) and kind == "products":
        name = header.strip()[len(OPTION_PREFIX) :].strip()
        return (OPTION_PREFIX + name, 0) if name else None
    if header.rstrip().endswith("?"):
        return None  # “In stock?” is answered with yes or no, and stands beside the quantity.
    found = _recognised(header, fields, kind)
    return None if found and found[0] == "price" and is_net(normalise(header)) else found


def _recognised(header: str, fields: tuple[str, ...], kind: Kind) -> tuple[str, int] | None:
    said = forms(header)
    gists = tuple(map(gist, said))
    return (
        _best(said, _BY_WORD, fields, kind)
        or _best(gists, _BY_GIST, fields, kind)
        or _best(tuple(map(spelt_alike, gists)), _BY_SPELLING, fields, kind)
        or _amount(said, fields)
    )


def recognise_weakly(header: str, field: str) -> int | None:
    """The rank of a header (0 is the best) for a field that no other column names better; None when it says no such."""
    if field == "price" and is_net(normalise(header)):
        return 1 if _recognised(header, ("price",), "products") else None
    said = forms(header)
    return weak_rank(field, said, tuple(map(gist, said)))


def _amount(said: tuple[str, ...], fields: tuple[str, ...]) -> tuple[str, int] | None:
    for form in said:
        found = amount_said(form)
        if found and found[0] in fields and not found[1]:
            return found[0], BY_RULE
    return None


def _best(
    said: tuple[str, ...], ranks: Mapping[str, Mapping[str, int]], fields: tuple[str, ...], kind: Kind
) -> tuple[str, int] | None:
    best: tuple[str, int] | None = None
    for form in said:
        for field in fields:
            rank = ranks[field].get(form)
            if rank is None or kind not in _ONLY_FOR.get((field, form), (kind,)):
                continue
            if best is None or rank < best[1]:
                best = field, rank
        if best:
            return best
    return None
