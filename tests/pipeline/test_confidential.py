"""How an address and a text are shown without the secrets in them.

What belongs here: the two functions, case by case. What does not: that nothing leaks from a whole night
(`tests/whole_runs/test_confidential_nights`).
"""

from __future__ import annotations

import pytest

from pipeline import confidential
from pipeline.errors import Refusal

SECRET = "Tr0ub4dor-canary"


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://files.example/a.csv", "https://files.example/a.csv"),
        (f"https://ann:{SECRET}@files.example:8443/a.csv", "https://files.example:8443/a.csv"),
        (f"https://{SECRET}@files.example/a.csv", "https://files.example/a.csv"),
        (f"https://files.example/a.csv?sig={SECRET}&page=2", "https://files.example/a.csv?sig=…&page=2"),
        (f"https://files.example/a.csv?{SECRET}", "https://files.example/a.csv?…"),
        (f"https://files.example/a.csv#{SECRET}", "https://files.example/a.csv"),
        (f"s3://key:{SECRET}@bucket/releases", "s3://bucket/releases"),
        (f"https://[{SECRET}/a", "…"),
        ("https://files.example/list?page=1&pageSize=100", "https://files.example/list?page=1&pageSize=100"),
    ],
)
def test_an_address_is_shown_without_its_secrets(url: str, shown: str) -> None:
    assert confidential.address(url) == shown


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARE_NUMBERS_POSTGRES_PASSWORD", SECRET),
        ("CARE_NUMBERS_WEBHOOK", SECRET),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("AWS_SESSION_TOKEN", SECRET),
        ("https_proxy", f"http://ann:{SECRET}@proxy.example:3128"),
        ("GOVUK_URL", f"https://mirror.example/www?sig={SECRET}"),
        ("GOVUK_URL", f"https://mirror.example/www?{SECRET}"),
        ("CARE_NUMBERS_OUT", f"s3://ann:{SECRET}@bucket/out"),
    ],
)
def test_a_secret_of_the_environment_is_taken_out_of_a_text(name: str, value: str) -> None:
    told = confidential.scrubbed(f"it could not be reached with {SECRET} at noon", {name: value})
    assert told == "it could not be reached with … at noon"


def test_what_only_begins_like_an_address_is_a_secret_as_a_whole() -> None:
    value = f"https://[{SECRET}"
    assert confidential.scrubbed(f"{value} is no address", {"GOVUK_URL": value}) == "… is no address"


def test_a_quoted_secret_is_taken_out_in_both_forms() -> None:
    environment = {"https_proxy": "http://ann:p%40ss-w%C3%B6rd@proxy.example"}
    told = confidential.scrubbed("first p@ss-wörd, then p%40ss-w%C3%B6rd", environment)
    assert told == "first …, then …"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARE_NUMBERS_POSTGRES_PASSWORD", "noon"),
        ("CARE_NUMBERS_POSTGRES_PASSWORD", ""),
        ("CARE_NUMBERS_DATA", "reached"),
    ],
)
def test_what_is_no_secret_stays(name: str, value: str) -> None:
    """A short word would make holes in every sentence, and a folder is none."""
    text = "it could not be reached at noon"
    assert confidential.scrubbed(text, {name: value}) == text


def test_no_refusal_tells_a_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it was given: some library's sentence, or the setting itself."""
    monkeypatch.setenv("CARE_NUMBERS_WEBHOOK", f"https://hooks.example/{SECRET}")
    monkeypatch.setenv("CARE_NUMBERS_POSTGRES_PASSWORD", SECRET)
    refusal = Refusal(
        "any", f"a problem with {SECRET}", remedy=f"not {SECRET}", file=f"{SECRET}.csv", column=SECRET, value=SECRET
    )
    assert SECRET not in f"{refusal} {refusal.sentence()} {vars(refusal)} {refusal.args}"
    assert "a problem with …" in str(refusal)
