"""What can go wrong in the domain, and what each kind means to the person who asked.

DomainError                 the sentence in it tells the reader what to do next
├── Refused                 a rule of the house says no (422)
├── Conflict                somebody else was first, or the form is old (409)
├── NotFound                nothing there under that name (404)
├── Forbidden               the person's role does not allow it (403)
└── Unavailable             a part we need does not answer now; try again (503)
"""

from __future__ import annotations


def phrase(sentence: str, /, **values: object) -> str:
    """A sentence with its `{values}` filled in, in English; `webapp.translate` knows it again in other languages."""
    return sentence.format(**values)


def phrases(one: str, many: str, /, n: int, **values: object) -> str:
    """The sentence for one or for many; `{n}` in it is the number with its thousands marked."""
    return (one if n == 1 else many).format(n=f"{n:,}", **values)


class DomainError(Exception):
    """A refusal in words a person can act on; `status` is its HTTP status."""

    status = 422
    code = "refused"

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.message = message
        self.facts = facts


class Refused(DomainError):
    """A rule says no."""


class Conflict(DomainError):
    """The world changed since the person looked."""

    status = 409
    code = "conflict"


class NotFound(DomainError):
    """There is nothing under that name."""

    status = 404
    code = "not_found"


class Forbidden(DomainError):
    """The role does not allow it."""

    status = 403
    code = "forbidden"


class Unavailable(DomainError):
    """A part we stand on does not answer; nothing was changed."""

    status = 503
    code = "unavailable"
