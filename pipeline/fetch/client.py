"""Asking publishers politely, and never believing more than was asked for.

What belongs here: requests with their pauses, retries, deadlines, redirects and size limits, and the bytes on their way to
a file. What does not: which address to ask (`ees`, `govuk`) and whether the bytes are the wanted ones (`arrival`).

One request at a time, one connection a host. Certificates are always verified: there is no way to switch that off.

urllib3 is imported where it is used: on import it opens a socket to learn whether there is IPv6.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import email.utils
import hashlib
import importlib.metadata
import json
import os
import random
import socket
import ssl
import threading
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import certifi

from pipeline import confidential, durable
from pipeline.errors import Refusal
from pipeline.fetch.addresses import Addresses, host_of, is_loopback

if TYPE_CHECKING:
    import urllib3

USER_AGENT_VARIABLE = "CARE_NUMBERS_USER_AGENT"
_TRY_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_REDIRECT = {301, 302, 303, 307, 308}
_MOST_HOPS = 5
_PLACEHOLDER = "/government/placeholder"  # what gov.uk shows while a file is being looked at for viruses
_CHUNK = 65536
_MEBIBYTE = 1024 * 1024
_LARGEST_DOCUMENT = 20 * _MEBIBYTE
_NO_NETWORK_AFTER = 2  # hosts that cannot be reached, and none that can
_SECOND_CONNECT = 3.0  # seconds, once another host could not be reached
_UNREACHABLE, _NO_NETWORK = _OUT_OF_REACH = ("host_unreachable", "no_network")
_LATER = "nothing is changed; run care-numbers fetch again later"


@dataclass(frozen=True)
class Manners:
    """How patient and how polite. Times in seconds, sizes in bytes; `waits` come before the second, third, … attempt.

    `longest_wait` is the longest Retry-After that is waited for. No pause is made for this machine itself.
    """

    pause: float = 1.0
    pause_of: Mapping[str, float] = field(default_factory=lambda: {"www.gov.uk": 2.0})
    attempts: int = 4
    waits: tuple[float, ...] = (1.0, 2.0, 4.0)
    longest_wait: float = 120.0
    connect: float = 10.0
    read: float = 60.0
    file_deadline: float = 600.0
    run_deadline: float = 1800.0
    largest_encoded: int = 64 * _MEBIBYTE
    largest_decoded: int = 256 * _MEBIBYTE


class NotGot(Refusal):
    """An address that gave no usable answer. `status` is that of the answer, None where there was none."""

    def __init__(self, code: str, problem: str, *, url: str, remedy: str = _LATER, status: int | None = None) -> None:
        url = confidential.address(url)
        self.status = status
        self.url = url
        names_its_host = code in _OUT_OF_REACH
        super().__init__(code, problem, file=None if names_its_host else url, remedy=remedy)

    @property
    def is_out_of_reach(self) -> bool:
        """Whether the host was not reached at all, so that every other address there has the same answer."""
        return self.code in _OUT_OF_REACH


class _Again(Exception):
    """This attempt failed in a way that another one may mend."""

    def __init__(self, refusal: NotGot, wait: float = 0.0) -> None:
        self.refusal = refusal
        self.wait = wait
        super().__init__(str(refusal))


@dataclass(frozen=True)
class Received:
    """What came: sizes before and after decoding, the sha256 of the decoded bytes, and the headers in small letters."""

    requested_url: str
    final_url: str
    status: int
    headers: Mapping[str, str]
    sha256: str
    bytes: int
    encoded_bytes: int

    @property
    def content_type(self) -> str:
        """Without its parameters; empty where the server sent none."""
        return self.headers.get("content-type", "").split(";")[0].strip().lower()


def user_agent(environment: Mapping[str, str] = os.environ) -> str:
    """Who is asking. A setting may say it in other words, such as with an address to write to."""
    version = importlib.metadata.version("care-numbers")
    return environment.get(USER_AGENT_VARIABLE) or f"Mozilla/5.0 (compatible; care-numbers/{version})"


class Client:
    """One run's requests: what was answered, when a host was asked last, and which hosts cannot be reached."""

    def __init__(
        self,
        addresses: Addresses,
        manners: Manners | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        wall: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC),
    ) -> None:
        self.addresses = addresses
        self.manners = manners or Manners()
        self._clock, self._sleep, self._wall = clock, sleep, wall
        self._deadline = clock() + self.manners.run_deadline
        self._documents: dict[str, Any] = {}
        self._asked_at: dict[str, float] = {}
        self._reached: set[str] = set()
        self._answered: set[str] = set()
        self._unreachable: dict[str, Exception] = {}
        self._pools: dict[str | None, urllib3.PoolManager] = {}

    def close(self) -> None:
        """Give the connections back."""
        for pool in self._pools.values():
            pool.clear()

    # -----------------------------------------------------------------------------------------------------------------
    # What callers ask for

    def document(self, url: str, *, anew: bool = False) -> Any:
        """A JSON document, asked for once a run unless `anew`. Raises NotGot, the second time without asking again."""
        if anew or url not in self._documents:
            try:
                self._documents[url] = self._parsed(url)
            except NotGot as refusal:
                self._documents[url] = refusal
        answer = self._documents[url]
        if isinstance(answer, NotGot):
            raise answer
        return answer

    def _parsed(self, url: str) -> Any:
        content = bytearray()
        limits = (_LARGEST_DOCUMENT, _LARGEST_DOCUMENT)
        self._ask(url, content.clear, content.extend, limits, accept="application/json")
        try:
            return json.loads(content)
        except ValueError as error:
            raise NotGot(
                "not_json",
                f"the answer should be JSON and is not ({error})",
                url=url,
                remedy="the interface may have changed: look at the address in a browser; " + _LATER,
            ) from error

    def download(self, url: str, target: Path) -> Received:
        """The decoded bytes of an address in a new file `target`. Raises NotGot, and Refusal for a full disk.

        After a broken attempt the file begins anew; after a failure there is none.
        """
        limits = (self.manners.largest_encoded, self.manners.largest_decoded)
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            with durable.refusing_full_disk(target.parent), target.open("wb") as file:
                received = self._ask(url, lambda: _restart(file), file.write, limits)
                file.flush()
                os.fsync(file.fileno())
            return received
        except BaseException:
            target.unlink(missing_ok=True)
            raise

    # -----------------------------------------------------------------------------------------------------------------
    # Attempts

    def _ask(
        self,
        url: str,
        restart: Callable[[], object],
        take: Callable[[bytes], object],
        limits: tuple[int, int],
        accept: str = "*/*",
    ) -> Received:
        deadline = min(self._deadline, self._clock() + self.manners.file_deadline)
        attempt = 0
        while True:
            restart()
            try:
                return self._attempt(url, take, limits, accept, deadline)
            except _Again as again:
                attempt += 1
                if attempt >= self.manners.attempts:
                    raise again.refusal from again
                self._wait_after(again, attempt, deadline)

    def _wait_after(self, again: _Again, attempt: int, deadline: float) -> None:
        if again.wait > self.manners.longest_wait:
            raise NotGot(
                "asks_to_wait",
                f"the server asks to wait {again.wait:.0f} s, more than the {self.manners.longest_wait:.0f} s of a run",
                url=again.refusal.url,
                status=again.refusal.status,
            ) from again
        own = self.manners.waits[min(attempt, len(self.manners.waits)) - 1] * random.uniform(1.0, 1.25)
        wait = max(own, again.wait)
        if self._clock() + wait > deadline:
            raise again.refusal from again
        self._sleep(wait)

    def _attempt(
        self, url: str, take: Callable[[bytes], object], limits: tuple[int, int], accept: str, deadline: float
    ) -> Received:
        current = url
        for _ in range(_MOST_HOPS + 1):
            with self._answer(current, accept, deadline) as response:
                if response.status in _REDIRECT:
                    current = self._next(response, current)
                    continue
                self._refuse_status(response, current)
                return self._take(response, url, current, take, limits, deadline)
        raise NotGot("redirect_refused", f"there are more than {_MOST_HOPS} redirects, a loop perhaps", url=url)

    def _next(self, response: urllib3.BaseHTTPResponse, current: str) -> str:
        location = response.headers.get("Location")
        if not location:
            raise NotGot("redirect_refused", f"a redirect ({response.status}) leads nowhere", url=current)
        found = self.addresses.found_at(location, current)
        if urlsplit(found).path == _PLACEHOLDER:
            raise NotGot("not_yet_there", "the publisher is still looking at the file for viruses", url=current)
        return found

    def _refuse_status(self, response: urllib3.BaseHTTPResponse, url: str) -> None:
        status = response.status
        if status == 200:
            return
        refusal = NotGot("http_status", _said(status), url=url, status=status)
        if status in _TRY_AGAIN:
            raise _Again(refusal, self._retry_after(response.headers.get("Retry-After")))
        raise refusal

    def _retry_after(self, told: str | None) -> float:
        """Seconds; 0 where the header is missing or makes no sense."""
        if not told:
            return 0.0
        if told.strip().isdigit():
            return float(told)
        try:
            moment = email.utils.parsedate_to_datetime(told)
        except ValueError:
            return 0.0
        aware = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        return max(0.0, (aware - self._wall()).total_seconds())

    # -----------------------------------------------------------------------------------------------------------------
    # One request

    @contextlib.contextmanager
    def _answer(self, url: str, accept: str, deadline: float) -> Iterator[urllib3.BaseHTTPResponse]:
        """The beginning of an answer. What breaks while it is used is _Again, unless the host cannot be reached."""
        import urllib3
        from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, ProxyError, SSLError
        from urllib3.exceptions import TimeoutError as RequestTimeout

        problem = self.addresses.problem(url)
        if problem:
            remedy = "allow a further host with CARE_NUMBERS_FETCH_HOSTS if it is the publisher's; " + _LATER
            raise NotGot("redirect_refused", problem, url=url, remedy=remedy)
        asked = self.addresses.asked(url)
        self._refuse_unreachable(url, asked)
        self._pause(url, asked)
        left = deadline - self._clock()
        if left <= 0:
            raise NotGot("too_slow", "there is no time left for this in the run", url=url)
        timeout = urllib3.Timeout(connect=min(self.manners.connect, left), read=min(self.manners.read, left))
        headers = {"User-Agent": user_agent(), "Accept": accept, "Accept-Encoding": "gzip"}
        response: urllib3.BaseHTTPResponse | None = None
        is_read = False
        try:
            response = self._pool(asked).request(
                "GET", asked, headers=headers, timeout=timeout, redirect=False, retries=False,
                preload_content=False, decode_content=False,
            )  # fmt: skip
            self._answered.add(host_of(asked))
            yield response
            is_read = response.status == 200
        except (NewConnectionError, ConnectTimeoutError, ProxyError, SSLError) as error:
            raise self._cannot_reach(url, asked, error) from error
        except RequestTimeout as error:
            if host_of(asked) not in self._answered:  # it takes connections and says nothing
                raise self._cannot_reach(url, asked, error) from error
            raise _Again(NotGot("too_slow", f"nothing came for {timeout.read_timeout:.0f} s", url=url)) from error
        except (HTTPError, _Damaged) as error:
            refusal = NotGot("broken_transfer", f"the connection broke off ({_briefly(error)})", url=url)
            raise _Again(refusal) from error
        finally:
            self._asked_at[host_of(url)] = self._clock()
            if response is not None:
                if not is_read:
                    response.close()  # what is left in the connection belongs to no later answer
                response.release_conn()

    def _take(
        self,
        response: urllib3.BaseHTTPResponse,
        requested: str,
        url: str,
        take: Callable[[bytes], object],
        limits: tuple[int, int],
        deadline: float,
    ) -> Received:
        headers = {name.lower(): value for name, value in response.headers.items()}
        decoder = _decoder(headers.get("content-encoding", ""), url)
        announced = headers.get("content-length", "")
        if announced.isdigit() and int(announced) > limits[0]:
            raise _too_large(url, int(announced))
        digest = hashlib.sha256()
        encoded = decoded = 0
        while chunk := response.read1(_CHUNK, decode_content=False):
            encoded += len(chunk)
            if encoded > limits[0]:
                raise _too_large(url, limits[0])
            for piece in decoder.feed(chunk):
                decoded += len(piece)
                if decoded > limits[1]:
                    raise _too_large(url, limits[1])
                digest.update(piece)
                take(piece)
            if self._clock() > deadline:
                raise NotGot("too_slow", "the file was not here within its time", url=url)
        if not decoder.is_whole:
            raise _Again(NotGot("broken_transfer", "the compressed file ends in the middle", url=url))
        return Received(requested, url, response.status, headers, digest.hexdigest(), decoded, encoded)

    def _pause(self, url: str, asked: str) -> None:
        last = self._asked_at.get(host_of(url))
        if last is None or is_loopback(asked):
            return
        wait = last + self.manners.pause_of.get(host_of(url), self.manners.pause) - self._clock()
        if wait > 0:
            self._sleep(wait)

    # -----------------------------------------------------------------------------------------------------------------
    # Reaching a host

    def _refuse_unreachable(self, url: str, asked: str) -> None:
        """Try once a run whether the host is there at all, within seconds and whatever its name resolves to."""
        place = _place(_proxy(asked) or asked)
        if place in self._unreachable:
            raise self._cannot_reach(url, asked, self._unreachable[place])
        if place in self._reached:
            return
        if len(self._unreachable) >= _NO_NETWORK_AFTER and not self._reached:
            raise NotGot(
                _NO_NETWORK,
                f"{host_of(url)} was not asked: no other host could be reached",
                url=url,
                remedy="look whether this machine has a way to the internet, and run care-numbers fetch again",
            )
        seconds = min(self.manners.connect, _SECOND_CONNECT) if self._unreachable else self.manners.connect
        error = _connecting(place, seconds)
        if error:
            raise self._cannot_reach(url, asked, error)
        self._reached.add(place)

    def _cannot_reach(self, url: str, asked: str, error: Exception) -> NotGot:
        self._unreachable[_place(_proxy(asked) or asked)] = error
        instead = "" if host_of(asked) == host_of(url) else f" at {host_of(asked)}"
        return NotGot(
            _UNREACHABLE,
            f"{host_of(url)} cannot be reached{instead} ({_briefly(error)})",
            url=url,
            remedy="it is tried once a run; nothing is changed, and care-numbers fetch may be run again later",
        )

    def _pool(self, asked: str) -> urllib3.PoolManager:
        import urllib3

        proxy = _proxy(asked)
        if proxy not in self._pools:
            options: dict[str, Any] = {"maxsize": 1, "block": True, "ssl_context": _trusting()}
            self._pools[proxy] = (
                urllib3.ProxyManager(proxy, proxy_headers=_proxy_headers(proxy), **options)
                if proxy
                else urllib3.PoolManager(**options)
            )
        return self._pools[proxy]


def _restart(file: Any) -> None:
    file.seek(0)
    file.truncate()


def _said(status: int) -> str:
    """An HTTP status in words."""
    known = {
        403: "this version is closed to the public: an amendment has superseded it, or the server refuses the program",
        404: "there is nothing at this address: the interface or the address has changed",
        410: "the publisher has taken this away",
        429: "the server asks for fewer requests",
        503: "the server is not available",
        504: "the server took too long",
    }
    return f"{known.get(status, 'the server gave no file')} (status {status})"


def _briefly(error: Exception) -> str:
    reason = getattr(error, "reason", None) or (error.args[-1] if error.args else error)
    return (str(reason).splitlines() or [""])[0][:160] or type(error).__name__


def _too_large(url: str, size: int) -> NotGot:
    return NotGot(
        "too_large",
        f"the file is larger than {size // _MEBIBYTE} MiB, which no file of these publications is",
        url=url,
        remedy="look at the address in a browser; nothing was kept",
    )


# ---------------------------------------------------------------------------------------------------------------------
# The way there


def _proxy(asked: str) -> str | None:
    """The proxy that the environment names for an address; never one for this machine itself."""
    parts = urlsplit(asked)
    if is_loopback(asked) or urllib.request.proxy_bypass(parts.netloc):
        return None
    return urllib.request.getproxies().get(parts.scheme)


def _proxy_headers(proxy: str) -> dict[str, str]:
    """Name and password of a proxy's address as the header that it asks for; urllib3 does not take them from there."""
    import urllib3

    named = urlsplit(proxy).netloc.rpartition("@")[0]
    return dict(urllib3.make_headers(proxy_basic_auth=unquote(named))) if named else {}


def _place(address: str) -> str:
    parts = urlsplit(address)
    port = parts.port or (80 if parts.scheme == "http" else 443)
    return f"{parts.hostname}:{port}"


def _connecting(place: str, seconds: float) -> Exception | None:
    """Why no connection came about within that time; None when one did.

    A name may resolve slowly and to many addresses, each with a time limit of its own: the thread bounds them all.
    """
    host, _, port = place.rpartition(":")
    outcome: list[Exception | None] = []

    def connect() -> None:
        try:
            socket.create_connection((host, int(port)), timeout=seconds).close()
            outcome.append(None)
        except OSError as error:
            outcome.append(error)

    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(seconds)
    return outcome[0] if outcome else TimeoutError(f"no answer within {seconds:.0f} s")


def _trusting() -> ssl.SSLContext:
    """Certificates of the system (or of SSL_CERT_FILE) and of certifi, always verified."""
    context = ssl.create_default_context()
    if not os.environ.get("SSL_CERT_FILE"):
        context.load_verify_locations(cafile=certifi.where())
    return context


# ---------------------------------------------------------------------------------------------------------------------
# Decoding


class _Damaged(Exception):
    """What came is not compressed as its header says."""


class _Plain:
    """No encoding."""

    is_whole = True

    def feed(self, data: bytes) -> Iterator[bytes]:
        yield data


class _Compressed:
    """gzip or zlib, a piece at a time, so that a small file which expands without end is noticed early."""

    def __init__(self) -> None:
        self._object = zlib.decompressobj(wbits=47)  # 32 + 15: the header says which of the two it is
        self._is_empty = True

    @property
    def is_whole(self) -> bool:
        return self._object.eof or self._is_empty

    def feed(self, data: bytes) -> Iterator[bytes]:
        self._is_empty = False
        while data:
            if self._object.eof:
                self._object = zlib.decompressobj(wbits=47)
            try:
                piece = self._object.decompress(data, _MEBIBYTE)
            except zlib.error as error:
                raise _Damaged(str(error)) from error
            if piece:
                yield piece
            data = self._object.unused_data if self._object.eof else self._object.unconsumed_tail


def _decoder(encoding: str, url: str) -> _Plain | _Compressed:
    told = encoding.strip().lower()
    if told in ("", "identity"):
        return _Plain()
    if told in ("gzip", "x-gzip", "deflate"):
        return _Compressed()
    raise NotGot("unknown_encoding", f"the file is encoded as {told!r}, and gzip or nothing was asked for", url=url)
