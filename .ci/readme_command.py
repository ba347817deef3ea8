"""Prints the N-th shell command of the README's section "Start" (from 1), for .ci/run to run as it stands."""

import re
import sys
from pathlib import Path

section = Path("README.md").read_text(encoding="utf-8").split("\n## ")[1]
commands = re.findall(r"```sh\n(.*?)\n```", section, re.DOTALL)
print(commands[int(sys.argv[1]) - 1])
