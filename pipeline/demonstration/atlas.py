"""The gazetteer as arrays: which piece belongs to which authority, on the days that the simulation asks for.

What belongs here: what follows from the gazetteer alone and is the same for every seed, worked out once. What does not:
anything drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy import sparse

from pipeline.demonstration import gazetteer
from pipeline.demonstration.gazetteer import MOVED_DISTRICT, TOO_SMALL, Authority
from pipeline.demonstration.population import Booleans, Integers

WINDOW_START_DAY = "2020-03-31"
_AUTHORITIES_OF_2017 = "2017-03-31"
_NEW_WITHOUT_JUDGEMENT = "2018-03-31"  # who began after it has no judgement of its own when the window starts


@dataclass(frozen=True)
class Places:
    """Authorities, pieces and how they belong together.

    `members` has a row an authority and a column a piece, almost all of it zeros that are not stored;
    `members_at_window_start` are the rows of those in being on that day (`at_window_start`), the tiny ones left out. A
    leader is the piece that speaks for its authority of a day.
    `passes_on` are the pieces whose old authority's taking part an authority inherits: not that of a small district.
    """

    authorities: tuple[Authority, ...]
    pieces: list[str]
    members: sparse.csr_array
    region_of_piece: Integers
    leader_2017: Integers
    at_window_start: Integers
    members_at_window_start: sparse.csr_array
    leader_at_window_start: Integers
    is_new_in_window: Booleans
    passes_on: Integers
    is_ordinary: Booleans


@cache
def places() -> Places:
    """All of it; the same object every time, not to be written to."""
    authorities = gazetteer.authorities()
    pieces = list(dict.fromkeys(piece for authority in authorities for piece in authority.pieces))
    members = _members(authorities, pieces)
    by_piece = members.tocsc()
    regions = list(dict.fromkeys(authority.region for authority in authorities))
    at_start = _in_being(authorities, WINDOW_START_DAY)
    at_start = at_start[[authorities[row].code not in TOO_SMALL for row in at_start]]
    newest = [max(_stored(by_piece, column), key=lambda row: authorities[row].begins) for column in range(len(pieces))]
    of_start = _owner(members, at_start)
    return Places(
        authorities=authorities,
        pieces=pieces,
        members=members,
        region_of_piece=np.array([regions.index(authorities[row].region) for row in newest]),
        leader_2017=_leader(members, _in_being(authorities, _AUTHORITIES_OF_2017)),
        at_window_start=at_start,
        members_at_window_start=members[at_start],
        leader_at_window_start=first_pieces(members)[at_start],
        is_new_in_window=np.array([row >= 0 and authorities[row].begins > _NEW_WITHOUT_JUDGEMENT for row in of_start]),
        passes_on=np.flatnonzero([piece != MOVED_DISTRICT for piece in pieces]),
        is_ordinary=np.array([piece not in TOO_SMALL for piece in pieces]),
    )


def _in_being(authorities: tuple[Authority, ...], day: str) -> Integers:
    return np.array([row for row, authority in enumerate(authorities) if authority.in_being(day)])


def first_pieces(members: sparse.csr_array) -> Integers:
    """The first piece of each authority, shape (authorities,), from the matrix of authorities by pieces."""
    first: Integers = members.indices[members.indptr[:-1]].astype(np.int64)
    return first


def _members(authorities: tuple[Authority, ...], pieces: list[str]) -> sparse.csr_array:
    column = {piece: at for at, piece in enumerate(pieces)}
    pairs = [(row, column[piece]) for row, authority in enumerate(authorities) for piece in authority.pieces]
    rows, columns = np.array(pairs).T
    members = sparse.csr_array((np.ones(len(pairs), np.int64), (rows, columns)), (len(authorities), len(pieces)))
    members.sort_indices()
    return members


def _stored(matrix: sparse.csr_array, line: int) -> Integers:
    """Where one row, or one column of a matrix stored by columns, is not zero."""
    stored: Integers = matrix.indices[matrix.indptr[line] : matrix.indptr[line + 1]]
    return stored


def _owner(members: sparse.csr_array, rows: Integers) -> Integers:
    """Give the row of the authority, among `rows`, that each piece belongs to; -1 where none of them has it."""
    owner = np.full(members.shape[1], -1)
    for row in rows:
        owner[_stored(members, row)] = row
    return owner


def _leader(members: sparse.csr_array, rows: Integers) -> Integers:
    """Give the first piece of the authority that each piece belongs to; the piece itself where none has it."""
    leader = np.arange(members.shape[1])
    for row in rows:
        own = _stored(members, row)
        leader[own] = own[0]
    return leader
