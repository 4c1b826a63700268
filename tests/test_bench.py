"""trainer/bench_networks.json is what the studies in search_spaces/ say at their middle."""
import json
import os
import sys

from harness import TOP, TUNER, check, finish

sys.path.insert(0, os.path.join(TOP, "bench"))
import shipped

with open(os.path.join(TOP, "trainer", "bench_networks.json")) as file:
    text = file.read()
studies = sorted(os.path.splitext(name)[0] for name in os.listdir(f"{TOP}/search_spaces"))
check("trainer/bench_networks.json has every study",
      [row["study"] for row in json.loads(text)] == studies, text)
check("trainer/bench_networks.json is what bench/shipped.py prints now",
      text == shipped.text(shipped.shipped(TUNER)),
      "make && bench/shipped.py > trainer/bench_networks.json")
finish()
