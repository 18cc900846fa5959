"""The headers that known exports have in other languages, each with the English one that presets are written in.

WooCommerce translates its headers with the language of the shop, Amazon's Japanese marketplace has its own, and Google
Merchant Center takes attribute names in the language of the target country. The words are those of the programs
themselves, as they stand in published exports and translation files.
"""

from __future__ import annotations

from collections.abc import Mapping

from importers.vocabulary import normalise


def _by_word(words: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    return {normalise(word): english for english, said in words.items() for word in said}


def _attributes() -> dict[str, tuple[str, ...]]:
    """Name and value of WooCommerce's attributes in Spanish, Portuguese, French, German and Italian."""
    found: dict[str, tuple[str, ...]] = {}
    for n in (1, 2, 3):
        found[f"attribute {n} name"] = (
            *(f"Nombre del atributo {n}", f"Atributo {n} nombre", f"Nome do atributo {n}", f"Nom de l’attribut {n}"),
            *(f"Attribut {n} nom", f"Attribut {n} Name", f"Name des Attributs {n}", f"Attributo {n} nome"),
            f"Nome dell’attributo {n}",
        )
        found[f"attribute {n} value s"] = (
            *(f"Valor(es) del atributo {n}", f"Atributo {n} valor(es)", f"Valores do atributo {n}"),
            *(f"Valor(es) do atributo {n}", f"Valeur(s) de l’attribut {n}", f"Attribut {n} valeur(s)"),
            *(f"Attribut {n} Wert(e)", f"Wert(e) des Attributs {n}", f"Attributo {n} valore(i)"),
            *(f"Attributo {n} valuta(e)", f"Valore(i) dell’attributo {n}"),
        )
    return found


WOOCOMMERCE = _by_word(
    {
        "type": ("Tipo", "Typ"),
        "sku": ("UGS", "Artikelnummer", "REF", "COD"),
        "gtin upc ean or isbn": (
            *("GTIN, UPC, EAN o ISBN", "GTIN, UPC, EAN ou ISBN", "GTIN, UPC, EAN, ou ISBN"),
            *("GTIN, UPC, EAN oder ISBN", "GTIN, UPC, EAN, o ISBN"),
        ),
        "name": ("Nombre", "Nome", "Nom"),
        "published": ("Publicado", "Publié", "Veröffentlicht", "Pubblicato"),
        "short description": (
            *("Descripción corta", "Descrição curta", "Breve descrição", "Description courte", "Kurzbeschreibung"),
            "Breve descrizione",
        ),
        "description": ("Descripción", "Descrição", "Beschreibung", "Descrizione"),
        "stock": ("Inventario", "Estoque", "Lager", "Bestand", "Lagerbestand", "Magazzino"),
        "regular price": (
            *("Precio normal", "Preço", "Preço normal", "Tarif régulier", "Prix régulier", "Regulärer Preis"),
            "Prezzo di listino",
        ),
        "categories": ("Categorías", "Categorias", "Catégories", "Kategorien", "Categorie"),
        "brands": ("Marcas", "Marques", "Marken", "Marche", "Marchi"),
        "images": ("Imágenes", "Imagens", "Bilder", "Immagine", "Immagini"),
        "parent": ("Superior", "Principal", "Ascendente", "Produto ascendente", "Übergeordnetes Produkt", "Genitore"),
        **_attributes(),
    }
)
AMAZON = _by_word(
    {
        "item name": ("商品名",),
        "listing id": ("出品ID",),
        "seller sku": ("出品者SKU",),
        "price": ("価格",),
        "quantity": ("数量",),
        "product id type": ("商品IDタイプ",),
        "product id": ("商品ID",),
        "fulfillment channel": ("フルフィルメント・チャンネル",),
        "status": ("ステータス",),
    }
)
#: The same for the short report, which calls the SKU by its short name.
AMAZON_OPEN = {**AMAZON, normalise("出品者SKU"): "sku"}
GOOGLE = _by_word(
    {
        "id": ("identificador", "identifiant", "ID"),
        "title": ("título", "titre", "Titel", "titolo"),
        "description": ("descripción", "descrição", "Beschreibung", "descrizione"),
        "link": ("enlace", "lien"),
        "image link": (
            *("enlace imagen", "enlace de imagen", "link da imagem", "lien image", "Bildlink", "link immagine"),
        ),
        "availability": ("disponibilidad", "disponibilidade", "disponibilité", "Verfügbarkeit", "disponibilità"),
        "price": ("precio", "preço", "prix", "Preis", "prezzo"),
        "brand": ("marca", "marque", "Marke"),
        "mpn": ("référence fabricant",),
        "item group id": (
            *("identificador grupo artículo", "identificador de grupo de artículos", "identificação do grupo do item"),
            *("identifiant groupe", "Artikelgruppennummer", "identificativo gruppo articolo"),
        ),
        "product type": ("tipo de producto", "tipo de produto", "type de produit", "Produkttyp", "tipo di prodotto"),
    }
)

#: Mercado Libre publishes no list of its columns, and no real sheet was at hand: a reader's guess at the words it uses.
MERCADO_LIBRE: Mapping[str, str] = {
    "codigo de la publicacion": "item id", "codigo de publicacion": "item id", "numero de publicacion": "item id",
    "id de la publicacion": "item id", "codigo do anuncio": "item id", "numero do anuncio": "item id",
    "id do anuncio": "item id",
    "variante": "variation", "variacion": "variation", "codigo de la variante": "variation",
    "id de variante": "variation", "variacao": "variation", "codigo da variacao": "variation",
    "id da variacao": "variation",
}  # fmt: skip
