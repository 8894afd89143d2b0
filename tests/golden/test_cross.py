# test_cross.py - the cross compiler gives what the machine can load
# SPDX-License-Identifier: MIT


def test_raw_binary_holds_the_instructions(cross):
    image = cross.bin('.globl _start\n_start: addi a0, x0, 5\n j .\n')
    assert image.read_bytes()[:2] == b'\x15\x45'  # c.li a0, 5
