"""Words over columns in languages beyond the six of the screens, by field; each stands after the words of those."""

from __future__ import annotations

from collections.abc import Mapping

#: Dutch, Polish, Czech and Slovak, Swedish, Danish and Norwegian, Finnish, Hungarian, Romanian, Turkish, Russian and
#: Ukrainian, Greek, Japanese, Chinese, Korean. What means something else in another of them is left out: “stan” is a
#: stock and a condition, “ad” a name and an advertisement.
MORE_WORDS: Mapping[str, tuple[str, ...]] = {
    "sku": (
        *(
            "kod produktu",
            "kod towaru",
            "indeks",
            "symbol produktu",
            "numer katalogowy",
            "sygnatura",
            "kód",
            "kód zboží",
        ),
        *("kód produktu", "kód tovaru", "katalogové číslo", "varenummer", "varenr", "tuotekoodi", "tuotenumero"),
        *("tuotetunnus", "cikkszám", "termékkód", "cod produs", "cod articol", "stok kodu", "ürün kodu", "model kodu"),
        *("satıcı stok kodu", "tedarikçi stok kodu", "артикул", "артикул продавца", "код товара", "артикул товара"),
        *("код товару", "κωδικός", "κωδικός προϊόντος", "商品コード", "品番", "商品番号", "商品管理番号", "出品者sku"),
        *("商品编码", "商家编码", "货号", "卖家sku", "商品編號", "商品貨號", "상품코드", "판매자상품코드", "품번"),
    ),
    "title": (
        *("naam", "productnaam", "artikelnaam", "nazwa", "nazwa produktu", "nazwa towaru", "tytuł", "tytuł oferty"),
        *(
            "název",
            "název produktu",
            "název zboží",
            "názov",
            "názov produktu",
            "namn",
            "produktnamn",
            "benämning",
            "navn",
        ),
        *("produktnavn", "varenavn", "nimi", "tuotenimi", "tuotteen nimi", "név", "terméknév", "megnevezés", "nume"),
        *("nume produs", "denumire", "denumire produs", "ürün adı", "ürün ismi", "başlık", "название", "наименование"),
        *("название товара", "наименование товара", "назва", "назва товару", "όνομα", "τίτλος", "ονομασία", "商品名"),
        *("タイトル", "商品名称", "产品名称", "标题", "商品标题", "商品名稱", "상품명", "제품명"),
    ),
    "description": (
        *("omschrijving", "beschrijving", "productomschrijving", "opis", "opis produktu", "popis", "beskrivning"),
        *("beskrivelse", "kuvaus", "leírás", "descriere", "açıklama", "ürün açıklaması", "описание", "опис"),
        *("περιγραφή", "説明", "商品説明", "描述", "商品描述", "설명", "상품상세설명"),
    ),
    "price": (
        *("prijs", "verkoopprijs", "prijs incl btw", "cena", "cena brutto", "cena sprzedaży", "prodejní cena"),
        *(
            "cena s dph",
            "predajná cena",
            "pris",
            "försäljningspris",
            "salgspris",
            "utsalgspris",
            "hinta",
            "myyntihinta",
        ),
        *(
            "eladási ár",
            "bruttó ár",
            "preț",
            "preț de vânzare",
            "fiyat",
            "satış fiyatı",
            "цена",
            "цена продажи",
            "ціна",
        ),
        *("τιμή", "価格", "販売価格", "单价", "价格", "售价", "價格", "售價", "가격", "판매가"),
    ),
    "quantity": (
        *("voorraad", "aantal", "beschikbare voorraad", "ilość", "stan magazynowy", "dostępna ilość", "liczba sztuk"),
        *("množství", "počet kusů", "stav skladu", "množstvo", "počet kusov", "antal", "lagersaldo", "antall"),
        *("lagerbeholdning", "beholdning", "määrä", "varastosaldo", "saldo", "mennyiség", "készlet", "darabszám"),
        *("cantitate", "stoc", "stok", "adet", "miktar", "stok adedi", "ürün stok adedi", "количество", "остаток"),
        *("кол-во", "остатки", "кількість", "залишок", "ποσότητα", "απόθεμα", "διαθέσιμη ποσότητα", "在庫", "在庫数"),
        *("数量", "库存", "库存数量", "庫存", "可售数量", "재고", "재고수량", "수량"),
    ),
    "brand": (
        *("merk", "marka", "producent", "značka", "výrobce", "výrobca", "varumärke", "mærke", "merke", "tuotemerkki"),
        *("márka", "gyártó", "marcă", "producător", "бренд", "производитель", "виробник", "μάρκα", "κατασκευαστής"),
        *("ブランド", "メーカー", "品牌", "브랜드"),
    ),
    "gtin": (
        *(
            "streepjescode",
            "kod kreskowy",
            "kod ean",
            "čárový kód",
            "čiarový kód",
            "streckkod",
            "stregkode",
            "strekkode",
        ),
        *("viivakoodi", "vonalkód", "cod de bare", "barkod", "штрихкод", "штрих-код", "γραμμωτός κωδικός", "janコード"),
        *("バーコード", "条形码", "条码", "條碼", "바코드"),
    ),
    "category": (
        *("kategoria", "kategori", "kategorier", "osasto", "kategória", "categorii", "kategori ismi", "категория"),
        *("категорія", "κατηγορία", "カテゴリ", "カテゴリー", "类目", "分类", "分類", "카테고리"),
    ),
    "image_url": (
        *(
            "afbeelding",
            "afbeeldingen",
            "zdjęcie",
            "zdjęcia",
            "obrazek",
            "obrazki",
            "obrázek",
            "obrázky",
            "bilde",
            "kuva",
        ),
        *("kép", "képek", "imagini", "görsel", "görseller", "изображение", "изображения", "зображення", "画像", "图片"),
    ),
    "listing_id": ("advertentienummer", "id oferty", "numer oferty", "id nabídky", "出品id", "出品ID"),
    "currency": (*("waluta", "měna", "pénznem", "monedă", "para birimi", "валюта", "νόμισμα", "通貨", "货币", "통화"),),
    "warehouse": ("magazijn", "magazyn", "sklad", "raktár", "depozit", "depo", "склад", "倉庫", "仓库", "창고"),
}
