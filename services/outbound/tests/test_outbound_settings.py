from pathlib import Path

import pytest
import trustme
from darkroom_outbound.settings import OutboundSettings
from darkroom_runtime.settings import describe
from pydantic import ValidationError

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DARKROOM_OUTBOUND_ALLOW", "nas.local, 192.168.1.0/24")
    monkeypatch.setenv("DARKROOM_OUTBOUND_HOSTS", "example.com,*.example.com,")
    monkeypatch.setenv("DARKROOM_WEBHOOK_SECRET", f"{SECRET},{SECRET}")
    settings = OutboundSettings()
    assert settings.outbound_allow == ("nas.local", "192.168.1.0/24")
    assert settings.outbound_hosts == ("example.com", "*.example.com")
    assert len(settings.webhook_keys) == 2
    assert SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("OUTBOUND_ALLOW", "10.0.0.0/33", "'10.0.0.0/33' is not a network"),
        ("OUTBOUND_ALLOW", "nas.local:80", "is not a host"),
        ("OUTBOUND_HOSTS", "10.0.0.0/8", "is not a host"),
        ("OUTBOUND_PROXY", "proxy:password", "the URL of a proxy"),
        ("OUTBOUND_CA", "/nowhere/ca.pem", "a file of certificates"),
        ("WEBHOOK_SECRET", "s3cret", "begins with whsec_"),
    ],
)
def test_a_wrong_setting_is_named_with_what_was_expected(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"DARKROOM_{name}", value)
    with pytest.raises(ValidationError) as wrong:
        OutboundSettings()
    (sentence,) = describe(wrong.value)
    assert sentence.startswith(f"The setting DARKROOM_{name}")
    assert words in sentence


def test_an_own_authority_is_read_at_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("DARKROOM_OUTBOUND_CA", str(tmp_path / "ca.pem"))
    assert OutboundSettings().outbound_ca == tmp_path / "ca.pem"
