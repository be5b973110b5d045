"""Which customers: a tree of conditions, checked against who asks, compiled to SQL with parameters.

For lists, counts, exports, bulk edits, segments and whatever sends to many::

    asking = await filtering.asking(work.tx, principal, work.now)
    compiled = filtering.compile(tree, asking)
    await work.tx.fetch(f"select u.id from customer u where {compiled.where}", *compiled.arguments)

``compiled.where`` speaks of ``customer u`` and holds the asker's reach, unless it is left out (``reach=False``).
"""

from customers.filtering.asking import Asking, asking
from customers.filtering.compile import Compiled, compile, reach_of, where
from customers.filtering.places import Arguments
from customers.filtering.tree import EVERYBODY, Condition, Group, Op

__all__ = [
    "EVERYBODY",
    "Arguments",
    "Asking",
    "Compiled",
    "Condition",
    "Group",
    "Op",
    "asking",
    "compile",
    "reach_of",
    "where",
]
