"""Why a mail is not written."""


class NotWantedError(Exception):
    """There is no need for the mail any more. That is no failure."""


class NothingToSendError(Exception):
    """What the mail was to carry is gone."""
