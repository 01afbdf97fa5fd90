"""The files for Swarm and Kubernetes are valid, and run the same services as compose.yaml, in the same way."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from contract.test_settings import CLASSES
from darkroom_contracts.queues import Queue
from darkroom_runtime.settings import PREFIX

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
OURS = sorted(name for name, service in COMPOSE.items() if "build" in service and "profiles" not in service)
SWARM: dict[str, Any] = yaml.safe_load((ROOT / "deploy/swarm.yaml").read_text())
KUBERNETES = ROOT / "deploy/kubernetes"
KEDA = "keda.sh/v1alpha1"
OLDEST, NEWEST = "1.28", "1.37"
"""The versions of Kubernetes that the manifests are checked for."""


def manifests() -> Iterator[dict[str, Any]]:
    for file in sorted(KUBERNETES.glob("*.yaml")):
        if file.name != "kustomization.yaml":
            yield from yaml.safe_load_all(file.read_text())


def named(kind: str) -> dict[str, dict[str, Any]]:
    return {document["metadata"]["name"]: document for document in manifests() if document["kind"] == kind}


def container(service: str) -> dict[str, Any]:
    [only] = named("Deployment")[service]["spec"]["template"]["spec"]["containers"]
    assert isinstance(only, dict)
    return only


def megabytes(size: str) -> float:
    size = re.sub(r"\$\{\w+:-(\w+)\}", r"\1", size)  # what it is by default
    number, unit = re.fullmatch(r"([\d.]+)([A-Za-z]+)", size).groups()  # type: ignore[union-attr]  # sizes all have one
    return float(number) * {"m": 1, "Mi": 1, "M": 1, "g": 1024, "Gi": 1024, "G": 1024}[unit]


def asked(command: list[str]) -> str:
    """A health check as one line of a shell."""
    return " ".join(part for part in command if part not in {"CMD", "CMD-SHELL", "sh", "-c"}).replace("$$", "$")


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize(
    "manifest",
    [document for document in manifests() if document["apiVersion"] != KEDA],
    ids=lambda document: f"{document['kind']} {document['metadata']['name']}",
)
def test_every_manifest_fits_the_schema_of_its_kind(manifest: dict[str, Any], version: str) -> None:
    kubernetes_validate.validate(manifest, version, strict=True)


def test_workers_are_scaled_by_the_length_of_the_queue_of_images() -> None:
    scaled = named("ScaledObject")["worker"]["spec"]
    assert scaled["scaleTargetRef"] == {"name": "worker"}
    assert 0 < scaled["minReplicaCount"] < scaled["maxReplicaCount"]
    [trigger] = scaled["triggers"]
    assert trigger["type"] == "redis"
    # KEDA takes strings only here. What it reads is LLEN of this key.
    assert all(isinstance(value, str) for value in trigger["metadata"].values())
    assert trigger["metadata"]["listName"] == Queue.IMAGES.value
    assert int(trigger["metadata"]["listLength"]) > 0
    redis = named("ConfigMap")["darkroom"]["data"]["DARKROOM_REDIS_URL"]
    assert redis == f"redis://{trigger['metadata']['address']}/{trigger['metadata']['databaseIndex']}"
    [secret] = named("TriggerAuthentication")[trigger["authenticationRef"]["name"]]["spec"]["secretTargetRef"]
    assert secret["parameter"] == "password"
    assert secret["key"] in named("Secret")[secret["name"]]["stringData"]


def test_each_service_of_ours_is_deployed_and_no_other() -> None:
    assert sorted(named("Deployment")) == sorted(SWARM["services"]) == OURS
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())
    applied = {file.name for file in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml", "secrets.example.yaml"}
    assert set(listed["resources"]) == applied
    assert {image["name"] for image in listed["images"]} == {container(service)["image"] for service in OURS}


@pytest.mark.parametrize("service", OURS)
def test_each_service_runs_as_it_does_in_compose(service: str) -> None:
    compose, swarm, pod = COMPOSE[service], SWARM["services"][service], container(service)
    assert compose["command"] == swarm["command"] == pod["command"]
    assert pod["image"] == compose["image"]
    assert f"/{compose['image']}:" in swarm["image"]
    memory = megabytes(compose["mem_limit"])
    assert megabytes(pod["resources"]["limits"]["memory"]) == memory
    assert megabytes(swarm["deploy"]["resources"]["limits"]["memory"]) == memory
    stop = compose.get("stop_grace_period")
    assert swarm.get("stop_grace_period") == stop
    grace = named("Deployment")[service]["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert stop is None or f"{grace}s" == stop
    remapped = {entry["name"]: entry["value"] for entry in pod.get("env", [])}.get("REMAP_SIGTERM")
    assert compose["environment"].get("REMAP_SIGTERM") == swarm["environment"].get("REMAP_SIGTERM") == remapped


@pytest.mark.parametrize("service", OURS)
def test_each_service_is_asked_for_its_health_as_in_compose(service: str) -> None:
    check = asked(COMPOSE[service]["healthcheck"]["test"])
    assert asked(SWARM["services"][service]["healthcheck"]["test"]) == check
    pod = container(service)
    if "ports" not in pod:
        assert asked(pod["livenessProbe"]["exec"]["command"]) == check
        assert pod["startupProbe"]["exec"] == pod["livenessProbe"]["exec"]
        return
    [port] = pod["ports"]
    assert check == f"darkroom-health {port['containerPort']} {pod['readinessProbe']['httpGet']['path']}"


@pytest.mark.parametrize("service", OURS)
def test_each_service_is_told_settings_that_exist_and_the_secrets_that_it_has_in_compose(service: str) -> None:
    known = {f"{PREFIX}{field.upper()}" for kind in CLASSES.values() for field in kind.model_fields}
    own = {f"{PREFIX}{field.upper()}" for field in CLASSES[service].model_fields}
    swarm, pod = SWARM["services"][service], container(service)
    told = [source for source in pod["envFrom"] if "secretRef" in source]
    secrets = {name for source in told for name in named("Secret")[source["secretRef"]["name"]]["stringData"]}
    assert set(named("ConfigMap")["darkroom"]["data"]) <= known
    assert {name for name in swarm["environment"] if name.startswith(PREFIX)} <= own
    uses_bucket = "storage_url" in CLASSES[service].model_fields
    for names in (secrets, {name.upper() for name in swarm["secrets"]}):
        assert {name for name in names if name.startswith(PREFIX)} <= own
        assert {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} <= names or not uses_bucket
        assert uses_bucket or not any(name.startswith("AWS_") for name in names)
    assert set(swarm["secrets"]) <= set(SWARM["secrets"])


def test_containers_write_nowhere_but_to_temporary_folders_and_have_no_rights() -> None:
    for service in OURS:
        pod = named("Deployment")[service]["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"]
        assert all("emptyDir" in volume for volume in pod["volumes"])
        [only] = pod["containers"]
        assert only["securityContext"]["readOnlyRootFilesystem"]
        assert only["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        swarm = SWARM["services"][service]
        assert swarm["read_only"]
        assert swarm["cap_drop"] == ["ALL"]
        assert all(volume.startswith("/") for volume in swarm.get("volumes", []))


def test_the_rules_for_the_bucket_are_valid_json_and_let_a_missing_blob_be_told_from_a_forbidden_one() -> None:
    [rule] = json.loads((ROOT / "deploy/s3-lifecycle.json").read_text())["Rules"]
    assert rule["AbortIncompleteMultipartUpload"]["DaysAfterInitiation"] >= 1
    [blobs, bucket] = json.loads((ROOT / "deploy/s3-policy.json").read_text())["Statement"]
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"} <= set(blobs["Action"])
    # With a condition on this, S3 says of a key that is not there that it is forbidden.
    assert (bucket["Action"], "Condition" in bucket) == ("s3:ListBucket", False)
