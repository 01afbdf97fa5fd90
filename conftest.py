"""What holds for all tests."""

import signal

from hypothesis import settings

# Its deadline of 200 ms per example fails tests by chance on a busy machine.
settings.register_profile("darkroom", deadline=None)
settings.load_profile("darkroom")

# A shell that starts tests in the background makes them ignore Ctrl-C, and so would all that they start.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
