"""What an upgrade promises to data that is there: it goes on as it would have."""

from __future__ import annotations

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session

from tests.conftest import POSTGRES, settings_for
from tests.factories import Make
from webapp import create_app
from webapp.db import db, unit_of_work
from webapp.jobs import tasks
from webapp.migrations import upgrade
from webapp.models import Link, LinkBatch, ListingState
from webapp.models.accounts import COMMAND_LINE
from webapp.services import links, unsyncing


@pytest.mark.skipif(bool(POSTGRES), reason="the database of the suite is migrated already")
def test_an_unsync_that_was_under_way_goes_on_after_the_upgrade(tmp_path):
    app = create_app(settings_for(tmp_path))
    with app.app_context():
        upgrade(db.engine)
        with unit_of_work() as session:
            make = Make(session, app.extensions["pairbook_settings"])
            pairs = [make.link().id for _ in range(3)]
            listing = make.listing()
            aside = links.set_aside(session, [listing.id], ListingState.IGNORED, by=COMMAND_LINE).act.id
            batch_id = unsyncing.begin(session, [Link.id.in_(pairs[:2])], expect=2, by=COMMAND_LINE).id
        _back_to_ten(tmp_path / "app.db")
        upgrade(db.engine)
        assert tasks.take_steps() == 2
        with unit_of_work(read_only=True) as session:
            assert session.scalars(select(Link.id)).all() == pairs[2:]
            assert session.get_one(LinkBatch, batch_id).changed == 2
            assert session.get_one(LinkBatch, aside).channel_id == listing.channel_id
        db.engine.dispose()


def _back_to_ten(path):
    """Lay the tables of revision 0010 out as that version left them, with its step of an unsync."""
    engine = create_engine(f"sqlite:///{path}")
    with Session(engine) as session:
        for statement in (
            "CREATE TABLE unsync_steps (id INTEGER PRIMARY KEY, batch_id INTEGER NOT NULL, number INTEGER NOT NULL,"
            " link_ids JSON NOT NULL)",
            "INSERT INTO unsync_steps (batch_id, number, link_ids) SELECT batch_id, number, of FROM act_steps",
            "DROP TABLE act_steps",
            "ALTER TABLE link_batches DROP COLUMN moved_at",
            "ALTER TABLE link_batches DROP COLUMN numbers",
            "ALTER TABLE channels DROP COLUMN look_at",
            "ALTER TABLE channels DROP COLUMN looked_at",
            "ALTER TABLE channels DROP COLUMN fault",
            "DROP INDEX ix_decisions_newest",
            "DROP INDEX ix_link_batches_unsync",
            "UPDATE link_batches SET channel_id = NULL",
            "UPDATE alembic_version SET version_num = '0010'",
        ):
            session.execute(text(statement))
        session.commit()
    engine.dispose()
