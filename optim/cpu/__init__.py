"""The fused step on a CPU, compiled by numba at the first one: `launch` is where it begins."""
