"""``python -m otel_feedback.cli``."""

import sys

from otel_feedback.cli import main

sys.exit(main())
