"""The statements of the paper, one file each, in ``CLAIM``."""
