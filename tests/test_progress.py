"""Progress of long steps, seen by a real process with and without a terminal."""

import os
import pty
import subprocess
import sys
import termios

LOOP = "from reranksmart.run.progress import progress\nfor _ in progress(range(50), what='score pairs', total=50): pass"


def test_without_a_terminal_progress_is_plain_lines_with_rate_and_time_left() -> None:
    said = subprocess.run([sys.executable, "-c", LOOP], capture_output=True, text=True, check=True).stderr
    assert said.startswith("score pairs: 50/50, ")
    assert said.endswith("/s, 00:00 left\n")
    assert "\r" not in said


def test_on_a_terminal_progress_is_a_bar() -> None:
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 100))
    subprocess.run([sys.executable, "-c", LOOP], stderr=theirs, check=True)
    os.close(theirs)
    said = os.read(ours, 65536).decode()
    os.close(ours)
    assert "\r" in said
    assert "score pairs: 100%" in said
    assert "50/50" in said
