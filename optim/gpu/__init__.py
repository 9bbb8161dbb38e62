"""The fused step on a GPU, in Triton: four launches, `statistics`, `decide`, `update` and `finish`.

All parameters of one dtype go through one launch of each. Their memory is cut into *pieces*, one for each program: some
whole rows, or a segment of a row that is too long for one. A program walks over its piece in tiles. Sums use no
atomics: the order is fixed, and so is the result. Each file imports only from those below it:

    launch        tables for the kernels, and the four launches
    decide        Eq. 11: `statistics` and `decide`
    update        the step, Eq. 10 among it: `update` and `finish`
    tiles         tiles of rows in memory
    arithmetic    inner products that cannot overflow
    tables        the tables that all of these share
"""
