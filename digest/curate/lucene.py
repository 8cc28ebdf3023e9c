"""luqum's parser of Lucene's syntax, from the tables that luqum brings.

luqum has PLY make its parser while it is imported, and gives no say in how. PLY takes the tables that lie ready only if
they bear the signature of the grammar, which has the white space of docstrings in it; Python 3.13 strips that, so that
PLY makes the tables anew at every start, says so on standard error, and writes them and a log into the folder of
luqum, if it may. With `optimize` it takes them as they are: they are of the same release as the grammar.

https://www.dabeaz.com/ply/ply.html, 6.12 and 8; https://docs.python.org/3/whatsnew/3.13.html, “Other language changes”
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, cast

from ply import yacc

if TYPE_CHECKING:
    from collections.abc import Callable


def _parser() -> Callable[[str], Any]:
    make = yacc.yacc
    # should there be no tables, they are made in silence and kept in memory
    yacc.yacc = functools.partial(make, optimize=True, debug=False, write_tables=False)
    try:
        from luqum.thread import parse
    finally:
        yacc.yacc = make
    return cast("Callable[[str], Any]", parse)


#: the tree of a query; raises `luqum.exceptions.ParseError`. For any thread
parse_lucene = _parser()
