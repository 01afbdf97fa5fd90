"""The setting of the bucket, and the addresses that are signed for it."""

from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from darkroom_records.aws_settings import AwsSettings
from darkroom_records.s3_location import S3Location
from darkroom_records.s3_signing import signed_url
from darkroom_records.storage import StorageSettings
from darkroom_runtime.settings import describe
from pydantic import SecretStr, ValidationError

NOW = datetime(2026, 11, 25, 3, 4, 5, tzinfo=UTC)


def test_a_setting_is_read_with_all_its_parts() -> None:
    url = (
        "s3://my-bucket/some/where?endpoint=http://minio:9000/&region=eu-central-1"
        "&public_endpoint=https://files.example.org&addressing=virtual"
    )
    assert S3Location.of(url) == S3Location(
        bucket="my-bucket",
        prefix="some/where",
        endpoint="http://minio:9000",
        public_endpoint="https://files.example.org",
        region="eu-central-1",
        virtual=True,
    )


def test_a_bucket_alone_is_enough() -> None:
    assert S3Location.of("s3://bucket") == S3Location.of("s3://bucket/") == S3Location("bucket")


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("/data/blobs", "Expected s3://bucket/prefix"),
        ("https://bucket.s3.amazonaws.com", "Expected s3://bucket/prefix"),
        ("s3://", "The bucket needs"),
        ("s3://My_Bucket", "The bucket needs"),
        ("s3://user:password@bucket", "The bucket needs"),
        ("s3://bucket/a//b", "The prefix may have"),
        ("s3://bucket/a b", "The prefix may have"),
        ("s3://bucket?endpoint=minio:9000", "endpoint needs to be an address"),
        ("s3://bucket?endpoint=https://user:password@minio", "endpoint needs to be an address"),
        ("s3://bucket?region=EU", "The region may have"),
        ("s3://bucket?addressing=host", "addressing is path or virtual"),
        ("s3://bucket?endpiont=https://minio", "Unknown parameter: endpiont"),
    ],
)
def test_a_wrong_setting_is_refused_with_a_sentence(url: str, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        StorageSettings(storage_url=url)
    [sentence] = describe(caught.value)
    assert sentence.startswith(f"The setting DARKROOM_STORAGE_URL is wrong: {reason}")


@pytest.mark.parametrize("token", [None, "a/session+token="])
@pytest.mark.parametrize("key", ["groups/0f/out/3", "a b/ü+c"])
def test_addresses_are_signed_as_by_the_vendor(token: str | None, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("botocore.auth.get_current_datetime", lambda: NOW.replace(tzinfo=None))
    secret = SecretStr(token) if token else None
    url = signed_url(
        S3Location.of("s3://bucket/some/where?endpoint=http://minio:9000&region=eu-central-1"),
        AwsSettings(access_key_id="AKID", secret_access_key=SecretStr("se/cret"), session_token=secret),
        key,
        query={
            "response-content-disposition": "inline; filename*=UTF-8''%C3%BC.png",
            "response-content-type": "image/png",
        },
        seconds=300,
        now=NOW,
    )
    assert url is not None
    plain, _, query = url.partition("?")
    given = {name: values[0] for name, values in parse_qs(query).items() if name.startswith("response-")}
    request = AWSRequest("GET", plain, params=given)
    S3SigV4QueryAuth(Credentials("AKID", "se/cret", token), "s3", "eu-central-1", expires=300).add_auth(request)
    assert parse_qs(query) == parse_qs(urlsplit(request.url).query)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("s3://bucket/p?region=eu-west-1", "https://s3.eu-west-1.amazonaws.com/bucket/p/a/1"),
        ("s3://bucket?region=eu-west-1&addressing=virtual", "https://bucket.s3.eu-west-1.amazonaws.com/a/1"),
        ("s3://bucket?endpoint=http://minio:9000", "http://minio:9000/bucket/a/1"),
        (
            "s3://bucket?endpoint=http://minio&public_endpoint=https://example.org/s3",
            "https://example.org/s3/bucket/a/1",
        ),
        ("s3://bucket?endpoint=https://bucket.example.org&addressing=virtual", "https://bucket.example.org/a/1"),
    ],
)
def test_addresses_name_the_server_that_clients_reach(url: str, address: str) -> None:
    keys = AwsSettings(access_key_id="AKID", secret_access_key=SecretStr("secret"))
    signed = signed_url(S3Location.of(url), keys, "a/1", query={}, seconds=300, now=NOW)
    assert signed is not None
    assert signed.partition("?")[0] == address


def test_without_keys_of_its_own_nothing_is_signed() -> None:
    assert signed_url(S3Location("bucket"), AwsSettings(), "a/1", query={}, seconds=300, now=NOW) is None
