#!/usr/bin/env bash
# Everything that a GPU can tell, in one command, within nine minutes, without a network:
#
#     tests/gpu/run.sh OUT [WHEELS] [--dry] [--installed]
#
# OUT is a folder for results and logs, WHEELS one with the wheels of what is missing (python-flint, cloudpickle, adamp);
# --dry does the same on the CPU, in a much smaller version; --installed tests the tangency that is there, not this checkout.
# Needs Python 3.11 with torch, triton and pytest. gpu_steps.py beside this file lists the steps.
exec "${PYTHON:-python3}" "$(dirname "${BASH_SOURCE[0]}")/gpu_steps.py" "$@"
