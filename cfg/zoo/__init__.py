"""Published networks, whole: what `netcfg zoo` lists."""
