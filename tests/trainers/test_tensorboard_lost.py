"""TensorBoard's events that cannot be written: said once, and the run goes on."""

from __future__ import annotations

import json
import threading

import pytest

from netcfg.trainers.reporting.tensorboard import Events

pytest.importorskip("tensorboard")


def test_a_run_whose_events_cannot_be_written_goes_on(make_trainer, console):
    trainer = make_trainer(epochs=2)
    (trainer.run.path / "tensorboard").write_text("a file where the folder should be")
    assert trainer.fit() == "finished"
    assert len((trainer.run.path / "metrics.jsonl").read_text().splitlines()) == 2
    assert "epochs" in json.loads((trainer.run.path / "result.json").read_text())
    assert console.file.getvalue().count("TensorBoard's events cannot be written") == 1


class Full:
    """A file on a full disk."""

    def write(self, data):
        raise OSError(28, "No space left on device")

    def flush(self):
        raise OSError(28, "No space left on device")

    def close(self):
        pass


def test_a_disk_that_fills_while_events_are_written_is_told_once_and_no_thread_complains(tmp_path, capsys):
    said = []
    events = Events(tmp_path / "events", 1, said.append)
    events.scalars(1, [("a", 1.0)])
    events._writer._get_file_writer().event_writer._async_writer._writer._writer = Full()
    for epoch in range(2, 60):
        events.scalars(epoch, [("a", 1.0), ("b", 2.0)])
        events._try(lambda writer: writer.flush())
    events.close()
    for thread in threading.enumerate():
        if type(thread).__module__.startswith("tensorboard"):
            thread.join(5)
    assert len(said) == 1
    assert "No space left on device" in said[0]
    assert capsys.readouterr().err == ""
