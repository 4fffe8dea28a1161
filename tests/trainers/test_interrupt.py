import os
import signal
import time

import pytest

from netcfg.trainers.machine import interrupt as module
from netcfg.trainers.machine.interrupt import Interrupt, Interrupted


def wait_for(condition):
    end = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_the_first_signal_is_a_request(capfd):
    before = signal.getsignal(signal.SIGINT)
    with Interrupt() as interrupt:
        interrupt.check()
        os.kill(os.getpid(), signal.SIGINT)
        wait_for(lambda: interrupt.requested)
        with pytest.raises(Interrupted):
            interrupt.check()
    assert signal.getsignal(signal.SIGINT) is before
    assert "press Ctrl-C again to stop at once" in capfd.readouterr().err


def test_the_second_signal_ends_the_process(monkeypatch):
    stopped = []
    monkeypatch.setattr(module, "_stop_at_once", stopped.append)
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        wait_for(lambda: interrupt.requested)
        assert not stopped
        os.kill(os.getpid(), signal.SIGINT)
        wait_for(lambda: stopped)
    assert stopped == [130]


@pytest.mark.parametrize(
    ("number", "code", "notice"),
    [(signal.SIGTERM, 143, "asked to end (SIGTERM)"), (signal.SIGHUP, 129, "the terminal has gone (SIGHUP)")],
)
def test_other_signals_stop_likewise_and_say_their_own(number, code, notice, capfd):
    with Interrupt() as interrupt:
        os.kill(os.getpid(), number)
        wait_for(lambda: interrupt.requested)
    assert interrupt.code == code
    told = capfd.readouterr().err
    assert notice in told
    assert "Ctrl-C" not in told


def test_a_signal_that_was_ignored_stays_ignored():
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Interrupt() as interrupt:
            os.kill(os.getpid(), signal.SIGHUP)
            time.sleep(0.05)
            assert not interrupt.requested
    finally:
        signal.signal(signal.SIGHUP, before)
