"""The headers that known exports have in other languages, each with the English one that presets are written in.

WooCommerce translates its headers with the language of the shop, Amazon's Japanese marketplace has its own, and Google
Merchant Center takes attribute names in the language of the target country. In English, Spanish, Portuguese, French,
German and Italian the words are those of the programs, as they stand in published exports and translation files; those
in other languages, and some of Amazon's and eBay's, are what the English ones are called there, unchecked against a
file. A word that no export has does no harm: a column is known by its preset's signature, not by one word.
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
        "type": ("Tipo", "Typ", "Rodzaj", "Tyyppi", "Típus", "Tip", "Tür", "Тип", "タイプ"),
        "sku": (
            *("UGS", "Artikelnummer", "REF", "COD", "Varenummer", "Varenummer (SKU)", "Tuotetunnus (SKU)", "Cikkszám"),
            *("Katalogové číslo", "Stok kodu (SKU)", "Stok kodu", "Артикул", "商品コード"),
        ),
        "gtin upc ean or isbn": (
            *("GTIN, UPC, EAN o ISBN", "GTIN, UPC, EAN ou ISBN", "GTIN, UPC, EAN, ou ISBN"),
            *(
                "GTIN, UPC, EAN oder ISBN",
                "GTIN, UPC, EAN, o ISBN",
                "GTIN, UPC, EAN of ISBN",
                "GTIN, UPC, EAN lub ISBN",
            ),
            *(
                "GTIN, UPC, EAN eller ISBN",
                "GTIN, UPC, EAN nebo ISBN",
                "GTIN, UPC, EAN tai ISBN",
                "GTIN, UPC, EAN или ISBN",
            ),
        ),
        "name": (
            *(
                "Nombre",
                "Nome",
                "Nom",
                "Naam",
                "Nazwa",
                "Namn",
                "Navn",
                "Nimi",
                "Název",
                "Jméno",
                "Név",
                "Nume",
                "İsim",
            ),
            *("Имя", "Название", "名前"),
        ),
        "published": (
            *("Publicado", "Publié", "Veröffentlicht", "Pubblicato", "Gepubliceerd", "Opublikowano", "Opublikowany"),
            *("Publicerad", "Udgivet", "Publisert", "Julkaistu", "Publikováno", "Közzétéve", "Publicat", "Yayımlanmış"),
            *("Опубликован", "公開済み"),
        ),
        "short description": (
            *("Descripción corta", "Descrição curta", "Breve descrição", "Description courte", "Kurzbeschreibung"),
            *("Breve descrizione", "Korte beschrijving", "Krótki opis", "Kort beskrivning", "Kort beskrivelse"),
            *("Lyhyt kuvaus", "Krátký popis", "Rövid leírás", "Descriere scurtă", "Kısa açıklama", "Краткое описание"),
        ),
        "description": (
            *("Descripción", "Descrição", "Beschreibung", "Descrizione", "Beschrijving", "Opis", "Beskrivning"),
            *("Beskrivelse", "Kuvaus", "Popis", "Leírás", "Descriere", "Açıklama", "Описание", "説明"),
        ),
        "stock": (
            *("Inventario", "Estoque", "Lager", "Bestand", "Lagerbestand", "Magazzino", "Voorraad", "Stan magazynowy"),
            *("Magazyn", "Varasto", "Sklad", "Készlet", "Stoc", "Stok", "Запасы", "在庫"),
        ),
        "regular price": (
            *("Precio normal", "Preço", "Preço normal", "Tarif régulier", "Prix régulier", "Regulärer Preis"),
            *("Prezzo di listino", "Reguliere prijs", "Normale prijs", "Cena", "Cena regularna", "Ordinarie pris"),
            *(
                "Normal pris",
                "Vanlig pris",
                "Normaali hinta",
                "Běžná cena",
                "Normál ár",
                "Preț obișnuit",
                "Preț normal",
            ),
            *("Normal fiyat", "Базовая цена", "通常価格"),
        ),
        "categories": (
            *("Categorías", "Categorias", "Catégories", "Kategorien", "Categorie", "Categorieën", "Kategorie"),
            *("Kategorier", "Osastot", "Kategóriák", "Categorii", "Kategoriler", "Категории", "カテゴリー"),
        ),
        "brands": ("Marcas", "Marques", "Marken", "Marche", "Marchi", "Merken", "Marki", "Varumärken", "Značky"),
        "images": (
            *("Imágenes", "Imagens", "Bilder", "Immagine", "Immagini", "Afbeeldingen", "Obrazki", "Billeder", "Kuvat"),
            *("Obrázky", "Képek", "Imagini", "Görseller", "Изображения", "画像"),
        ),
        "parent": (
            *(
                "Superior",
                "Principal",
                "Ascendente",
                "Produto ascendente",
                "Übergeordnetes Produkt",
                "Genitore",
                "Hoofd",
            ),
            *(
                "Nadrzędny",
                "Rodzic",
                "Överordnad",
                "Forælder",
                "Overordnet",
                "Ylätuote",
                "Nadřazený",
                "Szülő",
                "Părinte",
            ),
            *("Ebeveyn", "Родительский", "親"),
        ),
        **_attributes(),
    }
)
#: Amazon writes headers in the language of the account where it is told no other; the words differ with the years.
AMAZON = _by_word(
    {
        "item name": (
            *("商品名", "Artikelbezeichnung", "Artikelname", "título-producto", "nombre-artículo", "nombre-producto"),
            *("nom-produit", "nom-article", "nom-de-l'article", "nome-articolo", "nome-prodotto", "nome-do-item"),
            *("título-do-item", "artikelnaam", "nazwa-produktu"),
        ),
        "item description": (
            *("Artikelbeschreibung", "descripción-producto", "descripción-artículo", "description-article"),
            *("description-produit", "descrizione-articolo", "descrizione-prodotto", "descrição-do-item"),
        ),
        "listing id": (
            *(
                "出品ID",
                "Angebotsnummer",
                "Angebots-ID",
                "id-listado",
                "id-oferta",
                "identificador-listado",
                "id-anuncio",
            ),
            *("identifiant-offre", "id-offre", "numéro-offre", "id-offerta", "id-inserzione", "numero-offerta"),
            *("id-do-anúncio", "id-da-oferta"),
        ),
        "seller sku": (
            *("出品者SKU", "Verkäufer-SKU", "Händler-SKU", "Anbieter-SKU", "sku-vendedor", "sku-del-vendedor"),
            *("sku-vendeur", "sku-du-vendeur", "sku-venditore", "sku-del-venditore", "sku-do-vendedor", "sku-verkoper"),
        ),
        "price": ("価格", "Preis", "precio", "prix", "prezzo", "preço", "prijs", "cena"),
        "quantity": ("数量", "Menge", "Anzahl", "cantidad", "quantité", "quantità", "quantidade", "aantal", "ilość"),
        "product id type": (
            *("商品IDタイプ", "Produkt-ID-Typ", "tipo-id-producto", "tipo-de-id-de-producto", "type-id-produit"),
            *("type-identifiant-produit", "tipo-id-prodotto", "tipo-de-id-do-produto"),
        ),
        "product id": (
            *("商品ID", "Produkt-ID", "Produktnummer", "id-producto", "id-de-producto", "id-produit"),
            *("identifiant-produit", "id-prodotto", "id-do-produto"),
        ),
        "image url": ("Bild-URL", "url-imagen", "url-image", "url-immagine", "url-da-imagem"),
        "fulfillment channel": (
            *("フルフィルメント・チャンネル", "Versender", "Versandkanal", "canal-gestión", "canal-de-gestión"),
            *("canal-logística", "canal-traitement", "canal-expédition", "canale-gestione", "canal-de-processamento"),
        ),
        "status": ("ステータス", "Status", "estado", "état", "statut", "stato"),
        "asin1": ("ASIN 1", "ASIN1"),
    }
)
#: The same for the short report, which calls the SKU by its short name.
AMAZON_OPEN = {**AMAZON, normalise("出品者SKU"): "sku"}
EBAY = _by_word(
    {
        "item number": (
            *("Artikelnummer", "Número de artículo", "Numéro de l'objet", "N° de l'objet", "Numero oggetto"),
            *("Numero dell'oggetto", "Objectnummer", "Número do item"),
        ),
        "title": ("Titel", "Angebotstitel", "Título", "Titre", "Titolo"),
        "variation details": (
            *("Variantendetails", "Details der Variante", "Detalles de la variación", "Detalles de la variante"),
            *("Détails de la variante", "Détails de la variation", "Dettagli variante", "Dettagli della variante"),
        ),
        "custom label sku": (
            *("Bestandseinheit (SKU)", "Bestandseinheit", "Benutzerdefinierte Bestandseinheit (SKU)"),
            *("Etiqueta personalizada (SKU)", "Étiquette personnalisée (SKU)", "Libellé personnalisé (SKU)"),
            *("Etichetta personalizzata (SKU)", "Aangepast label (SKU)"),
        ),
        "available quantity": (
            *("Verfügbare Stückzahl", "Verfügbare Menge", "Cantidad disponible", "Quantité disponible"),
            *("Quantità disponibile", "Beschikbaar aantal"),
        ),
        "current price": ("Aktueller Preis", "Precio actual", "Prix actuel", "Prezzo attuale", "Huidige prijs"),
        "start price": ("Startpreis", "Precio inicial", "Prix de départ", "Prezzo iniziale", "Startprijs"),
        "currency": ("Währung", "Moneda", "Divisa", "Devise", "Valuta"),
        "ebay category 1 name": (
            *("eBay-Kategorie 1", "Name der eBay-Kategorie 1", "Nombre de la categoría 1 de eBay"),
            *("Nom de la catégorie eBay 1", "Nome categoria eBay 1"),
        ),
    }
)
#: Tiendanube and Nuvemshop lay their products out as Shopify does.
TIENDANUBE = _by_word(
    {
        "url handle": ("Identificador de URL", "Identificador URL"),
        "title": ("Nombre", "Nome"),
        "product category": ("Categorías", "Categorias"),
        "vendor": ("Marca",),
        "price": ("Precio", "Preço"),
        "inventory quantity": ("Stock", "Estoque"),
        "barcode": ("Código de barras",),
        "description": ("Descripción", "Descrição"),
        **{f"option{n} name": (f"Nombre de propiedad {n}", f"Nome da variação {n}") for n in (1, 2, 3)},
        **{f"option{n} value": (f"Valor de propiedad {n}", f"Valor da variação {n}") for n in (1, 2, 3)},
    }
)
#: Marketplaces of Mirakl: the SKU of the offer is the seller's, that of the product the marketplace's.
MIRAKL = _by_word(
    {
        "offer sku": (
            "SKU de oferta",
            "SKU de la oferta",
            "SKU del oferta",
            "SKU offre",
            "SKU de l'offre",
            "SKU offerta",
        ),
        "product sku": ("SKU de producto", "SKU del producto", "SKU produit", "SKU du produit", "SKU prodotto"),
        "offer id": ("ID de oferta", "ID de la oferta", "ID offre", "ID de l'offre", "ID offerta"),
        "product title": ("Título", "Título del producto", "Titre du produit", "Titolo prodotto"),
        "price": ("Precio", "Prix", "Prezzo"),
        "quantity": ("Cantidad", "Quantité", "Quantità"),
    }
)
OZON = _by_word(
    {
        "offer": ("Артикул",),
        "name": ("Название товара",),
        "stock": ("Доступно на складе, шт", "Доступно к продаже по схеме FBS, шт.", "Доступно для продажи FBS, шт"),
        "price": ("Текущая цена, руб.", "Текущая цена с учетом скидки, ₽", "Текущая цена (со скидкой), ₽"),
    }
)
SAP = _by_word(
    {
        "material": ("Materialnummer", "Material number", "Número de material", "Article", "Materiale"),
        "material description": (
            *("Materialkurztext", "Texto breve de material", "Texto breve do material", "Désignation article"),
            *("Definizione materiale", "Material Description", "Objektkurztext"),
        ),
        "plant": ("Werk", "Centro", "Division", "Divisione"),
        "storage location": ("Lagerort", "Almacén", "Depósito", "Magasin", "Magazzino", "Stor. Loc.", "SLoc"),
        "unrestricted": (
            *("Frei verwendbar", "Frei verwendbarer Bestand", "Libre utilización", "Utilização livre"),
            *(
                "À utilisation libre",
                "Utilisation libre",
                "A utilizzo libero",
                "Unrestricted stock",
                "Unrestricted-use",
            ),
        ),
    }
)
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
