"""The words of products, kept beside the catalogue: a search by name asks the database, however large the catalogue.

The same words are found on both databases, since they are made here: SQLite finds them by FTS5, PostgreSQL by GIN.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from math import log
from typing import Any, NamedTuple

from rapidfuzz import fuzz
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    column,
    delete,
    func,
    literal,
    literal_column,
    select,
    table,
    text,
    true,
    union_all,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from matching.normalize import fold
from webapp.db import among, inserting
from webapp.models.catalog import Product, ProductWords

FIELDS = ("sku", "title", "brand", "mpn", "options")  # a GTIN is found whole, by its own index
MOST, LONGEST = 100, 64  # words kept of a product, and letters of a word
ASKED = 8  # words of a search; more than that is a description
LOOKED_AT = 2_000  # products with the words that a search looks at, in the order of their ids
RANKED = 200  # of those that a filter leaves, how many are compared with the text
OF_EACH = 100  # products looked at for each word, when none has all of them
_COLUMNS = ["product_id", "words"]
_WORD = re.compile(r"[^\W_]+")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0e7f]")
_INDEX = table("product_words_index", column("rowid"))  # of SQLite: a virtual table over product_words
_MERGE = text("INSERT INTO product_words_index(product_words_index, rank) VALUES ('merge', :pages)")
_PAGE, _LEVELS = 4_000, 6  # bytes of a page of the index, and how often each is written
_USUAL = 60  # letters of the words of a product
_LEXEMES = func.array_to_tsvector(func.string_to_array(ProductWords.words, literal_column("' '")))  # of PostgreSQL


class Part(NamedTuple):
    """What stands between two spaces of a text: its words, and the one they are without their marks ("dsc-w120")."""

    words: list[str]
    joined: str


def words_of(facts: Mapping[str, Any]) -> str:
    """The words of a product with these facts (those of FIELDS, where given), each once, with spaces between."""
    texts = [str(facts.get(name) or "") for name in FIELDS[:-1]]
    texts += [str(value) for value in (facts.get("options") or {}).values()]
    found: dict[str, None] = {}
    for chunk in fold(" ".join(texts)).split():
        if chunk.isascii() and chunk.isalnum():  # nearly every one: in a third of the time
            found[chunk[:LONGEST]] = None
        elif part := _part(chunk):
            found.update(dict.fromkeys((*part.words, part.joined) if part.joined else part.words))
    return " ".join(islice(found, MOST))


def add(session: Session, found: Mapping[int, str]) -> None:
    """Keep the words of new products (see `words_of`), given by product id."""
    if found:
        session.execute(inserting(session, ProductWords).from_select(_COLUMNS, _given(session, found)))
        _merge(session, sum(map(len, found.values())))


def renew(session: Session, product_ids: Iterable[int]) -> None:
    """Keep the words of products whose facts have changed."""
    ids = list(product_ids)
    if not ids:
        return
    columns = [Product.id, *(getattr(Product, name) for name in FIELDS)]
    changed = session.execute(select(*columns).where(among(session, Product.id, ids))).mappings()
    found = {each["id"]: words_of(dict(each)) for each in changed}
    upsert = inserting(session, ProductWords).from_select(_COLUMNS, _given(session, found))
    session.execute(upsert.on_conflict_do_update(index_elements=["product_id"], set_={"words": upsert.excluded.words}))
    _merge(session, 2 * sum(map(len, found.values())))


def _given(session: Session, found: Mapping[int, str]) -> Select[int, str]:
    """Ids and words as rows of one statement: for each statement FTS5 begins afresh, in five times the time a row."""
    if _is_postgresql(session):
        ids, texts = bindparam(None, list(found), ARRAY(BigInteger)), bindparam(None, list(found.values()), ARRAY(Text))
        return select(func.unnest(ids), func.unnest(texts))
    row = func.json_each(bindparam(None, json.dumps(list(found.items())), Text)).table_valued("value").c.value
    return select(func.json_extract(row, "$[0]"), func.json_extract(row, "$[1]")).where(true())


def forget(session: Session, which: Select[Any]) -> None:
    """Drop the words of products that leave the catalogue; `which` selects their ids."""
    gone = session.execute(
        delete(ProductWords).where(ProductWords.product_id.in_(which)).execution_options(synchronize_session=False)
    )
    _merge(session, gone.rowcount * _USUAL)  # type: ignore[attr-defined]


def _merge(session: Session, letters: int) -> None:
    """Put parts of SQLite's index together, as many pages as so many letters of words and then some bring in time.

    Left to itself FTS5 merges now and then, for 50 ms and more, in the transaction of whoever writes at that moment
    (https://www.sqlite.org/fts5.html, sections 6.1 and 6.8: automerge and merge; migration 0012 switches that off).
    Each page that is written is written again at each of about six levels, until it lies in one large part.
    """
    if letters and not _is_postgresql(session):
        session.execute(_MERGE, {"pages": 1 + _LEVELS * letters // _PAGE})


def find(session: Session, text: str, *, limit: int, where: Sequence[ColumnElement[bool]] = ()) -> list[int]:
    """Ids of products that have every word of the text, the closest first; the last word may only be begun.

    `where` are conditions on products. Of more than LOOKED_AT products with the words, those with the lowest ids count.
    """
    parts = _parts(text)[:ASKED]
    if not parts:
        return []
    each = [_having(session, parts, where).subquery(), *(one.subquery() for one in _begun(session, parts, where))]
    rows = session.execute(union_all(*(select(one.c.product_id, one.c.words) for one in each)))
    return _closest(text, dict(rows.all()))[:limit]


def find_some(session: Session, text: str, *, limit: int, where: Sequence[ColumnElement[bool]] = ()) -> list[int]:
    """Ids of products that have some words of the text, rare ones before common ones, the closest first."""
    words = list(dict.fromkeys(word for part in _parts(text) for word in part.words))[:ASKED]
    if not words:
        return []
    each = [_matches(session, [Part([word], "")], begun=False, limit=OF_EACH).subquery() for word in words]
    rows = session.execute(union_all(*(select(literal(n), one.c[0]) for n, one in enumerate(each)))).all()
    hits: dict[int, list[int]] = {}
    for n, product_id in rows:
        hits.setdefault(product_id, []).append(n)
    common = [sum(1 for n, _ in rows if n == place) for place in range(len(words))]
    worth = {i: sum(log(2 * OF_EACH / max(common[n], 1)) for n in those) for i, those in hits.items()}
    best = sorted(worth, key=lambda i: (-worth[i], i))[:RANKED]
    query = select(ProductWords.product_id, ProductWords.words).join(Product, Product.id == ProductWords.product_id)
    alive = query.where(ProductWords.product_id.in_(best), Product.retired_at.is_(None), *where)
    closest = _closest(text, dict(session.execute(alive).all()))
    return sorted(closest, key=lambda i: -worth[i])[:limit]  # stable: the closest of equal worth come first


def _parts(text: str) -> list[Part]:
    """The parts of a text that have a word."""
    return [part for chunk in fold(text).split() if (part := _part(chunk))]


def _part(chunk: str) -> Part | None:
    found, plain = _WORD.findall(chunk), chunk.isascii()
    words = [word[:LONGEST] for word in found] if plain else [w[:LONGEST] for whole in found for w in _cut(whole)]
    joined = "".join(words) if len(words) > 1 and len(chunk) <= 32 and (plain or not _CJK.search(chunk)) else ""
    has_number = joined and any(map(str.isdigit, joined))
    return Part(words, joined if has_number else "") if words else None


def _cut(word: str) -> list[str]:
    """A word; where words are written without spaces, its pairs of signs."""
    if word.isascii() or len(word) < 3 or not _CJK.search(word):
        return [word]
    return [word[i : i + 2] for i in range(len(word) - 1)]


def _having(
    session: Session, parts: Sequence[Part], where: Sequence[ColumnElement[bool]], *, begun: bool = False
) -> Select[int, str]:
    """Products with all these parts, and their words, at most RANKED."""
    return (
        select(ProductWords.product_id, ProductWords.words)
        .join(Product, Product.id == ProductWords.product_id)
        .where(ProductWords.product_id.in_(_matches(session, parts, begun=begun, limit=LOOKED_AT)))
        .where(Product.retired_at.is_(None), *where)
        .order_by(ProductWords.product_id)
        .limit(RANKED)
    )


def _begun(session: Session, parts: Sequence[Part], where: Sequence[ColumnElement[bool]]) -> Iterator[Select[int, str]]:
    """Products whose words go on where the last one of the text ends.

    Behind other words it is looked for among the products that have those: the index would first put everything
    together that begins like it.
    """
    last = parts[-1].words[-1]
    if len(parts) > 1:
        goes_on = literal(" ").concat(ProductWords.words).contains(f" {last}", autoescape=True)
        yield _having(session, parts[:-1], [*where, goes_on])
    elif len(last) > 2:
        yield _having(session, parts, where, begun=True)


def _matches(session: Session, parts: Sequence[Part], *, begun: bool, limit: int) -> Select[int]:
    """The ids of products with all these parts, lowest first; `begun` lets the last word go on."""
    last = len(parts) - 1
    if _is_postgresql(session):
        wanted = " & ".join(_lexemes(part, begun and n == last) for n, part in enumerate(parts))
        holds = _LEXEMES.op("@@")(cast(wanted, postgresql.TSQUERY))
        return select(ProductWords.product_id).where(holds).order_by(ProductWords.product_id).limit(limit)
    wanted = " AND ".join(_phrases(part, begun and n == last) for n, part in enumerate(parts))
    holds = literal_column("product_words_index").op("MATCH")(wanted)
    return select(_INDEX.c.rowid).where(holds).order_by(_INDEX.c.rowid).limit(limit)


def _phrases(part: Part, begun: bool) -> str:
    """A part in the query language of FTS5."""
    together = " AND ".join(f'"{word}"' for word in part.words) + "*" * begun
    return f'(({together}) OR "{part.joined}"{"*" * begun})' if part.joined else f"({together})"


def _lexemes(part: Part, begun: bool) -> str:
    """A part in the query language of PostgreSQL; words hold letters and digits only."""
    star = ":*" if begun else ""
    together = " & ".join(f"'{word}'" for word in part.words) + star
    return f"(({together}) | '{part.joined}'{star})" if part.joined else f"({together})"


def _closest(text: str, found: Mapping[int, str]) -> list[int]:
    """These products by how much of their words the text is (rapidfuzz token_sort_ratio)."""
    asked = " ".join(word for part in _parts(text) for word in part.words)
    score = {i: fuzz.token_sort_ratio(asked, words) for i, words in found.items()}
    return sorted(found, key=lambda i: (-score[i], i))


def _is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
