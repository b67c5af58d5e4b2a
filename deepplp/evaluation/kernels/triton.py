# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-decorators
"""The fused kernels for GPUs, in Triton: sums over a circuit's elements, forward and backward, in float64.

A program works on ``lanes`` rows of the batch, one lane an example, and on ``nodes`` sums side by side. Tables have a
row of memory for every leaf or node and a column for every example, so that lanes read neighbours. Every place is
written by one lane and every sum has one order: the same bits come out every time, without atomic operations.

`sum_products` goes from level to level with a barrier in between. A barrier holds for one program only: a launch has
either one level, or one program for a block of lanes.

This is the only module that imports Triton, and it is imported when a GPU is first used. It was tested in Triton's
interpreter and compiled for several GPUs, but has not run on one: see `kernels_on` for what it must prove there first.
"""

from __future__ import annotations

import triton
import triton.language as tl

__all__ = ["collect_gradients", "sum_products", "sum_weights"]


@triton.jit(do_not_specialize=["first_level", "last_level"])
def sum_products(
    begins, ends, starts, lefts, rights, left, right, out, count, first_level, last_level,
    lanes: tl.constexpr, nodes: tl.constexpr,
):  # fmt: skip
    """``out[i] = Σ left[lefts[k]] * right[rights[k]]`` over k in ``starts[i] … starts[i + 1] - 1``.

    Levels ``first_level`` to ``last_level - 1``, one after another, each the i from its place in ``begins`` to below
    that in ``ends``. ``left``, ``right`` and ``out`` are tables [_, count]; a level may read what lower ones wrote.
    """
    lane = tl.program_id(1) * lanes + tl.arange(0, lanes)
    is_row = lane < count
    for level in range(first_level, last_level):
        end = tl.load(ends + level)
        for tile in range(tl.load(begins + level) + tl.program_id(0) * nodes, end, tl.num_programs(0) * nodes):
            i = tile + tl.arange(0, nodes)
            is_node = i < end
            k = tl.load(starts + i, mask=is_node, other=0)
            stop = tl.load(starts + i + 1, mask=is_node, other=0)
            total = tl.zeros((nodes, lanes), dtype=tl.float64)
            for _ in range(tl.max(stop - k, axis=0)):
                more = k < stop
                a = tl.load(lefts + k, mask=more, other=0).to(tl.int64) * count
                b = tl.load(rights + k, mask=more, other=0).to(tl.int64) * count
                used = more[:, None] & is_row[None, :]
                x = tl.load(left + a[:, None] + lane[None, :], mask=used, other=0.0)
                y = tl.load(right + b[:, None] + lane[None, :], mask=used, other=0.0)
                total += x * y
                k += 1
            at = i.to(tl.int64)[:, None] * count + lane[None, :]
            tl.store(out + at, total, mask=is_node[:, None] & is_row[None, :])
        tl.debug_barrier()


@triton.jit(do_not_specialize=["first"])
def sum_weights(
    starts, bases, strides, offsets, batched, shared, out, sums, rows, first, count,
    lanes: tl.constexpr, nodes: tl.constexpr,
):  # fmt: skip
    """``out[i] = Σ weight[k]`` over k in ``starts[i] … starts[i + 1] - 1``, for i below ``sums`` and ``count`` rows.

    The weights of row b are ``batched[bases[k] * rows + b * strides[k] + offsets[k]]`` where ``strides[k] > 0``, else
    ``shared[offsets[k]]``; column 0 of ``out`` [_, count] is row ``first``.
    """
    lane = tl.program_id(1) * lanes + tl.arange(0, lanes)
    is_row = lane < count
    row = (first + lane).to(tl.int64)
    i = tl.program_id(0) * nodes + tl.arange(0, nodes)
    is_sum = i < sums
    k = tl.load(starts + i, mask=is_sum, other=0)
    stop = tl.load(starts + i + 1, mask=is_sum, other=0)
    total = tl.zeros((nodes, lanes), dtype=tl.float64)
    for _ in range(tl.max(stop - k, axis=0)):
        more = k < stop
        base = tl.load(bases + k, mask=more, other=0).to(tl.int64) * rows
        stride = tl.load(strides + k, mask=more, other=0).to(tl.int64)
        offset = tl.load(offsets + k, mask=more, other=0).to(tl.int64)
        at = (base + offset)[:, None] + row[None, :] * stride[:, None]
        own = more & (stride > 0)
        x = tl.load(batched + at, mask=own[:, None] & is_row[None, :], other=0.0)
        y = tl.load(shared + offset, mask=more & (stride == 0), other=0.0)
        total += x.to(tl.float64) + y.to(tl.float64)[:, None]
        k += 1
    at = i.to(tl.int64)[:, None] * count + lane[None, :]
    tl.store(out + at, total, mask=is_sum[:, None] & is_row[None, :])


@triton.jit(do_not_specialize=["first"])
def collect_gradients(
    starts, readers, bases, strides, offsets, adjoint, batched_gradient, shared_gradients, weights, shares, rows, first,
    count, lanes: tl.constexpr, nodes: tl.constexpr,
):  # fmt: skip
    """The derivatives by weights i below ``weights``: ``Σ adjoint[readers[k]]`` over k as in `sum_weights`.

    Those of a row go where the row's weight stands (see `sum_weights`). Those of a shared weight are added up over the
    block of lanes: ``shared_gradients`` [blocks, shares] has a row for each block.
    """
    lane = tl.program_id(1) * lanes + tl.arange(0, lanes)
    is_row = lane < count
    row = (first + lane).to(tl.int64)
    i = tl.program_id(0) * nodes + tl.arange(0, nodes)
    is_weight = i < weights
    k = tl.load(starts + i, mask=is_weight, other=0)
    stop = tl.load(starts + i + 1, mask=is_weight, other=0)
    total = tl.zeros((nodes, lanes), dtype=tl.float64)
    for _ in range(tl.max(stop - k, axis=0)):
        more = k < stop
        a = tl.load(readers + k, mask=more, other=0).to(tl.int64) * count
        used = more[:, None] & is_row[None, :]
        total += tl.load(adjoint + a[:, None] + lane[None, :], mask=used, other=0.0)
        k += 1
    base = tl.load(bases + i, mask=is_weight, other=0).to(tl.int64) * rows
    stride = tl.load(strides + i, mask=is_weight, other=0).to(tl.int64)
    offset = tl.load(offsets + i, mask=is_weight, other=0).to(tl.int64)
    at = (base + offset)[:, None] + row[None, :] * stride[:, None]
    own = is_weight & (stride > 0)
    tl.store(batched_gradient + at, total, mask=own[:, None] & is_row[None, :])
    block = (first // lanes + tl.program_id(1)).to(tl.int64)
    common = is_weight & (stride == 0)
    tl.store(shared_gradients + block * shares + offset, tl.sum(total, axis=1), mask=common)
