"""Sign-in set-up, people, the trail of what happened, and a person's own settings."""

from __future__ import annotations

from typing import Any

from flask import Blueprint
from flask_security import hash_password, login_user
from flask_wtf import FlaskForm
from wtforms import EmailField, PasswordField
from wtforms.validators import InputRequired

from webapp import web
from webapp.errors import DomainError
from webapp.services import accounts

bp = Blueprint("accounts", __name__)


class SetupForm(FlaskForm):  # type: ignore[misc]
    """The first owner."""

    email = EmailField(validators=[InputRequired()])
    password = PasswordField(validators=[InputRequired()])


@bp.route("/setup/<code>", methods=["GET", "POST"])
@web.public
def setup(code: str) -> Any:
    """Make the first owner with the one-time link that the console printed."""
    form = SetupForm()
    if form.validate_on_submit():
        try:
            user = accounts.set_up_owner(web.session(), code, form.email.data, form.password.data, hash_password=hash_password)
        except DomainError as error:
            form.form_errors.append(error.message)
            return web.page("accounts/setup.html", form=form, status=error.status)
        login_user(user)
        return web.go("home.index")
    return web.page("accounts/setup.html", form=form, status=422 if form.is_submitted() else 200)
