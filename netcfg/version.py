"""The version of netcfg, where everything can ask for it."""

VERSION = "0.1.0"

__all__ = ["VERSION"]
