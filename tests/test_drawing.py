"""What templates remember: the same for the same reader, and never one thing in place of another."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import pytest
from flask import Flask, render_template_string
from markupsafe import Markup

from webapp import drawing


@pytest.fixture
def page(app: Flask) -> Iterator[Flask]:
    """The application in a request of somebody who reads English."""
    with app.test_request_context("/", headers={"Accept-Language": "en"}):
        yield app


def ui(app: Flask):
    return app.jinja_env.globals["ui"]


def test_text_is_escaped_though_the_same_markup_was_drawn_before(page: Flask) -> None:
    assert "<b>bold</b>" in ui(page).status("ok", "check", Markup("<b>bold</b>"))
    assert "&lt;b&gt;bold&lt;/b&gt;" in ui(page).status("ok", "check", "<b>bold</b>")
    assert "<b>bold</b>" in ui(page).status("ok", "check", Markup("<b>bold</b>"))


def test_numbers_follow_the_reader(app: Flask) -> None:
    english, spanish = ("en", "12,345", "$1,299.90"), ("es-ES", "12.345", "1.299,90\xa0US$")
    for reads, number, amount in (english, spanish, english):
        with app.test_request_context("/", headers={"Accept-Language": reads}):
            assert str(ui(app).number(12345)) == number
            assert str(ui(app).money(Decimal("1299.90"), "USD")) == amount


def test_words_follow_the_reader(app: Flask) -> None:
    for reads, said in (("en", "differs"), ("es", "distinto"), ("en", "differs")):
        with app.test_request_context("/", headers={"Accept-Language": reads}):
            assert f'aria-label="{said}"' in ui(app).differs()


def test_an_address_follows_the_place_the_application_is_mounted_at(app: Flask) -> None:
    for mounted in ("", "/pairs-of-us", ""):
        with app.test_request_context("/", base_url=f"http://localhost{mounted}"):
            assert f'href="{mounted}/static/icons.svg' in ui(app).icon("check")


def test_no_pure_part_shows_a_form_or_a_token(app: Flask) -> None:
    source = app.jinja_env.loader.get_source(app.jinja_env, "_ui.html")[0]
    for name in drawing.PURE:
        body = source.split(f"macro {name}(")[1].split("endmacro")[0]
        assert "csrf_token" not in body, name
        assert "printed" not in body, name
        assert "caller" not in body, name


def test_values_in_a_text_are_escaped_and_a_lone_percent_is_written_twice(page: Flask) -> None:
    shown = render_template_string("{{ _('Select %(product)s', product=name) }} {{ _('100 %%') }}", name="<i>&")
    assert shown == "Select &lt;i&gt;&amp; 100 %"


def test_calls_see_what_a_loop_has_set(page: Flask) -> None:
    page.jinja_env.globals["plain"] = lambda n: n * 2
    drawn = render_template_string(
        "{% macro twice(n) %}{{ plain(n) }}{{ caller() }}{% endmacro %}"
        "{% for n in (1, 2) %}{% set m = n + 1 %}{% call twice(m) %}-{{ m }};{% endcall %}{% endfor %}"
        "{{ ngettext('%(num)s row', '%(num)s rows', 2) }} {{ 'a b'.split()|length }} {{ namespace(x=3).x }}"
    )
    assert drawn == "4-2;6-3;2 rows 2 3"
