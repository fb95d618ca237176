"""One Hypothesis profile for all: no clock on an example, since machines that test are shared."""

from hypothesis import settings

settings.register_profile("touchstone", deadline=None, print_blob=True)
settings.load_profile("touchstone")
