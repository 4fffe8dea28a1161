"""Which samples an epoch shows: a file each, called as the section."""
