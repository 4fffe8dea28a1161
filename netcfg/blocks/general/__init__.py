"""The sections of `{General}`."""
