"""The helpers of the tests of the optimizers serve here too."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parents[1] / "optim"))
