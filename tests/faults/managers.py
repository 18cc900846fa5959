"""People at browsers who go on until the server is gone, and the ledger of what they were told.

What a person was answered is firm. An act whose answer never came is open: it may have happened or not, but not half.
"""

from __future__ import annotations

import random
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import httpx2
from flask import Flask
from sqlalchemy import select

from webapp.db import unit_of_work
from webapp.models import ImportJob, Listing, Product

EQUAL, BY_HAND, LATER = 40, 4, 2  # listings of one file: with a product's SKU, with none, with one that is added later
PASSWORD = "four unrelated small words"
PENDING, NO_MATCH = "pending", "none"
Client = httpx2.Client


def linked(sku: str) -> str:
    """The state of a listing that is linked to this product."""
    return f"linked {sku}"


@dataclass
class Ledger:
    """What everybody was told. Keys are names: of files, of listings at the marketplace, of products."""

    files: dict[str, str] = field(default_factory=dict)  # file name: sent, received, asked, confirmed
    states: dict[str, set[str]] = field(default_factory=dict)  # listing: the states it may be in
    stock: dict[str, set[int]] = field(default_factory=dict)  # SKU: the stock it may have
    returned: dict[str, int] = field(default_factory=dict)  # listing: when the answer to its unlink came
    on_the_way: set[str] = field(default_factory=set)  # listings that were named as told while they were unlinked
    open: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)  # unanswered decisions by listing
    complaints: list[str] = field(default_factory=list)
    unanswered: list[str] = field(default_factory=list)  # where the acts went that nobody answered
    acts: int = 0

    @property
    def done(self) -> list[str]:
        """The stems of pairs of files that were both confirmed."""
        stems = {name.split(".")[0] for name, word in self.files.items() if word == "confirmed"}
        return sorted(s for s in stems if self.files.get(f"{s}.goods.csv") == self.files.get(f"{s}.offers.csv"))


class Manager:
    """One person: brings files in, decides, links by SKU, changes stock, unlinks. Uses no listing of another one."""

    def __init__(self, name: str, app: Flask, address: str, ledger: Ledger, rng: random.Random, channel: int) -> None:
        self.name, self.app, self.address, self.ledger, self.rng = name, app, address, ledger, rng
        self.channel = channel
        self.files = 0
        self.cookies = httpx2.Cookies()
        self.token = ""
        self.thread: threading.Thread | None = None

    def client(self) -> Client:
        """The browser: it keeps its cookies when the server is started again."""
        headers = {"X-CSRFToken": self.token} if self.token else {}
        return Client(
            base_url=self.address, cookies=self.cookies, headers=headers, timeout=60, trust_env=False, verify=False
        )

    def sign_in(self, email: str) -> None:
        """Sign in by the form."""
        with self.client() as client:
            token = _token(client.get("/login").text)
            form = {"email": email, "password": PASSWORD, "csrf_token": token}
            answer = client.post("/login", data=form)
            assert answer.status_code == 302, answer.text
            self.token = _token(client.get("/import").text)
            self.cookies = client.cookies

    def begin(self) -> None:
        """Work on a thread until the server does not answer any more."""
        self.thread = threading.Thread(target=self._work, name=self.name)
        self.thread.start()

    def end(self) -> None:
        """Wait for the last answer."""
        assert self.thread is not None
        self.thread.join(30)
        assert not self.thread.is_alive()

    def _work(self) -> None:
        acts = [self.bring_in, self.decide, self.link_by_sku, self.set_stock, self.unlink]
        with self.app.app_context(), self.client() as client:
            try:
                while True:
                    self.rng.choices(acts, [1, 3, 1, 3, 2])[0](client)
            except httpx2.TransportError:
                return
            except Exception as error:
                self.ledger.complaints.append(f"{type(error).__name__}: {error}")
                raise

    def ask(self, client: Client, path: str, act: Callable[[], None], **more: object) -> httpx2.Response:
        """Post something; `act` notes the answer in the ledger, and runs only when one came."""
        self.ledger.unanswered.append(path)
        answer = client.post(path, **more)
        self.ledger.unanswered.remove(path)
        if answer.status_code >= 400:
            self.ledger.complaints.append(f"{path}: {answer.status_code} {_words(answer.text)}")
            return answer
        act()
        self.ledger.acts += 1
        place = answer.headers.get("Location", "")
        if place and not path.startswith("/review/"):
            self.look(client, place)
        return answer

    def look(self, client: Client, path: str) -> None:
        """Open a page."""
        page = client.get(path, follow_redirects=True)
        if page.status_code >= 400 or "Traceback" in page.text:
            self.ledger.complaints.append(f"{path}: {page.status_code} {_words(page.text)}")

    # ---- acts --------------------------------------------------------------------------------------------

    def bring_in(self, client: Client) -> None:
        """Two files: products, then listings of which most have the SKU of one."""
        self.files += 1
        stem = f"{self.name}{self.files}"
        goods = "sku,title,quantity,price\n"
        goods += "".join(f"{stem}-{n},Thing {n},{n % 90 + 1},9.50\n" for n in range(EQUAL))
        goods += "".join(f"{stem}-S{n},Spare {n},{n + 1},9.50\n" for n in range(BY_HAND))
        offers = "listing_id,sku,title\n"
        offers += "".join(f"{stem}-L{n},{stem}-{n},Thing {n}\n" for n in range(EQUAL))
        offers += "".join(f"{stem}-H{n},,Spare {n}\n" for n in range(BY_HAND))
        offers += "".join(f"{stem}-A{n},{stem}-A{n},Later {n}\n" for n in range(LATER))
        for kind, text in (("products", goods), ("listings", offers)):
            self._file(client, f"{stem}.{'goods' if kind == 'products' else 'offers'}.csv", kind, text)
        for letter, many in (("L", EQUAL), ("H", BY_HAND), ("A", LATER)):
            for n in range(many):
                state = linked(f"{stem}-{n}") if letter == "L" else PENDING
                self.ledger.states[f"{stem}-{letter}{n}"] = {state}

    def _file(self, client: Client, name: str, kind: str, text: str) -> None:
        files = self.ledger.files
        files[name] = "sent"
        form = {"kind": kind, "channel": str(self.channel) if kind == "listings" else ""}
        received = self.ask(
            client, "/import", lambda: files.update({name: "received"}), data=form, files={"file": (name, text)}
        )
        place = received.headers.get("Location", "/import/0")
        files[name] = "asked"
        self.ask(client, f"{place}/confirm", lambda: files.update({name: "confirmed"}))

    def decide(self, client: Client) -> None:
        """Link a listing to the spare product that is meant for it, or say that none fits."""
        name = self._one(PENDING, "H")
        if not name:
            return
        stem, _, number = name.partition("-H")
        sku = f"{stem}-S{number}"
        verb, state = self.rng.choice([("link", linked(sku)), ("none", NO_MATCH)])
        form = {"key": f"key-{name}", "product_id": str(self._product(sku))}
        path = f"/review/{self._listing(name)}/{verb}"
        self.ledger.states[name] |= {state}
        self.ledger.open[name] = (path, form)
        self.ask(client, path, lambda: self.ledger.states.update({name: {state}}), data=form)
        del self.ledger.open[name]

    def link_by_sku(self, client: Client) -> None:
        """Add the product that a listing waits for, then let equal SKUs be linked."""
        name = self._one(PENDING, "A")
        if not name or self._product(name):
            return
        states = self.ledger.states
        states[name] |= {linked(name)}  # the end of another import may link it as well
        self.ask(client, "/products/new", lambda: None, data={"sku": name, "title": "Came later", "stock": "3"})
        self.ask(client, "/review/reconcile?channel=Hook", lambda: states.update({name: {linked(name)}}))

    def set_stock(self, client: Client) -> None:
        """Count a product again."""
        stem = self.rng.choice(self._stems() or [""])
        number, count = self.rng.randrange(EQUAL), self.rng.randrange(1, 500)
        sku = f"{stem}-{number}"
        product = self._product(sku)
        if not product:
            return
        self.ledger.stock[sku] = self.ledger.stock.get(sku, {number % 90 + 1}) | {count}
        form = {"sku": sku, "title": f"Thing {count}", "stock": str(count)}
        self.ask(client, f"/products/{product}/edit", lambda: self.ledger.stock.update({sku: {count}}), data=form)

    def unlink(self, client: Client) -> None:
        """Take a pair apart; the answer says whether its last update was on its way."""
        name = self._one("linked", "L")
        listing = self._listing(name) if name else 0
        if not listing:
            return
        ledger = self.ledger
        ledger.states[name] |= {PENDING}
        answer = self.ask(
            client, f"/pairs/{listing}/unlink", lambda: ledger.states.update({name: {PENDING}}), headers=HTMX
        )
        if answer.status_code < 400:
            ledger.returned[name] = time.monotonic_ns()
            if "on its way" in answer.text:
                ledger.on_the_way.add(name)

    # ---- what is there -----------------------------------------------------------------------------------

    def _stems(self) -> list[str]:
        return [s for s in self.ledger.done if re.fullmatch(rf"{self.name}\d+", s)]

    def _one(self, state: str, letter: str) -> str:
        """A listing of ours that is surely in this state, or nothing."""
        stems = set(self._stems())
        names = [
            name
            for name, states in self.ledger.states.items()
            if len(states) == 1
            and next(iter(states)).startswith(state)
            and name.split("-")[0] in stems
            and name.split("-")[1].startswith(letter)
        ]
        return self.rng.choice(names) if names else ""

    def _listing(self, name: str) -> int:
        with unit_of_work(read_only=True) as session:
            return session.scalar(select(Listing.id).where(Listing.external_id == name)) or 0

    def _product(self, sku: str) -> int:
        with unit_of_work(read_only=True) as session:
            return session.scalar(select(Product.id).where(Product.match_key == sku)) or 0


HTMX = {"HX-Request": "true"}


def _token(page: str) -> str:
    found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', page)
    assert found, page
    return found[1]


def _words(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))[:300]


def jobs_by_file() -> dict[str, ImportJob]:
    """The imports by the name of their file."""
    with unit_of_work(read_only=True) as session:
        return {job.file_name: job for job in session.scalars(select(ImportJob))}
