"""`pipeline.fetch.addresses`: public addresses, those on the wire, and the ones that are refused."""

from __future__ import annotations

import pytest

from pipeline.errors import Refusal
from pipeline.fetch.addresses import ASSETS, EES_CONTENT, EES_SITE, GOVUK, Addresses

LOCAL = Addresses.from_environment(
    {
        "EES_CONTENT_URL": "http://127.0.0.1:4711/content/api/",
        "EES_SITE_URL": "http://127.0.0.1:4711/site",
        "ASSETS_URL": "http://127.0.0.1:4711",
    }
)


@pytest.mark.parametrize(
    ("public", "asked"),
    [
        (f"{EES_CONTENT}/publications/a", "http://127.0.0.1:4711/content/api/publications/a"),
        (f"{EES_CONTENT}?a=b", "http://127.0.0.1:4711/content/api?a=b"),
        (f"{EES_SITE}/data-catalogue", "http://127.0.0.1:4711/site/data-catalogue"),
        (f"{ASSETS}/media/a/b.csv", "http://127.0.0.1:4711/media/a/b.csv"),
        (f"{GOVUK}/api/content/a", f"{GOVUK}/api/content/a"),
    ],
)
def test_the_beginning_is_replaced_and_comes_back(public: str, asked: str) -> None:
    assert LOCAL.asked(public) == asked
    assert LOCAL.public(asked) == public


def test_a_host_that_only_begins_alike_is_another_one() -> None:
    assert LOCAL.asked(f"{ASSETS}.elsewhere.example/a") == f"{ASSETS}.elsewhere.example/a"


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("//assets.publishing.service.gov.uk/media/b", f"{ASSETS}/media/b"),
        ("/media/b", f"{ASSETS}/media/b"),
        ("b", f"{ASSETS}/media/b"),
        ("http://127.0.0.1:4711/media/b", f"{ASSETS}/media/b"),
        ("https://www.gov.uk/b", f"{GOVUK}/b"),
    ],
)
def test_a_location_is_understood_in_the_public_form(location: str, found: str) -> None:
    assert LOCAL.found_at(location, f"{ASSETS}/media/a") == found


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("http://www.gov.uk/a", "https"),
        ("ftp://www.gov.uk/a", "https"),
        ("https://elsewhere.example/a", "elsewhere.example"),
        ("https://www.gov.uk.elsewhere.example/a", "elsewhere.example"),
        ("https://somebody:secret@www.gov.uk/a", "password"),
        ("https:///a", "no host"),
        ("/a", "scheme"),
        ("http://127.0.0.1:1/a", "127.0.0.1"),
    ],
)
def test_what_may_not_be_asked(url: str, word: str) -> None:
    assert word in (Addresses().problem(url) or "")


def test_what_may_be_asked() -> None:
    assert Addresses().problem("https://www.gov.uk/a") is None
    assert LOCAL.problem("http://127.0.0.1:4711/elsewhere") is None
    more = Addresses.from_environment({"CARE_NUMBERS_FETCH_HOSTS": " Storage.example, other.example ,"})
    assert more.more_hosts == {"storage.example", "other.example"}
    assert more.problem("https://storage.example/a") is None
    assert more.problem("http://storage.example/a") is not None


@pytest.mark.parametrize("chosen", ["http://elsewhere.example", "elsewhere.example", "file:///a", "https://"])
def test_a_base_that_is_no_https_address_is_refused(chosen: str) -> None:
    with pytest.raises(Refusal) as caught:
        Addresses.from_environment({"GOVUK_URL": chosen})
    assert caught.value.code == "bad_base_url" and "GOVUK_URL" in caught.value.problem
