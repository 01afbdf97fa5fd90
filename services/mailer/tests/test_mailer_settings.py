"""The mailer's settings."""

import pytest
from darkroom_mailer.settings import MailerSettings
from pydantic import ValidationError


def test_the_mailer_needs_no_settings() -> None:
    settings = MailerSettings()
    assert (settings.smtp_host, settings.smtp_port, settings.smtp_security) == ("127.0.0.1", 1025, "none")
    assert str(settings.public_url) == "http://127.0.0.1:8000/"
    assert settings.mail_retry_period == 24 * 3600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mail_from", "ada@example.org\r\nBcc: eve@example.org"),
        ("mail_from", "Ada <ada@example.org>"),
        ("mail_from_name", "Ada\r\nBcc: eve@example.org"),
        ("time_zone", "Europe/Atlantis"),
        ("time_zone", "../etc/passwd"),
        ("smtp_security", "ssl"),
        ("smtp_port", 70_000),
        ("newsletter_rate", 0),
        ("public_url", "darkroom"),
    ],
)
def test_a_wrong_setting_is_refused(name: str, value: object) -> None:
    with pytest.raises(ValidationError) as error:
        MailerSettings.model_validate({name: value})
    assert error.value.errors()[0]["loc"] == (name,)


def test_no_password_is_shown() -> None:
    assert "s3cret" not in repr(MailerSettings.model_validate({"smtp_password": "s3cret", "secret_key": "s3cret"}))
