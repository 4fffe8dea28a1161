"""Which known name a writer most likely meant.

The work for one word does not grow with how many names are known, so that a file of wrong names costs as much as one
of right names.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping

SMALL = 64
"""So many names are all compared; of more, those that share the rarest runs of letters."""
MAX_SHARING = 400
MAX_COMPARED = 6
LISTED = 12

PREFIXES = ("anti", "de", "dis", "down", "in", "inverse_", "non", "pre", "re", "sub", "un", "up")
"""Two words of which one is the other behind one of these mean different things, however alike they look."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word a writer most likely meant, or None where nothing comes close.

    Close is: the same but for case, separators and their order, a few letters off, or the beginning of just one.
    """
    return index_of(known).nearest(word)


def is_slip(word: str, name: str) -> bool:
    """Whether a name is a letter away, or begins so: too near for the word to mean anything else."""
    return name.startswith(word) or distance(word, name, 1) <= 1


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """The help line for an unknown name: the nearest one, else the whole list where it is short."""
    index = index_of(known)
    match = index.nearest(word)
    if match is not None:
        return f"did you mean `{match}`?"
    if 0 < len(index.names) <= LISTED:
        return "known here: " + ", ".join(f"`{name}`" for name in index.names)
    return None


class Index:
    """Names, prepared for being looked up by misspelt ones."""

    def __init__(self, known: Iterable[str]) -> None:
        self.names = sorted(set(known))
        self._folded = {_folded(name): name for name in reversed(self.names)}
        self._sorted = sorted(self._folded)
        self._bare = {_bare(name): name for name in self._sorted}
        self._answers: dict[str, str | None] = {}
        self._sharing: dict[str, list[str]] = {}
        if len(self.names) > SMALL:
            for name in self._sorted:
                for run in _runs(name):
                    self._sharing.setdefault(run, []).append(name)

    def nearest(self, word: str) -> str | None:
        """See the function of this name."""
        if word not in self._answers:
            folded = self._nearest(_folded(word))
            self._answers[word] = self._folded[folded] if folded is not None else None
        return self._answers[word]

    def _nearest(self, wanted: str) -> str | None:
        if wanted in self._folded:
            return wanted
        if _bare(wanted) in self._bare:
            return self._bare[_bare(wanted)]
        best: tuple[int, str] | None = None
        for name in self._likely(wanted):
            allowed = _allowed(wanted, name)
            if best is not None:
                allowed = min(allowed, best[0])
            apart = distance(wanted, name, allowed)
            if apart <= allowed and not _is_another_word(wanted, name):
                best = min(best or (apart, name), (apart, name))
                if apart == 1:  # those that share most come first, so that a closer one is not to come
                    break
        return best[1] if best is not None else self._begun(wanted)

    def _likely(self, wanted: str) -> Iterable[str]:
        """The names worth comparing with: all of few, of many those that share most with it."""
        if not self._sharing:
            return self._sorted
        lists = sorted((self._sharing[run] for run in _runs(wanted) if run in self._sharing), key=len)
        shared: Counter[str] = Counter()
        room = MAX_SHARING
        for names in lists:
            if len(names) > room and shared:
                break
            shared.update(names[:room])
            room -= len(names)
        return [name for name, _ in shared.most_common(MAX_COMPARED)]

    def _begun(self, wanted: str) -> str | None:
        """The one name that begins so."""
        if len(wanted) < 3:
            return None
        place = bisect_left(self._sorted, wanted)
        begun = [name for name in self._sorted[place : place + 2] if name.startswith(wanted)]
        return begun[0] if len(begun) == 1 else None


MAX_KEPT = 32
_kept: dict[int, tuple[Collection[str], int, Index]] = {}


def index_of(known: Iterable[str]) -> Index:
    """The index of the names. That of a mapping is kept, for mappings of names only ever grow."""
    if not isinstance(known, Mapping):
        return Index(known)
    kept = _kept.get(id(known))
    if kept is not None and kept[0] is known and kept[1] == len(known):
        return kept[2]
    if len(_kept) >= MAX_KEPT:
        _kept.clear()
    index = Index(known)
    _kept[id(known)] = (known, len(known), index)
    return index


def distance(one: str, other: str, limit: int) -> int:
    """How many letters must be put in, left out, exchanged or swapped with the next; more than `limit`: any such."""
    one, other = _trimmed(one, other)
    if len(one) == len(other) <= 2:
        return 1 if len(one) == 2 and one == other[::-1] else len(one)
    if abs(len(one) - len(other)) > limit:
        return limit + 1
    its_letters, others = set(one), set(other)
    # A letter that the other word lacks must be left out or exchanged: most words are told apart without the table.
    if len(its_letters - others) > limit or len(others - its_letters) > limit:
        return limit + 1
    before: list[int] = []
    above = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        here = [row]
        for column, its in enumerate(other, 1):
            cost = min(above[column] + 1, here[-1] + 1, above[column - 1] + (letter != its))
            if row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == its:
                cost = min(cost, before[column - 2] + 1)
            here.append(cost)
        if min(here) > limit:
            return limit + 1
        before, above = above, here
    return above[-1]


def _trimmed(one: str, other: str) -> tuple[str, str]:
    """Two words without what they begin and end with in common."""
    length = min(len(one), len(other))
    start = next((place for place in range(length) if one[place] != other[place]), length)
    one, other = one[start:], other[start:]
    length = min(len(one), len(other))
    end = next((place for place in range(length) if one[-1 - place] != other[-1 - place]), length)
    return one[: len(one) - end], other[: len(other) - end]


def _allowed(wanted: str, name: str) -> int:
    """How many letters of two words may differ."""
    shorter = min(len(wanted), len(name))
    return 0 if shorter < 2 else 1 if shorter < 5 else 2 if shorter < 10 else 3


def _is_another_word(wanted: str, name: str) -> bool:
    longer, shorter = (wanted, name) if len(wanted) > len(name) else (name, wanted)
    return longer.endswith(shorter) and longer[: len(longer) - len(shorter)] in PREFIXES


def _folded(word: str) -> str:
    return word.casefold().replace("-", "_").replace(" ", "_")


def _bare(folded: str) -> str:
    """A word without its separators, its parts in order of the alphabet: `size_kernel` is `kernel_size`."""
    return "".join(sorted(folded.split("_"))) if "_" in folded else folded


def _runs(folded: str) -> Iterator[str]:
    padded = f"^^{folded}$"
    return (padded[place : place + 3] for place in range(len(padded) - 2))
