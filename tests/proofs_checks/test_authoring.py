"""The one import of claims: its docstring names everything that it gives, and nothing else."""

import re

from tangency.proofs_checks import authoring


def test_the_docstring_lists_every_name() -> None:
    assert authoring.__doc__ is not None
    listed = re.findall(r"``(\w+)``", authoring.__doc__)
    assert sorted(listed) == sorted(authoring.__all__)
