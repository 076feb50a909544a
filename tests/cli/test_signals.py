"""The first signal stops a command in order, its echo does not disturb that, a later one ends the process at once."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import pytest

from videmo.cli.signals import ECHO_S, exit_code

COMMAND = """
import signal, sys, time
from videmo.cli.signals import stopped_by_signals
signal.signal(signal.SIGINT, signal.{before})
try:
    with stopped_by_signals():
        try:
            print("runs", flush=True)  # within the block that is cleaned up: the signal may come at once
            time.sleep({runs_s})
        finally:
            print("cleans up", flush=True)
            time.sleep({cleans_s})
            print("clean", flush=True)
except KeyboardInterrupt:
    sys.exit(130)
"""


def start(*, runs_s: float = 30, cleans_s: float = 0, before: str = "default_int_handler") -> subprocess.Popen[str]:
    code = COMMAND.format(runs_s=runs_s, cleans_s=cleans_s, before=before)
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "runs\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_stops_in_order(number: int) -> None:
    process = start()
    process.send_signal(number)
    assert process.communicate(timeout=10)[0] == "cleans up\nclean\n"
    assert process.returncode == exit_code(number)


def test_an_echo_does_not_disturb_the_cleaning_up() -> None:
    process = start(cleans_s=0.5)
    process.send_signal(signal.SIGINT)
    assert process.stdout
    assert process.stdout.readline() == "cleans up\n"
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=10)[0] == "clean\n"
    assert process.returncode == 130


def test_a_later_one_ends_it_at_once() -> None:
    process = start(cleans_s=30)
    process.send_signal(signal.SIGINT)
    time.sleep(ECHO_S + 0.2)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=10)[0] == "cleans up\n"
    assert process.returncode == 143


def test_what_is_ignored_stays_ignored() -> None:
    process = start(runs_s=0.3, before="SIG_IGN")
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=10)[0] == "cleans up\nclean\n"
    assert process.returncode == 0
