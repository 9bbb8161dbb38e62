"""The fused step on a GPU, in Triton: `launch` is where it begins."""
