"""Which addresses may be asked, and where the asking goes.

What belongs here: the publishers' base addresses with the settings that replace them, the list of allowed hosts, and the
way from a public address to the one that is asked and back. What does not: asking (`client`).

The code and the lock file use public addresses throughout; a replaced base shows on the wire alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

from pipeline import confidential
from pipeline.errors import Refusal

EES_CONTENT = "https://content.explore-education-statistics.service.gov.uk/api"
EES_SITE = "https://explore-education-statistics.service.gov.uk"
GOVUK = "https://www.gov.uk"
ASSETS = "https://assets.publishing.service.gov.uk"
# Setting -> the public base that it replaces.
SETTINGS = {"EES_CONTENT_URL": EES_CONTENT, "EES_SITE_URL": EES_SITE, "GOVUK_URL": GOVUK, "ASSETS_URL": ASSETS}
HOSTS_VARIABLE = "CARE_NUMBERS_FETCH_HOSTS"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


def host_of(url: str) -> str:
    """The host of an address in lower case; empty where it has none."""
    return (urlsplit(url).hostname or "").lower()


def is_loopback(url: str) -> bool:
    """Whether an address stays on this machine."""
    return host_of(url) in _LOOPBACK


@dataclass(frozen=True)
class Addresses:
    """`replaced` maps a public base to the one that is asked instead; `more_hosts` are allowed beside the publishers'."""

    replaced: Mapping[str, str] = field(default_factory=dict)
    more_hosts: frozenset[str] = frozenset()

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Addresses:
        """From the settings EES_CONTENT_URL, EES_SITE_URL, GOVUK_URL, ASSETS_URL and CARE_NUMBERS_FETCH_HOSTS.

        Raises Refusal for a base that is no https address, or http to another machine, or that holds a name, a password
        or a query.
        """
        replaced = {}
        for name, public in SETTINGS.items():
            chosen = environment.get(name, "").strip().rstrip("/")
            if chosen and chosen != public:
                _refuse_setting(name, chosen)
                replaced[public] = chosen
        more = (host.strip().lower() for host in environment.get(HOSTS_VARIABLE, "").split(","))
        return cls(replaced, frozenset(host for host in more if host))

    @property
    def hosts(self) -> frozenset[str]:
        """Every host that may be asked."""
        bases = [*SETTINGS.values(), *self.replaced.values()]
        return frozenset(host_of(base) for base in bases) | self.more_hosts

    def asked(self, url: str) -> str:
        """The address that goes on the wire for a public one."""
        return _with_base(url, self.replaced.items())

    def public(self, url: str) -> str:
        """The public form of an address, wherever it was found."""
        return _with_base(url, ((asked, public) for public, asked in self.replaced.items()))

    def found_at(self, location: str, url: str) -> str:
        """A `Location`, or an address in a document, as a public address; relative ones are relative to `url`."""
        return self.public(urljoin(url, location))

    def problem(self, url: str) -> str | None:
        """Why a public address may not be asked; None when it may."""
        parts = urlsplit(url)
        if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(url)):
            return f"the address is {parts.scheme or 'without a scheme'}, and only https is asked"
        if parts.username or parts.password:
            return "the address holds a name or a password"
        if host_of(url) not in self.hosts:
            return f"{host_of(url) or 'no host'} is not on the list of hosts that are asked"
        return None


def _with_base(url: str, bases: Iterable[tuple[str, str]]) -> str:
    """The address with the longest base that it begins with replaced."""
    found = max(
        ((base, other) for base, other in bases if url == base or url.startswith((f"{base}/", f"{base}?"))),
        key=lambda pair: len(pair[0]),
        default=("", ""),
    )
    return found[1] + url[len(found[0]) :]


def _refuse_setting(name: str, chosen: str) -> None:
    parts = urlsplit(chosen)
    if parts.username or parts.password or parts.query or parts.fragment:
        raise Refusal(
            "bad_base_url",
            f"the setting {name} holds more than an address: a name, a password or a query",
            value=confidential.address(chosen),
            remedy="give the address alone; what only some may read is got by care-numbers import",
        )
    if host_of(chosen) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(chosen))):
        return
    raise Refusal(
        "bad_base_url",
        f"the setting {name} is no https address",
        value=confidential.address(chosen),
        remedy="give an address that begins with https://, or http:// to this machine itself",
    )
