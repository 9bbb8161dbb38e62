"""A Python file that a user names, run as a module."""

import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from zlib import crc32


def run_file(path: Path, prefix: str) -> ModuleType:
    """Run a ``.py`` file, with its folder on the path, as ``python file.py`` has it.

    Args:
        prefix: of the module's name, which the place of the file completes: two files of one name are two modules.

    Raises:
        BaseException: what the file raises; no module of it is left then.
    """
    resolved = path.resolve()
    name = f"{prefix}_{resolved.stem}_{crc32(os.fsencode(resolved)):08x}"
    spec = importlib.util.spec_from_file_location(name, resolved)
    assert spec is not None, f"{path} does not end in .py"
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    if str(resolved.parent) not in sys.path:
        sys.path.insert(0, str(resolved.parent))
    sys.modules[name] = module  # dataclasses look their module up, and what the file defines can be pickled
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
