"""Folders by URL: what an object store is asked for, and the sentence for each way in which it may say no.

What belongs here: telling a URL from a path, and reading, writing, listing and deleting whole objects. What does not: what
is kept there (`raw_by_url`, `frames_by_url`, `releases_by_url`), and local folders, which need none of this (`durable`).

An object is there whole or not at all, and that is all that is relied on: there are no renames, locks and links. One write
may ask that nobody was there first (`create`); a store that does not know this condition writes all the same.

The protocols are those of fsspec, which is loaded when a URL is used and not before. Which server and whose account is
told to its library by the environment, such as `AWS_ENDPOINT_URL` and `AWS_PROFILE`, and never by the URL.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import importlib
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pipeline.errors import Refusal

EXTRA = "care-numbers[object-store]"
_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*://")
_FILE = "file"
_NOT_SAID = "none"
_UNREACHABLE = {"EndpointConnectionError", "ConnectTimeoutError", "HTTPClientError", "TimeoutError", "ConnectionError"}
_NO_CREDENTIALS = {"NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "ProfileNotFound"}
_TAKEN = {"PreconditionFailed", "ConditionalRequestConflict"}
# A person waits for the sentence, so the library's own patience, minutes, is cut short.
_OPTIONS: dict[str, dict[str, Any]] = {
    "s3": {"config_kwargs": {"connect_timeout": 5, "read_timeout": 60, "retries": {"max_attempts": 3}}}
}


@dataclass(frozen=True)
class Object:
    """One object of a listing; `version` is another whenever its content is, `changed_at` by the clock of the store."""

    bytes: int
    version: str
    changed_at: dt.datetime | None


# ---------------------------------------------------------------------------------------------------------------------
# URLs


def is_url(text: str) -> bool:
    """Whether a text is a URL and not a path, a folder of this machine included (`file://`)."""
    return _URL.match(text) is not None


def local_path(text: str) -> str | None:
    """The path of the folder of this machine that a path or a `file://` URL names, None for a folder elsewhere.

    Raises Refusal for a URL that names another machine's files.
    """
    if not is_url(text):
        return text
    parts = urlsplit(text)
    if parts.scheme.lower() != _FILE:
        return None
    if parts.netloc not in ("", "localhost") or not parts.path:
        raise _bad_url("it does not name a folder of this machine", "write file:// and the whole path")
    return unquote(parts.path)


def tidy(url: str) -> str:
    """The URL as it is shown and kept: without a slash at the end.

    Raises Refusal where it carries more than a place. The refusal does not repeat it, as it may hold a secret.
    """
    parts = urlsplit(url)
    if "@" in parts.netloc:
        raise _bad_url(
            "it holds a name or a password",
            "give them to the library of the store by the environment, and the URL without",
        )
    if "?" in url or "#" in url:
        raise _bad_url("it has a query or a fragment", "give the URL of the folder alone")
    if not parts.netloc:
        raise _bad_url("it names no bucket", "write it as s3://bucket/folder")
    return url.rstrip("/")


def _bad_url(problem: str, remedy: str) -> Refusal:
    return Refusal("bad_url", f"the URL of this folder cannot be used: {problem}", remedy=remedy)


# ---------------------------------------------------------------------------------------------------------------------
# A store


def of(url: str) -> Store:
    """The folder at a URL. Nothing is asked of the store yet.

    Raises Refusal for an unknown protocol and where what speaks it is not installed.
    """
    url = tidy(url)
    protocol = urlsplit(url).scheme.lower()
    try:
        known = _OPTIONS.get(protocol, {})
        filesystem = importlib.import_module("fsspec").filesystem(protocol, use_listings_cache=False, **known)
    except ImportError:
        raise Refusal(
            "no_object_store",
            f"what speaks {protocol}:// is not installed",
            file=url,
            remedy=f"install it with pip install '{EXTRA}', or for another protocol than s3 the package of fsspec for it",
        ) from None
    except ValueError:
        raise _bad_url(f"nobody speaks {protocol}://", "use a path, file:// or s3://") from None
    return Store(url, filesystem)


class Store:
    """A folder of objects. Their names are below the folder, with forward slashes."""

    def __init__(self, url: str, filesystem: Any) -> None:
        self.url = url
        self._files = filesystem
        self._root = filesystem._strip_protocol(url)

    def below(self, name: str) -> Store:
        """A folder in it."""
        return Store(f"{self.url}/{name}", self._files)

    def listed(self) -> dict[str, Object]:
        """Every object of the folder and below, by name, sorted. Empty where there is none."""
        with self._refusing():
            found = self._files.find(self._root, detail=True)
        prefix = f"{self._root}/"
        return {
            name.removeprefix(prefix): _object(facts)
            for name, facts in sorted(found.items())
            if name.startswith(prefix)
        }

    def read(self, name: str) -> bytes | None:
        """The content of an object, None where there is none."""
        with self._refusing():
            try:
                return bytes(self._files.cat_file(self._path(name)))
            except FileNotFoundError as error:
                if _code(error) == "NoSuchBucket":
                    raise
                return None

    def read_all(self, names: Collection[str]) -> dict[str, bytes]:
        """The contents of objects that are there, several at a time."""
        if not names:
            return {}
        paths = {self._path(name): name for name in names}
        with self._refusing():
            found = self._files.cat(list(paths))
        return {paths[path]: bytes(content) for path, content in found.items()}

    def write(self, name: str, content: bytes) -> None:
        """Put an object in place of the one that is there."""
        with self._refusing():
            self._files.pipe_file(self._path(name), content)

    def create(self, name: str, content: bytes) -> bool:
        """Put an object where there is none; False where there is one, which stays."""
        with self._refusing():
            try:
                self._files.pipe_file(self._path(name), content, mode="create")
            except FileExistsError:
                return False
            except OSError as error:
                if _code(error) in _TAKEN:
                    return False
                raise
        return True

    def upload(self, files: Mapping[str, Path]) -> None:
        """Put local files as objects of these names, several at a time and in no order."""
        if files:
            with self._refusing():
                self._files.put([str(path) for path in files.values()], [self._path(name) for name in files])

    def download(self, files: Mapping[str, Path]) -> None:
        """Write objects of these names to local files, several at a time."""
        if files:
            for path in files.values():
                path.parent.mkdir(parents=True, exist_ok=True)
            with self._refusing():
                self._files.get([self._path(name) for name in files], [str(path) for path in files.values()])

    def delete(self, names: Collection[str]) -> None:
        """Take objects away that are there."""
        if names:
            with self._refusing():
                self._files.rm([self._path(name) for name in names])

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

    @contextlib.contextmanager
    def _refusing(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            refusal = _why_not(error, self.url)
            if refusal is None:
                raise
            raise refusal from error


def _object(facts: Mapping[str, Any]) -> Object:
    version = facts.get("ETag") or facts.get("etag") or facts.get("md5Hash")
    changed = facts.get("LastModified") or facts.get("last_modified") or facts.get("created") or facts.get("mtime")
    if isinstance(changed, int | float):
        changed = dt.datetime.fromtimestamp(changed, dt.UTC)
    if not isinstance(changed, dt.datetime):
        changed = None
    elif changed.tzinfo is None:
        changed = changed.replace(tzinfo=dt.UTC)
    return Object(int(facts["size"] or 0), str(version or changed or _NOT_SAID).strip('"'), changed)


# ---------------------------------------------------------------------------------------------------------------------
# Why not. The libraries are not imported for their exceptions: those are known by their names.


def _why_not(error: Exception, url: str) -> Refusal | None:
    """The sentence for an error that a person can mend; None for a fault of the program."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if _code(error) == "NoSuchBucket":
        return Refusal(
            "no_bucket",
            "there is no such bucket",
            file=url,
            remedy="make it, or correct the URL; a bucket is never made by a run",
        )
    if isinstance(error, FileNotFoundError):
        return None  # whoever asked for an object knows what it means that there is none
    if kinds & _NO_CREDENTIALS:
        return Refusal(
            "no_credentials",
            "the store wants to know who asks, and nothing says so",
            file=url,
            remedy="set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, for the one who runs this",
        )
    if isinstance(error, PermissionError):
        return Refusal(
            "store_denied",
            f"the store does not allow it ({_code(error) or 'denied'})",
            file=url,
            remedy="let this account list, read, write and delete objects below the URL, or use another account",
        )
    if kinds & _UNREACHABLE:
        return Refusal(
            "store_unreachable",
            "the store does not answer",
            file=url,
            remedy="look at the network and, if it is set, at AWS_ENDPOINT_URL; what was published stays as it was",
        )
    if kinds & {"BotoCoreError", "ClientError"} or (isinstance(error, OSError) and _code(error)):
        return Refusal(
            "store_failed",
            f"the store did not do what it was asked ({_code(error) or type(error).__name__})",
            file=url,
            remedy="look at its own log, and run again; what was published stays as it was",
        )
    return None


def _code(error: BaseException | None) -> str:
    """The code that an S3 store gave, empty where it gave none."""
    response = getattr(error, "response", None) or getattr(getattr(error, "__cause__", None), "response", None)
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""
