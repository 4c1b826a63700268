"""A little of each fault that `make torture` injects by the thousand."""
import harness
from torture import KINDS

for torture in KINDS.values():
    torture(long=False)
harness.finish()
