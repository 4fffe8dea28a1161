"""`python -m netcfg`."""

from netcfg.cli.main import main

raise SystemExit(main())
