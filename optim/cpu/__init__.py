"""The fused step on a CPU, compiled by numba at the first one.

Each file imports from those below it alone:

    launch      a step as records, for threads to take
    team        the threads, and what they are compiled to
    schedule    what each does, and where it waits for the others
    sweep       its share of the tiles of a tensor
    decide      Eq. 11
    update      the step of some elements, Eq. 10 among it
    products    inner products
    tiles       how tensors are cut
    records     the records that all of these share
    memory      addresses, and numbers in 16 bits
"""
