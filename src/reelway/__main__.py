"""`python -m reelway`: the command line."""

import sys

from reelway.cli import main

sys.exit(main())
