"""Which tests need more than a moment, and what for: the one place that says it.

What belongs here: files of tests by what they need. What does not: skipping a test where something is missing, which each
file says itself. `tests/conftest.py` marks the tests by these lists:

* `make test-quick` takes `tests/pipeline` without `long`, `slow` and `whole`: what to run between two changes;
* `make test` leaves out `long`: what to run before a commit;
* `make test-long` runs what is left out there; `.ci/run` runs both.
"""

from __future__ import annotations

# Minutes, or what a small machine may not have.
LONG = {
    "servers: the UI, the daemon, a code location, PostgreSQL, an object store, a proxy": (
        "whole_runs/test_by_url.py",
        "whole_runs/test_confidential_nights.py",
        "whole_runs/test_deployment.py",
        "whole_runs/test_postgres.py",
        "whole_runs/test_services.py",
        "whole_runs/test_ui.py",
    ),
    "processes of their own that are killed, starved or worked on apart": (
        "hostile/test_hostile_run.py",
        "whole_runs/test_apart.py",
        "whole_runs/test_fetched_run.py",
        "whole_runs/test_publications.py",
    ),
    "a copy that is built and installed": ("whole_runs/test_installed_copy.py",),
    "a browser": ("browser/test_pages_in_a_browser.py",),
    "many runs, one after the other": (
        "assets/test_node_by_node.py",
        "pipeline/regression/test_planted_coefficients.py",
        "soak/test_soak_short.py",
    ),
}

# Seconds each: too many for the quick run.
SLOW = {
    "downloads from an imitation of the publishers": (
        "fetch/test_fetch_behaviours.py",
        "fetch/test_fetch_runs.py",
        "test_audit.py",
    ),
    "all published files, or hundreds of spoilt ones": (
        "fuzz/test_fuzz_short.py",
        "fuzz/test_reader_properties.py",
        "guards/test_guards_stand.py",
        "hostile/test_hostile_files.py",
        "hostile/test_hostile_words.py",
        "pipeline/readers/test_harmless_changes.py",
        "pipeline/test_alternates.py",
        "pipeline/test_deprivation.py",
        "pipeline/test_exclusions.py",
        "pipeline/test_exposures.py",
        "pipeline/test_sources.py",
        "pipeline/test_summary.py",
    ),
    "many resampled fits": (
        "pipeline/regression/test_coefficients.py",
        "pipeline/regression/test_fits.py",
        "pipeline/regression/test_models.py",
        "pipeline/regression/test_resampling.py",
        "pipeline/regression/test_specification_curve.py",
        "pipeline/regression/test_units.py",
        "pipeline/regression/test_univariate.py",
    ),
    "a demonstration country": (
        "pipeline/demonstration/test_covariate_files.py",
        "pipeline/demonstration/test_demonstration.py",
    ),
    "a finished database, or its pictures and pages": (
        "pipeline/report/test_site.py",
        "pipeline/test_charts.py",
        "pipeline/test_profile.py",
        "pipeline/test_publish.py",
        "pipeline/test_releases.py",
        "pipeline/test_releases_by_url.py",
        "pipeline/test_stores.py",
    ),
    "the whole of the project's text": ("pipeline/test_error_catalogue.py", "test_house.py", "test_words.py"),
}


def files(group: dict[str, tuple[str, ...]]) -> set[str]:
    """All files of a group, as paths below `tests`."""
    return {file for own in group.values() for file in own}
