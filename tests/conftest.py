"""Fixtures that tests of several rooms share: the published files, the demonstration country, their deprivation tables."""

pytest_plugins = [
    "tests.fixtures.readings",
    "tests.fixtures.deprivation_files",
    "tests.fixtures.object_store",
    "tests.fixtures.observed_windows",
    "tests.published_files",
]
