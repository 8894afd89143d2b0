# place.py - where things are: what test files import, since `conftest` names one in each folder
# SPDX-License-Identifier: MIT
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CROSS = 'riscv64-unknown-elf-'
TEST_SECONDS_MAX = 240  # a test that hangs fails by itself, by name
