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
    monkeypatch.setattr(module, "_stop_at_once", lambda: stopped.append(True))
    with Interrupt() as interrupt:
        os.kill(os.getpid(), signal.SIGTERM)
        wait_for(lambda: interrupt.requested)
        assert not stopped
        os.kill(os.getpid(), signal.SIGINT)
        wait_for(lambda: stopped)
