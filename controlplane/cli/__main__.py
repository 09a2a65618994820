"""``python -m controlplane.cli``, where there is no program of the name ``freshline``."""

import sys

from controlplane.cli.main import main

sys.exit(main())
