"""The files of deploy/: what they promise, held to what is in the repository and to the schemas that can be had here.

What belongs here: container file, Compose file, Kubernetes values and manifests as texts. What does not: starting what they
describe (`tests/whole_runs/test_deployment`).
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import yaml

from tests.test_house import PROJECT, repository_files, text_of

DEPLOY = PROJECT / "deploy"
OWN = ("code", "webserver", "daemon")
EXTRAS = ("ui", "postgres", "dask", "kubernetes", "object-store")


def instructions() -> list[tuple[str, str]]:
    """Word and rest of every instruction of the container file, with what was continued joined."""
    text = re.sub(r"\\\n\s*", " ", text_of("deploy/Containerfile"))
    lines = [line.strip() for line in text.splitlines()]
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line and not line.startswith("#")]


def of(word: str) -> list[str]:
    return [rest for name, rest in instructions() if name == word]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load(text_of("deploy/compose.yaml"))


@pytest.fixture(scope="module")
def values() -> dict[str, Any]:
    return yaml.safe_load(text_of("deploy/kubernetes/values.yaml"))


# ---------------------------------------------------------------------------------------------------------------------
# The image


def locked(name: str) -> dict[str, set[str]]:
    """Requirement with its marker -> its hashes."""
    joined = text_of(name).replace("\\\n", " ")
    found = {}
    for line in joined.splitlines():
        if "==" in line:
            requirement = line.split("--hash")[0].strip()
            found[requirement.split(";")[0].strip()] = set(re.findall(r"sha256:[0-9a-f]{64}", line))
    return found


def test_the_image_installs_a_part_of_what_is_locked_for_everybody() -> None:
    """Same versions, same hashes: what was tested is what runs."""
    image, everything = locked("deploy/requirements.lock"), locked("requirements.lock")
    assert len(image) > 80
    assert {name: hashes for name, hashes in image.items() if everything.get(name) != hashes} == {}
    assert all(image.values())


def test_the_image_has_every_extra_and_no_tool_of_developers() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    names = {_name(line) for line in locked("deploy/requirements.lock")}
    wanted = {_name(line) for line in project["dependencies"]}
    wanted |= {_name(line) for extra in EXTRAS for line in project["optional-dependencies"][extra]}
    assert wanted <= names, wanted - names
    builds = {_name(line) for line in text_of("deploy/build.in").splitlines() if line and not line.startswith("#")}
    assert builds == {_name(line) for line in tomllib.loads(text_of("pyproject.toml"))["build-system"]["requires"]}
    assert not (names - builds) & ({_name(line) for line in project["optional-dependencies"]["dev"]} - builds - wanted)
    assert not names & {"pytest", "mypy", "ruff", "playwright", "moto"}


def _name(requirement: str) -> str:
    return re.split(r"[\[<>=~!;\s]", requirement.strip())[0].lower().replace("_", "-")


def test_the_image_is_pinned_hash_checked_and_not_root() -> None:
    (base,) = of("ARG")
    assert re.fullmatch(r"BASE=docker\.io/library/python:3\.11-slim-bookworm(@sha256:[0-9a-f]{64})?", base)
    assert [stage.split()[0] for stage in of("FROM")] == ["${BASE}", "${BASE}"]
    installs = [line for line in of("RUN") if '"install"' in line and "pip" in line]
    assert len(installs) == 2
    assert all("--require-hashes" in line or ("--no-deps" in line and "--no-index" in line) for line in installs)
    (user,) = of("USER")
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)  # numbers: Kubernetes can tell that it is not root
    assert of("HEALTHCHECK") and len(of("CMD")) == 1
    for line in [*of("ENV"), *of("ARG")]:
        assert not re.search(r"PASSWORD|SECRET|TOKEN|WEBHOOK", line)


def copied() -> list[str]:
    """What the container file takes from the checkout."""
    return [source for line in of("COPY") if "--from" not in line for source in line.split()[:-1]]


def test_what_the_image_takes_is_there_and_nothing_else_is_sent() -> None:
    allowed = [line[1:] for line in text_of(".dockerignore").splitlines() if line.startswith("!")]
    assert text_of(".dockerignore").splitlines()[1] == "*"
    assert sorted(allowed) == sorted(set(copied()))
    for source in copied():
        assert any(name == source or name.startswith(f"{source}/") for name in repository_files()), source
    assert not [source for source in copied() if "published" in source or "processed" in source or source == "."]


def test_what_the_image_takes_suffices_to_build_the_wheel(tmp_path: Path) -> None:
    """The same command on the same files; the wheel holds the queries, the tables and the settings of Dagster."""
    folder, target = tmp_path / "build", tmp_path / "installed"
    for name in repository_files():
        if any(name == source or name.startswith(f"{source}/") for source in copied()):
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes((PROJECT / name).read_bytes())
    (line,) = [json.loads(line) for line in of("RUN") if "--no-build-isolation" in line]
    assert line[1:] == ["-m", "pip", "install", "--no-deps", "--no-index", "--no-build-isolation", "."]
    subprocess.run([sys.executable, *line[1:-1], "--quiet", "--target", target, "."], cwd=folder, check=True)
    shipped = target / "pipeline" / "_shipped"
    for name in ("sql/views", "reference/dfe_la_lookup.csv", "dagster.yaml", "dagster.postgres.yaml"):
        assert (shipped / name).exists(), name
    assert (target / "assets" / "definitions.py").exists()


def test_the_graph_loads_without_the_packages_of_the_extras() -> None:
    """Kubernetes, Dask, PostgreSQL and object stores are choices: whoever has not made them has not to install them."""
    hidden = ("dagster_k8s", "kubernetes", "dask", "distributed", "dagster_postgres", "psycopg2", "s3fs",
              "upath", "dagster_webserver")  # fmt: skip
    code = (
        "import sys\n"
        "class Hides:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {hidden!r}: raise ModuleNotFoundError(name)\n"
        "sys.meta_path.insert(0, Hides())\n"
        "import assets.definitions as graph, assets.command\n"
        "assert graph.defs.resolve_job_def('night')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=PROJECT)
    assert done.returncode == 0, done.stderr[-2000:]


# ---------------------------------------------------------------------------------------------------------------------
# Compose


def test_the_compose_file_fits_its_specification() -> None:
    """Held to the published schema where a tool that carries it is installed (check-jsonschema)."""
    if importlib.util.find_spec("check_jsonschema") is None:
        pytest.skip("check-jsonschema, which carries the schema of Compose files, is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_every_service_has_its_health_limits_and_no_more_rights_than_it_needs(compose: dict[str, Any]) -> None:
    assert set(compose["services"]) == {"postgres", *OWN}
    for name, service in compose["services"].items():
        assert service["healthcheck"]["test"][0] == "CMD" and service["healthcheck"]["start_period"], name
        assert set(service["deploy"]["resources"]["limits"]) == {"cpus", "memory"}, name
        assert service["restart"] == "unless-stopped"
    for name in OWN:
        service = compose["services"][name]
        assert service["read_only"] and service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["depends_on"]["postgres"] == {"condition": "service_healthy"}, name


def test_only_the_webserver_has_a_port_and_only_on_this_machine(compose: dict[str, Any]) -> None:
    ports = {name: service.get("ports", []) for name, service in compose["services"].items()}
    assert {name for name, open_ports in ports.items() if open_ports} == {"webserver"}
    assert all(port.startswith("127.0.0.1:") for port in ports["webserver"])
    assert compose["networks"]["inside"] == {"internal": True}
    assert compose["services"]["postgres"]["networks"] == ["inside"]


def test_the_secrets_come_from_the_environment(compose: dict[str, Any]) -> None:
    """Every variable of the file is in the example, no secret has a value in either, and the real one stays out."""
    text, example = text_of("deploy/compose.yaml"), text_of("deploy/.env.example")
    used = set(re.findall(r"\$\{(\w+)", text))
    given = dict(line.split("=", 1) for line in example.splitlines() if line and not line.startswith("#"))
    assert used == set(given)
    assert {name for name in given if re.search("PASSWORD|WEBHOOK", name)} == {
        "CARE_NUMBERS_POSTGRES_PASSWORD",
        "CARE_NUMBERS_WEBHOOK",
    }
    assert given["CARE_NUMBERS_POSTGRES_PASSWORD"] == given["CARE_NUMBERS_WEBHOOK"] == ""
    for service in compose["services"].values():
        for name, value in service["environment"].items():
            if re.search("PASSWORD|WEBHOOK", name):
                assert re.fullmatch(r"\$\{\w+:[?-][^}]*\}", value), (name, value)
    assert "${CARE_NUMBERS_POSTGRES_PASSWORD:?" in text  # without one it does not start
    done = subprocess.run(["git", "check-ignore", "--quiet", "deploy/.env"], cwd=PROJECT, check=False)
    assert done.returncode == 0


def test_the_services_find_each_other(compose: dict[str, Any]) -> None:
    """The workspace names the service and port of the code location; each service has all five settings of PostgreSQL."""
    (location,) = yaml.safe_load(text_of("deploy/code_locations.yaml"))["load_from"]
    server = location["grpc_server"]
    command = compose["services"][server["host"]]["command"]
    assert command[command.index("--port") + 1] == str(server["port"])
    wanted = {entry["env"] for entry in _settings_of_postgres().values() if isinstance(entry, dict)}
    for name in OWN:
        assert wanted <= set(compose["services"][name]["environment"]), name
    assert compose["services"]["code"]["environment"]["CARE_NUMBERS_POSTGRES_HOST"] in compose["services"]


def _settings_of_postgres() -> dict[str, Any]:
    return yaml.safe_load(text_of("dagster.postgres.yaml"))["storage"]["postgres"]["postgres_db"]


def test_what_services_write_is_a_volume(compose: dict[str, Any]) -> None:
    """Their file systems are read-only, and the folders of the image belong to the user it runs as."""
    made = " ".join(line for line in of("RUN") if '"install", "--directory"' in line)
    for name in OWN:
        for mount in compose["services"][name].get("volumes", []):
            volume, folder = mount.split(":")[:2]
            assert volume in compose["volumes"]
            assert f'"{folder}"' in made
    volumes = [mount.split(":")[1] for mount in compose["services"]["code"]["volumes"]]
    environment = dict(pair.split("=", 1) for line in of("ENV") for pair in line.split())
    assert {environment["CARE_NUMBERS_RAW"], environment["CARE_NUMBERS_OUT"]} <= set(volumes)
    assert f"{environment['DAGSTER_HOME']}/storage" in volumes
    assert compose["services"]["code"]["tmpfs"][0].split(":")[0] == environment["TMPDIR"]


# ---------------------------------------------------------------------------------------------------------------------
# Kubernetes


def manifests() -> list[dict[str, Any]]:
    return [
        document
        for name in ("storage.yaml", "night.yaml")
        for document in yaml.safe_load_all(text_of(f"deploy/kubernetes/{name}"))
    ]


def test_the_manifests_are_what_the_cluster_takes() -> None:
    """By the types of Kubernetes' own client, which Dagster reads strictly; kubernetes-validate where it is installed."""
    models = pytest.importorskip("dagster_k8s.models", reason="the extra care-numbers[kubernetes] is not installed")
    import kubernetes.client as client

    kinds = {"PersistentVolumeClaim": client.V1PersistentVolumeClaim, "CronJob": client.V1CronJob}
    for manifest in manifests():
        model = models.k8s_model_from_dict(
            kinds[manifest["kind"]], models.k8s_snake_case_dict(kinds[manifest["kind"]], manifest)
        )
        assert model.metadata.name.startswith("care-numbers-")
    if importlib.util.find_spec("kubernetes_validate"):
        import kubernetes_validate

        for manifest in manifests():
            kubernetes_validate.validate(manifest, "1.30", strict=True)


def test_the_night_of_a_cronjob_is_careful(values: dict[str, Any]) -> None:
    (night,) = [manifest for manifest in manifests() if manifest["kind"] == "CronJob"]
    claims = {manifest["metadata"]["name"] for manifest in manifests() if manifest["kind"] == "PersistentVolumeClaim"}
    assert (night["spec"]["concurrencyPolicy"], night["spec"]["timeZone"]) == ("Forbid", "Europe/London")
    pod = night["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert container["securityContext"]["readOnlyRootFilesystem"] and pod["securityContext"]["runAsNonRoot"]
    assert container["resources"]["requests"] and container["resources"]["limits"]
    own = _deployment(values)
    for volumes in (pod["volumes"], own["volumes"]):
        named = {
            volume["persistentVolumeClaim"]["claimName"] for volume in volumes if "persistentVolumeClaim" in volume
        }
        assert named == claims


def _deployment(values: dict[str, Any]) -> dict[str, Any]:
    (deployment,) = values["dagster-user-deployments"]["deployments"]
    return deployment


def test_the_values_hold_no_secret_and_name_those_of_the_cluster(values: dict[str, Any]) -> None:
    assert values["global"]["postgresqlSecretName"] and not values["generatePostgresqlPasswordSecret"]
    assert values["postgresql"]["postgresqlPassword"] == ""
    (secret,) = _deployment(values)["envSecrets"]
    assert f"create secret generic {secret['name']} " in text_of("deploy/kubernetes/values.yaml")
    for entry in _deployment(values)["env"]:
        assert not re.search("PASSWORD|WEBHOOK|SECRET|KEY", entry["name"])


def test_the_services_of_the_chart_have_probes_resources_and_no_root(values: dict[str, Any]) -> None:
    models = pytest.importorskip("dagster_k8s.models", reason="the extra care-numbers[kubernetes] is not installed")
    import kubernetes.client as client

    def read(kind: Any, manifest: dict[str, Any]) -> Any:
        return models.k8s_model_from_dict(kind, models.k8s_snake_case_dict(kind, manifest))

    user = of("USER")[0].split(":")[0]
    for service in (_deployment(values), values["dagsterWebserver"], values["dagsterDaemon"]):
        for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
            told = {name: value for name, value in service.get(probe, {}).items() if name != "enabled"}
            read(client.V1Probe, told)
        assert service["livenessProbe"] and service["startupProbe"]["enabled"]
        resources = read(client.V1ResourceRequirements, service["resources"])
        assert resources.requests and resources.limits
        context = read(client.V1PodSecurityContext, service["podSecurityContext"])
        assert context.run_as_non_root and str(context.run_as_user) == user
        read(client.V1SecurityContext, service["securityContext"])
        for volume in service.get("volumes", []):
            read(client.V1Volume, volume)
        for mount in service.get("volumeMounts", []):
            read(client.V1VolumeMount, mount)


def test_a_run_becomes_one_job_of_the_cluster(values: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What the chart writes into Dagster's settings, read by the launcher, and the manifest that it makes of that."""
    dagster_k8s = pytest.importorskip("dagster_k8s", reason="the extra care-numbers[kubernetes] is not installed")
    from dagster._config import process_config, resolve_to_config_type
    from dagster_k8s.container_context import K8sContainerContext
    from dagster_k8s.job import construct_dagster_k8s_job

    told = values["runLauncher"]
    assert told["type"] == "K8sRunLauncher"
    own = told["config"]["k8sRunLauncher"]
    settings = {  # as the chart's template has them
        "load_incluster_config": own["loadInclusterConfig"],
        "job_namespace": "care-numbers",
        "image_pull_policy": own["imagePullPolicy"],
        "service_account_name": "care-numbers",
        "dagster_home": values["global"]["dagsterHome"],
        "instance_config_map": "care-numbers-instance",
        "postgres_password_secret": values["global"]["postgresqlSecretName"],
        "fail_pod_on_run_failure": own["failPodOnRunFailure"],
        "run_k8s_config": {
            "container_config": own["runK8sConfig"]["containerConfig"],
            "pod_spec_config": own["runK8sConfig"]["podSpecConfig"],
            "job_spec_config": own["runK8sConfig"]["jobSpecConfig"],
        },
    }
    done = process_config(resolve_to_config_type(dagster_k8s.K8sRunLauncher.config_type()), settings)
    assert done.success, done.errors
    monkeypatch.setattr("kubernetes.config.load_incluster_config", lambda *_, **__: None)
    launcher = dagster_k8s.K8sRunLauncher(**done.value)
    deployment = _deployment(values)
    context = K8sContainerContext.create_from_config(
        {
            "k8s": {
                "image_pull_policy": deployment["image"]["pullPolicy"],
                "env_secrets": [secret["name"] for secret in deployment["envSecrets"]],
                "volumes": deployment["volumes"],
                "volume_mounts": deployment["volumeMounts"],
                "resources": deployment["resources"],
                "env": deployment["env"],
                "namespace": "care-numbers",
            }
        }
    )
    run: Any = SimpleNamespace(job_code_origin=None, tags={})
    launched = K8sContainerContext.create_for_run(run, launcher, include_run_tags=False).merge(context)
    image = f"{deployment['image']['repository']}:{deployment['image']['tag']}"
    job = construct_dagster_k8s_job(
        launched.get_k8s_job_config(image, launcher),
        args=["dagster", "api", "execute_run"],
        job_name="care-numbers-run",
        user_defined_k8s_config=launched.run_k8s_config,
        pod_name="care-numbers-run",
        component="run_worker",
    ).to_dict()
    pod = job["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert job["spec"]["active_deadline_seconds"] == 3600
    assert pod["security_context"]["run_as_non_root"] and container["image"] == image
    assert container["resources"]["limits"] == deployment["resources"]["limits"]
    assert {mount["mount_path"] for mount in container["volume_mounts"]} >= {
        mount["mountPath"] for mount in deployment["volumeMounts"]
    }
    (password,) = [entry for entry in container["env"] if entry["name"] == "DAGSTER_PG_PASSWORD"]
    assert password["value_from"]["secret_key_ref"]["name"] == values["global"]["postgresqlSecretName"]
