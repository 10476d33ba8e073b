"""What must not be shown: how an address is printed without its credentials, and a text without the secrets around it.

What belongs here: taking secrets out of what a person, a log or a file is told. What does not: using them. A secret comes
from the environment or from a publisher's signed address; it is handed to whom it is for, and to nobody else.

Two lines of defence. Whoever prints an address prints `address(url)`. Every refusal and every reason of a night also goes
through `scrubbed`, which knows the secrets by the names of the variables that hold them.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

HIDDEN = "…"
# Names in a query whose values say which page of what is meant; any other value may be a signature.
_PLAIN = {"page", "pagesize", "publicationid", "releaseid", "latestonly"}
_LEAST_CHARACTERS = 6  # a shorter value is a word of some sentence rather than a secret
_WHOLE = re.compile(r"(PASSWORD|PASSWD|SECRET|TOKEN|WEBHOOK|ACCESS_KEY|ACCESS_KEY_ID|API_KEY|CREDENTIALS)$")
_ADDRESS = re.compile(r"^[a-z][a-z0-9+.\-]*://", re.IGNORECASE)


def address(url: str) -> str:
    """An address without name, password and fragment, and without those values in its query that may be signatures."""
    try:
        parts = urlsplit(url)
        query = "&".join(_pair(pair) for pair in parts.query.split("&")) if parts.query else ""
        return parts._replace(netloc=parts.netloc.rpartition("@")[2], query=query, fragment="").geturl()
    except ValueError:  # not an address at all: nothing tells where its secrets are
        return HIDDEN


def _pair(pair: str) -> str:
    name, equals, _ = pair.partition("=")
    if name.lower() in _PLAIN:
        return pair
    return f"{name}={HIDDEN}" if equals else HIDDEN


def scrubbed(text: str, environment: Mapping[str, str] = os.environ) -> str:
    """A text with every secret of the environment replaced: passwords, tokens, keys, and what addresses carry of them."""
    for secret in sorted(set(_secrets(environment)), key=len, reverse=True):
        text = text.replace(secret, HIDDEN)
    return text


def _secrets(environment: Mapping[str, str]) -> Iterator[str]:
    for name, value in environment.items():
        for secret in _of_variable(name.upper(), value.strip()):
            if len(secret) >= _LEAST_CHARACTERS:
                yield secret
                yield unquote(secret)


def _of_variable(name: str, value: str) -> Iterator[str]:
    if _WHOLE.search(name):
        yield value
    if not _ADDRESS.match(value):
        return
    try:
        parts = urlsplit(value)
        yield parts.password or ""
    except ValueError:
        yield value
        return
    if "@" in parts.netloc:
        yield parts.netloc.rpartition("@")[0]
    for pair in parts.query.split("&"):
        name_in_query, _, told = pair.rpartition("=")
        if name_in_query.lower() not in _PLAIN:
            yield told
