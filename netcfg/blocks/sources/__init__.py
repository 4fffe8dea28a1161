"""Sources of data: a file each, called as the section."""
