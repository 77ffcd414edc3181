"""Entry point of the child."""

import importlib
import sys
import types
from pathlib import Path

CHILD = Path(__file__).resolve().parent

# Empty stand-ins for the parent packages: their own __init__ would load the whole application.
for name, folder in (("klyx", CHILD.parents[1]), ("klyx.charts", CHILD.parent)):
    package = types.ModuleType(name)
    package.__path__ = [str(folder)]
    sys.modules[name] = package
del sys.path[0]

run = importlib.import_module("klyx.charts.child.run")
raise SystemExit(run.main(sys.argv[1], sys.stdin.buffer, sys.stdout.buffer))
