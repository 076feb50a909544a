"""Finds pictures that are there more than once: pixel by pixel the same, or nearly so.

Sources: perceptual hash from the DCT (Zauner, 2010, Implementation and Benchmarking of Perceptual Image Hash
Functions); multi-index hashing (Norouzi et al., 2012, Fast Search in Hamming Space).
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.fft import dct

MOST_BITS: Final = 11
"""Farthest distance that `find_near` searches: it looks up each hash 548 times, at 12 bits it would be 2,788 times."""

_LEAST_STD: Final = 4.0  # gray levels; the flattest face of FER2013 has 9
_BLOCKS: Final = 4  # of 16 bits each
_AT_ONCE: Final = 4096


def digest(images: NDArray[np.uint8]) -> NDArray[np.object_]:
    """Returns 16 bytes for each picture (n, S, S), the same only where every pixel is the same (BLAKE2b)."""
    return np.array([blake2b(image.tobytes(), digest_size=16).digest() for image in images], object)


def is_blank(images: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Tells which pictures (n, S, S) show nothing: gray levels that hardly differ.

    Example:
        >>> is_blank(np.array([[[9, 9], [9, 8]], [[0, 255], [0, 255]]], np.uint8)).tolist()
        [True, False]
    """
    return np.array([image.std() < _LEAST_STD for image in images], bool)


def hash_perceptually(images: NDArray[np.uint8]) -> NDArray[np.uint64]:
    """Returns 64 bits for each picture (n, S, S), S at least 9, that small changes leave nearly as they are.

    A bit tells whether one of the 8x8 lowest frequencies of the DCT, those constant along an axis left out, is above
    their median. The low frequencies are those of the picture made smaller, so nothing is resized before.
    """
    side_px = images.shape[1]
    basis = dct(np.eye(side_px, dtype=np.float32), axis=0, norm="ortho")[1:9]
    hashes = [np.zeros(0, np.uint64)]
    for start in range(0, len(images), _AT_ONCE):
        frequencies = (basis @ images[start : start + _AT_ONCE].astype(np.float32) @ basis.T).reshape(-1, 64)
        bits = frequencies > np.median(frequencies, axis=1, keepdims=True)
        hashes.append(np.packbits(bits, axis=1).view(np.uint64).ravel())
    return np.concatenate(hashes)


def find_near(hashes: NDArray[np.uint64], most_bits: int) -> NDArray[np.intp]:
    """Finds the pairs of hashes that differ in few bits, without comparing all with all.

    Hashes that differ in at most r bits differ in at most r // 4 bits in one of their four blocks of 16, so only hashes
    that do are compared in full.

    Args:
        hashes: (n,), best without repeats: k equal ones make k² pairs.
        most_bits: Largest distance, 0..11.

    Returns:
        Positions (m, 2) of each pair once, the lower first, in order.

    Example:
        >>> find_near(np.array([0b0000, 0b0111, 0b1111], np.uint64), 2).tolist()
        [[1, 2]]
    """
    blocks = np.ascontiguousarray(hashes).view(np.uint16).reshape(-1, _BLOCKS)
    masks = np.arange(2**16, dtype=np.uint16)
    masks = masks[np.bitwise_count(masks) <= most_bits // _BLOCKS]
    found = [np.zeros((0, 2), np.intp)]
    for keys in blocks.T:
        order = np.argsort(keys, kind="stable")
        for mask in masks:
            left, right = _join(keys ^ mask, keys[order], order)
            close = (left < right) & (np.bitwise_count(hashes[left] ^ hashes[right]) <= most_bits)
            found.append(np.stack([left[close], right[close]], axis=1))
    return np.unique(np.concatenate(found), axis=0)


def _join(
    wanted: NDArray[np.uint16], keys: NDArray[np.uint16], order: NDArray[np.intp]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Returns positions in `wanted` and in what `keys`, sorted by `order`, came from, for each pair of equal values."""
    starts = np.searchsorted(keys, wanted, "left")
    counts = np.searchsorted(keys, wanted, "right") - starts
    offsets = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    return np.repeat(np.arange(len(wanted)), counts), order[np.repeat(starts, counts) + offsets]


def first_across(groups: NDArray[np.intp], side: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Returns for each row (n,) the first row of its group on the other side, -1 where there is none.

    Args:
        groups: (n,), numbers from 0.
        side: (n,), the side of each row.

    Example:
        >>> first_across(np.array([0, 1, 0, 0]), np.array([True, True, False, False])).tolist()
        [2, -1, 0, 0]
    """
    firsts = {here: _first_rows(groups, side == here) for here in (False, True)}
    return np.where(side, firsts[False][groups], firsts[True][groups])


def near_across(
    hashes: NDArray[np.uint64], side: NDArray[np.bool_], most_bits: int
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Finds near duplicates among perceptual hashes (n,), those with equal hashes included.

    Returns:
        A row on the other side that is near to each (n,), -1 where there is none; and the number of other hashes near
        to the hash of each (n,).
    """
    keys, groups = np.unique(hashes, return_inverse=True)
    pairs = find_near(keys, most_bits)
    ways = np.concatenate([pairs, pairs[:, ::-1]])
    firsts = {}
    for here in (False, True):
        first = _first_rows(groups, side == here)
        known = ways[first[ways[:, 1]] >= 0]
        near = first.copy()
        near[known[:, 0]] = first[known[:, 1]]
        firsts[here] = np.where(first >= 0, first, near)
    partners = np.where(side, firsts[False][groups], firsts[True][groups])
    return partners, np.bincount(pairs.ravel(), minlength=len(keys))[groups]


def _first_rows(groups: NDArray[np.intp], chosen: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Returns the first chosen row of each group, -1 where there is none."""
    firsts = np.full(groups.max(initial=-1) + 1, -1)
    rows = np.flatnonzero(chosen)[::-1]
    firsts[groups[rows]] = rows
    return firsts
