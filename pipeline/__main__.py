import sys

if not sys.flags.safe_path:
    # `python -m` has put the current folder first: a site, which may hold a `calendar.py` or a `web/` of its own.
    del sys.path[0]

from pipeline.commands.main import main

main()
