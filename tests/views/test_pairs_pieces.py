"""What the pieces promise that an act on a pair sends: each finds its place on the page, and words are plain."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.factories import Make

HX = {"HX-Request": "true"}


def without_target(page: str, answer: str) -> set[str]:
    """Ids of out-of-band pieces in the answer that the page has no element for."""
    tags = re.findall(r"<[a-z]+\b[^>]*\bhx-swap-oob=[^>]*>", answer)
    ids = {found[1] for tag in tags if (found := re.search(r'\bid="([^"]+)"', tag))}
    assert ids, "nothing travels out-of-band"
    return ids - set(re.findall(r'\bid="([^"]+)"', page))


def one_pair(m: Make) -> int:
    return m.link().listing_id


@pytest.mark.parametrize("act", ["unlink", "auto"])
def test_every_piece_that_an_act_sends_has_its_place_on_the_page(browse, put, act):
    listing_id = put(one_pair)
    client = browse("bob")
    page = client.get("/pairs").text
    answer = client.post(f"/pairs/{listing_id}/{act}", headers=HX).text
    assert without_target(page, answer) == set()
    undo = re.search(r'action="(/pairs/undo/[^"]*)"', answer)
    if undo:
        back = client.post(undo[1].replace("&amp;", "&"), headers=HX).text
        assert without_target(page, back) == set()


def test_an_order_that_leaves_pairs_out_says_so(browse, put):
    put(one_pair)
    page: Any = browse("bob").get("/pairs")
    assert "linked by suggestion, lowest score first" in page.text
    assert "only never synced, newest first" in page.text


def test_a_title_that_a_list_cuts_is_there_in_full(browse, put):
    long = "Sartén de hierro fundido con mango largo y tapa de vidrio templado, 24 cm"

    def build(m: Make) -> None:
        m.link(m.product("PAN-24", title=long), m.listing("PAN-24", title=f"{long}, negro"))
        m.listing("PAN-26", title=f"{long}, rojo")

    put(build)
    client = browse("bob")
    pairs = client.get("/pairs").text
    assert f'title="{long}"' in pairs
    assert f'title="{long}, negro"' in pairs
    assert f'title="{long}, rojo"' in client.get("/review").text
