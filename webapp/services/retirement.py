"""Products that leave the catalogue: their SKU is free again, their history stays, and they may come back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, String, cast, func, literal, select, update
from sqlalchemy.orm import Session

from matching.identifiers import loose_key, match_key
from webapp.db import among
from webapp.models.base import utc_now
from webapp.models.catalog import Product
from webapp.services import words


def retire(session: Session, which: Sequence[ColumnElement[bool]]) -> int:
    """Take products out of the catalogue; their SKU is free again, their history stays. Gives how many."""
    now = utc_now()
    words.forget(session, select(Product.id).where(*which))
    keys = func.substr(literal("retired ") + cast(Product.id, String) + " " + Product.match_key, 1, 255)
    done = session.execute(
        update(Product)
        .where(*which)
        .values(retired_at=now, changed_at=now, match_key=keys, loose_key="")
        .execution_options(synchronize_session=False)
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def bring_back(session: Session, product_ids: Sequence[int]) -> int:
    """Put retired products into the catalogue again, but for those whose SKU another one has by now; gives how many."""
    retired = Product.id.in_(product_ids), Product.retired_at.is_not(None)
    products = session.scalars(select(Product).where(*retired).order_by(Product.id)).all()
    keys = {p.id: match_key(p.sku) for p in products}
    taken = set(session.scalars(select(Product.match_key).where(among(session, Product.match_key, keys.values()))))
    back = [p for p in products if keys[p.id] not in taken]
    for product in back:
        product.match_key, product.loose_key = keys[product.id], loose_key(product.sku)
        product.retired_at, product.changed_at = None, utc_now()
    session.flush()
    words.renew(session, [p.id for p in back])
    return len(back)
