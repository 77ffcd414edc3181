"""How many connections each process of a server has open, in memory that all of them see."""

from __future__ import annotations

import mmap

_ABSENT = -1
_INT_BYTES = 4
MOST_PROCESSES = 64


class OpenConnections:
    """Made by the process that starts the others, which gives each a place before it is forked."""

    def __init__(self, places: int = MOST_PROCESSES) -> None:
        # Anonymous memory stays shared by whoever is forked later.
        self._counts = memoryview(mmap.mmap(-1, places * _INT_BYTES)).cast("i")
        self._free = list(range(places))
        for index in self._free:
            self._counts[index] = _ABSENT

    def take_place(self) -> Place | None:
        """For the next process; None when all are taken."""
        return Place(self, self._counts, self._free.pop()) if self._free else None

    def give_back(self, index: int) -> None:
        self._counts[index] = _ABSENT
        self._free.append(index)


class Place:
    """One process's own count, and what it sees of the others'."""

    def __init__(self, places: OpenConnections, counts: memoryview[int], index: int) -> None:
        self._places = places
        self._counts = counts
        self._index = index

    def tell(self, count: int) -> None:
        """From now on this process takes connections and has so many."""
        self._counts[self._index] = count

    def leave(self) -> None:
        """It takes no more of them."""
        self._counts[self._index] = _ABSENT

    def give_back(self) -> None:
        """Called where it was taken, once the process has ended, however it did."""
        self._places.give_back(self._index)

    def another_has_fewer_than(self, count: int) -> bool:
        return any(_ABSENT < other < count for other in self._counts)
