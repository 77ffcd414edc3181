"""One chart as JSON on standard input, one SVG document on standard output."""

import json
from typing import BinaryIO

# Before the limits are set: the library writes a list of the system's fonts when it is loaded for the first time.
from klyx.charts.child.draw import Chart, draw
from klyx.confinement import confine


def main(request: str, source: BinaryIO, sink: BinaryIO) -> int:
    """Confine this process, then draw. `request` is JSON: `{"memory_bytes": ..., "seconds": ...}`."""
    limits = json.loads(request)
    confine(limits["memory_bytes"], limits["seconds"])
    sink.write(draw(Chart(**json.load(source))))
    sink.flush()
    return 0
