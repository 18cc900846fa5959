"""Settings: the environment first, then instance/config.toml, then defaults; typed and read once."""

from __future__ import annotations

import ipaddress
import os
import re
import secrets
import tomllib
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parent.parent
SECRET_LENGTH = 32  # characters of a secret key at least
IN_FILE = (
    "database_url", "queue_url", "host", "port", "public_url", "outbound_allow", "organisation", "currency",
    "timezone", "secure_cookies", "trusted_proxies", "upload_limit", "secret_key",
)  # fmt: skip
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class SettingError(ValueError):
    """A setting that cannot be used; the text names the setting and the repair."""


@dataclass(frozen=True)
class Settings:
    """Every setting of an instance. Names in the environment are PAIRBOOK_<NAME IN CAPITALS>."""

    instance: Path
    database_url: str
    queue_url: str
    host: str = "127.0.0.1"
    port: int = 8000
    public_url: str = ""
    outbound_allow: tuple[Network, ...] = ()
    organisation: str = "Pairbook"
    currency: str = "USD"
    timezone: str = "UTC"
    languages: tuple[str, ...] = ("en", "es", "pt", "fr")
    secure_cookies: bool = False
    trusted_proxies: int = 0
    upload_limit: int = 100 * 1024 * 1024
    secret_key: str = field(default="", repr=False)

    @property
    def listening(self) -> str:
        """Where a browser on this machine finds the instance."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def address(self) -> str:
        """What links that leave the screen begin with; never what a request says of itself."""
        return self.public_url or self.listening

    @property
    def hosts(self) -> frozenset[str]:
        """Names that requests may call us by; empty when any will do, because nobody said where people find us."""
        if not self.public_url:
            return frozenset()
        return frozenset({_host_of(self.public_url), _host_of(self.listening), "localhost", "127.0.0.1", "::1"})

    @property
    def uploads(self) -> Path:
        """Where files that people upload wait, under names of our own."""
        return self.instance / "uploads"

    @property
    def outbox(self) -> Path:
        """Where channels of kind `file` leave the files for the marketplace."""
        return self.instance / "outbox"

    @property
    def index_folder(self) -> Path:
        """Where the search index of the catalogue lies."""
        return self.instance / "index"


def load(environ: dict[str, str] | None = None) -> Settings:
    """Read the settings of this process; raises SettingError naming the setting and the repair."""
    env = dict(os.environ if environ is None else environ)
    instance = Path(env.get("PAIRBOOK_INSTANCE") or Path.cwd() / "instance").resolve()
    instance.mkdir(parents=True, exist_ok=True)
    from_file = _toml(instance / "config.toml")

    def get(name: str, default: str = "") -> str:
        value = env.get(f"PAIRBOOK_{name.upper()}")
        return value if value else from_file.get(name, default)

    return Settings(
        instance=instance,
        database_url=_database(get("database_url")) or f"sqlite:///{instance / 'app.db'}",
        queue_url=_queue(get("queue_url")) or f"sqlite:///{instance / 'jobs.db'}",
        host=get("host", "127.0.0.1"),
        port=_whole("port", get("port", "8000"), 1, 65535),
        public_url=_address(get("public_url")),
        outbound_allow=_networks(get("outbound_allow")),
        organisation=get("organisation", "Pairbook"),
        currency=_currency(get("currency", "USD").strip().upper()),
        timezone=_timezone(get("timezone").strip()),
        secure_cookies=_yes_or_no("secure_cookies", get("secure_cookies", "no")),
        trusted_proxies=_whole("trusted_proxies", get("trusted_proxies", "0"), 0, 9),
        upload_limit=_whole("upload_limit", get("upload_limit", str(100 * 1024 * 1024)), 1024, 2**33),
        secret_key=_secret(get("secret_key")) or _kept_secret(instance / "secret.key"),
    )


def _toml(path: Path) -> dict[str, str]:
    """The settings of the file as text, by their names in small letters; a name that is none is refused.

    A name may stand as in the environment, PAIRBOOK_PORT, and a list for what is comma separated there.
    """
    if not path.exists():
        return {}
    try:
        found = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} is not readable as TOML: {error}. Correct the line or remove the file.") from error
    settings = {}
    for key, value in found.items():
        name = key.lower().removeprefix("pairbook_")
        if name not in IN_FILE:
            raise SettingError(f"{path} has “{key}”, which is no setting. Choose one of: {', '.join(IN_FILE)}.")
        settings[name] = ",".join(map(str, value)) if isinstance(value, list) else str(value)
    return settings


def _yes_or_no(name: str, text: str) -> bool:
    """A switch; raises SettingError for a word that is neither, so that no protection is off unnoticed."""
    if text.lower() in {"1", "yes", "true", "on"}:
        return True
    if text.lower() in {"0", "no", "false", "off", ""}:
        return False
    raise SettingError(f"PAIRBOOK_{name.upper()} is “{text}”. Use yes or no.")


def _whole(name: str, text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdigit() or not low <= int(text) <= high:
        raise SettingError(f"PAIRBOOK_{name.upper()} is “{text}”. Use a whole number from {low} to {high}.")
    return int(text)


def _address(text: str) -> str:
    """An address such as https://pairbook.example.com, or nothing."""
    text = text.strip().rstrip("/")
    if not text:
        return ""
    with suppress(ValueError):
        parts = urlsplit(text)
        plain = not (parts.path or parts.query or parts.fragment or parts.username) and parts.port != 0
        if parts.scheme in {"http", "https"} and parts.hostname and plain and not re.search(r"[\s\\]", text):
            return text
    raise SettingError(
        f"PAIRBOOK_PUBLIC_URL is “{text}”. Use what people type to get here, such as https://pairbook.example.com, "
        "without a path."
    )


def _currency(code: str) -> str:
    """A currency of ISO 4217."""
    from babel.numbers import list_currencies

    if code not in list_currencies():
        raise SettingError(f"PAIRBOOK_CURRENCY is “{code}”. Use a code of ISO 4217, such as USD, EUR or MXN.")
    return code


def _database(url: str) -> str:
    """An address of SQLite or PostgreSQL, or nothing."""
    if url and not url.startswith(("sqlite:", "postgresql:", "postgresql+")):
        raise SettingError(
            "PAIRBOOK_DATABASE_URL is no address of a database. Use sqlite:///path or postgresql://user@host/name."
        )
    if url.startswith("sqlite:") and (not url.removeprefix("sqlite://").strip("/") or ":memory:" in url):
        raise SettingError("PAIRBOOK_DATABASE_URL names no file. Use sqlite:///path: tables in memory would be lost.")
    return url


def _queue(url: str) -> str:
    """An address of the queue, or nothing."""
    if url and not url.startswith(("sqlite:///", "redis://", "rediss://")):
        raise SettingError("PAIRBOOK_QUEUE_URL is no address of a queue. Use sqlite:///path or redis://host:port/0.")
    return url


def _secret(key: str) -> str:
    """A key that cannot be guessed, or nothing: it signs sessions and seals what connectors know."""
    if key and len(key) < SECRET_LENGTH:
        raise SettingError(
            f"PAIRBOOK_SECRET_KEY has {len(key)} characters. Use {SECRET_LENGTH} random ones or more, "
            "or leave it out: Pairbook then makes one and keeps it in the instance folder."
        )
    return key


def _timezone(name: str) -> str:
    """The zone that times are shown in: the one that is named, else this machine's, else UTC."""
    from babel.dates import LOCALTZ, get_timezone

    own = getattr(LOCALTZ, "key", None) or getattr(LOCALTZ, "zone", None)  # that of a copied zone file has no name
    for zone in [name] if name else [str(own or ""), "UTC"]:
        with suppress(LookupError):
            get_timezone(zone)  # the empty name of a zone without one is none either
            return zone
    raise SettingError(
        f"PAIRBOOK_TIMEZONE is “{name}”. Use a name of the IANA time zones, such as America/Mexico_City or UTC."
    )


def _host_of(address: str) -> str:
    return urlsplit(address).hostname or ""


def _networks(text: str) -> tuple[Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise SettingError(
            f"PAIRBOOK_OUTBOUND_ALLOW: {error}. Use networks such as 127.0.0.0/8,10.1.0.0/16."
        ) from error


def _kept_secret(path: Path) -> str:
    """The instance's own key: made at the first start, readable by its owner only, never in the database."""
    try:
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(48))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii").strip()
