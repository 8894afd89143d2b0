# test_kernels.py - the benchmark's kernels compute the same natively, on tier 0 and on QEMU
# SPDX-License-Identifier: MIT
import re
import subprocess

from place import ROOT


def test_every_kernel_gives_one_checksum(build, rv32im):
    result = subprocess.run([ROOT / 'bench' / 'run', build, '--check'], capture_output=True,
                            text=True, timeout=120)
    rows = re.findall(r'^KERNEL\((\w+)', (ROOT / 'bench' / 'kernels.def').read_text(), re.M)
    assert result.stdout == f'{len(rows) - 1} kernels agree\n', result.stderr
