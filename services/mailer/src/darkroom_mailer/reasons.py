"""Why an email is not written."""


class NotWantedError(Exception):
    """There is no need for the email any more. That is no failure."""


class NothingToSendError(Exception):
    """What the email was to carry is gone."""
