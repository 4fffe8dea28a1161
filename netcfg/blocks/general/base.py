"""What a section of `{General}` is."""

from typing import ClassVar

from netcfg.blocks.base import Group, Section


class General(Section):
    """A section of `{General}`."""

    group: ClassVar[Group] = "general"
    family: ClassVar[str] = "general"
