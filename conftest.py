"""How Hypothesis runs in all tests."""

from hypothesis import settings

# Its deadline of 200 ms per example fails tests by chance on a busy machine.
settings.register_profile("darkroom", deadline=None)
settings.load_profile("darkroom")
