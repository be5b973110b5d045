"""What was written just now, told to others in the same process with the commit, so that they need not read it again.

News may be dropped: whoever takes them must manage without. They are no ring, which always follows and tells everybody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from typing import Any

Taker = Callable[[Sequence[Any]], None]
"""Called in the event loop with what was told; must return at once."""


class News:
    def __init__(self) -> None:
        self._takers: dict[str, list[Taker]] = defaultdict(list)

    def wanted(self, topic: str) -> bool:
        """Whether anybody takes them here: otherwise nobody needs to make them."""
        return bool(self._takers.get(topic))

    def take(self, topic: str, taker: Taker) -> Callable[[], None]:
        """Returns the function that ends it."""
        self._takers[topic].append(taker)
        return lambda: self._takers[topic].remove(taker)

    def tell(self, topic: str, things: Sequence[Any]) -> None:
        for taker in tuple(self._takers.get(topic, ())):
            taker(things)
