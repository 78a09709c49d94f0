"""What is earlier and what is later in a log that is not in memory."""

from collections.abc import Sequence

import numpy as np

from simulator.logs.log import Floats, LogError
from simulator.streams.pieces import Piece, Reader


class Times:
    """The times of a log whose pieces are in order, read where they are needed."""

    def __init__(self, reader: Reader, pieces: Sequence[Piece]) -> None:
        self._reader, self._pieces = reader.briefly, pieces
        self._read: dict[Piece, Floats] = {}

    @property
    def n(self) -> int:
        return self._pieces[-1].first + self._pieces[-1].rows

    def cut(self, share: float) -> tuple[int, float]:
        """How many rounds are the earlier `share`, cut at the nearest place between two different times, and the last
        time before it. As `Log.split`. Raises LogError where all times are the same.
        """
        target = share * self.n
        first = last = next(place for place, one in enumerate(self._pieces) if target < one.first + one.rows)
        while True:
            times = np.concatenate([self._of(piece) for piece in self._pieces[first : last + 1]])
            start, end = self._pieces[first].first, self._pieces[last].first + self._pieces[last].rows
            cuts = np.flatnonzero(np.diff(times) > 0.0) + 1
            before, after = target - start, end - target  # how far it was looked
            if first == 0:
                before = np.inf
            if last == len(self._pieces) - 1:
                after = np.inf
            if cuts.size:
                cut = int(cuts[np.argmin(np.abs(cuts + start - target))])
                if abs(cut + start - target) < min(before, after):
                    return cut + start, float(times[cut - 1])
            elif before == after == np.inf:
                raise LogError(
                    self._reader.name,
                    [f"all {self.n} rounds have the same time: earlier and later can't be told"],
                )
            first, last = max(0, first - 1), min(len(self._pieces) - 1, last + 1)

    def later_than(self, time: float) -> int:
        """How many rounds are later."""
        found = self.n
        for piece in self._pieces:
            earlier = int(np.searchsorted(self._of(piece), time, side="right"))
            found -= earlier
            if earlier < piece.rows:
                break
        return found

    def _of(self, piece: Piece) -> Floats:
        if piece not in self._read:
            times = [log.times for log in self._reader.parts(piece)]
            self._read = {**dict(list(self._read.items())[-4:]), piece: np.concatenate(times)}
        return self._read[piece]
