"""Where the runs of a sweep work: processes of this machine, jobs of Slurm through submitit, or tasks of a Ray cluster.

Machines of a cluster share the sweep's folder and the working folder with this one, and netcfg is installed there.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from importlib import import_module
from pathlib import Path
from subprocess import DEVNULL, Popen
from typing import Any, NamedTuple, Protocol

from netcfg.blocks.values import number_in
from netcfg.source import NetcfgError
from netcfg.trainers.machine.parent import held

_STEP_SECONDS = 0.2
SHARED = ("timeout_min", "gpus_per_node", "cpus_per_task", "mem_gb")
"""What submitit calls alike on every cluster; all else is Slurm's own."""
_MINUTES = 240


class Ended(NamedTuple):
    """How a job ended: the code of its process, or None where that is lost, with its machine or its time; and why."""

    code: int | None
    reason: str = ""


class Job(Protocol):
    """A run at work."""

    def ended(self) -> Ended | None:
        """How it ended; None as long as it works, or waits for a place."""
        ...

    def interrupt(self) -> None:
        """Ask it to save what it has and to stop; a second time, to stop at once."""
        ...


class Launcher(Protocol):
    """Starts jobs. `poll_seconds` is how often it may be asked after them."""

    poll_seconds: float
    takes_back: bool
    """Whether a cluster may stop a job of its own accord, which is then to go on elsewhere."""

    def ready(self) -> AbstractContextManager[None]:
        """Within it jobs can be started. Raises `NetcfgError` (NC807) where the cluster cannot be reached."""
        ...

    def start(self, arguments: Sequence[str], log: Path, errors: Path) -> Job:
        """Run `netcfg` with these arguments; what it prints is added to `log`, what it complains of is `errors`."""
        ...


# --- processes of this machine


class _Process:
    """A process as a job."""

    def __init__(self, process: Popen[bytes]) -> None:
        self.process = process

    def ended(self) -> Ended | None:
        code = self.process.poll()
        return None if code is None else Ended(code)

    def interrupt(self) -> None:
        self.process.send_signal(signal.SIGINT)


class Processes:
    """Processes that end when this one is gone. `handles` are files that they inherit."""

    poll_seconds = 0.1
    takes_back = False

    def __init__(self, environment: Mapping[str, str], handles: Sequence[int] = ()) -> None:
        self.environment = {**os.environ, **environment}
        self.handles = tuple(handles)

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Holds their leash."""
        with held() as self._leash:
            yield

    def start(self, arguments: Sequence[str], log: Path, errors: Path) -> Job:
        """In a session of its own: Ctrl-C reaches this process only, which passes it on."""
        with log.open("ab") as printed, errors.open("wb") as complained:
            process = Popen(
                [sys.executable, "-m", "netcfg", *arguments],
                stdin=DEVNULL,
                stdout=printed,
                stderr=complained,
                env={**self.environment, **self._leash.environment},
                pass_fds=(*self.handles, self._leash.handle),
                start_new_session=True,
            )
        return _Process(process)


# --- on another machine


def work(arguments: Sequence[str], log: str, errors: str, folder: str, environment: Mapping[str, str]) -> int:
    """A run on the machine that a cluster gave it; the code of its process. An interrupt is passed on to it."""
    os.chdir(folder)
    here = Processes(environment)
    with here.ready():
        job = here.start(arguments, Path(log), Path(errors))
        while (ended := _patiently(job)) is None:
            pass
    assert ended.code is not None
    return ended.code


def _patiently(job: Job) -> Ended | None:
    try:
        time.sleep(_STEP_SECONDS)
        return job.ended()
    except KeyboardInterrupt:
        job.interrupt()
        return None


class _Submitted:
    """A job of submitit."""

    def __init__(self, job: Any) -> None:
        self.job = job

    def ended(self) -> Ended | None:
        if not self.job.done():
            return None
        try:
            return Ended(int(self.job.result()))
        except Exception as error:  # the job's own words, of a class for each way to fail
            said = str(error).strip() or type(error).__name__
            return Ended(None, f"{self.job.state}: {said.splitlines()[0]}")

    def interrupt(self) -> None:
        self.job.cancel(check=False)


class Submitit:
    """Jobs of Slurm. `given` are submitit's and Slurm's names of what each is given: `partition`, `gpus_per_node` …"""

    poll_seconds = 1.0
    takes_back = True
    cluster = "slurm"

    def __init__(self, folder: Path, environment: Mapping[str, str], given: Mapping[str, str]) -> None:
        self.folder = folder
        self.environment = environment
        self.given = given

    @contextmanager
    def ready(self) -> Iterator[None]:
        """An executor that takes what is asked for."""
        submitit = import_module("submitit")
        try:
            self._executor = submitit.AutoExecutor(folder=str(self.folder / "jobs"), cluster=self.cluster)
        except RuntimeError:
            raise NetcfgError(
                "there is no Slurm here: `srun` is not found\n"
                "help: start it on a machine that submits jobs, or leave `--launcher` out",
                code="NC807",
            ) from None
        named = {
            name if name in SHARED else f"slurm_{name}": _value(text) for name, text in self.given.items()
        }
        try:
            self._executor.update_parameters(**{"timeout_min": _MINUTES, "name": "netcfg", **named})
        except (NameError, AssertionError) as error:
            said = (str(error).strip() or "not understood").splitlines()[0]
            raise NetcfgError(
                f"--resource: {said}\nhelp: {', '.join(SHARED)}, or what Slurm calls it: `partition=gpu`",
                code="NC801",
            ) from None
        yield

    def start(self, arguments: Sequence[str], log: Path, errors: Path) -> Job:
        """Submit it; it may wait in the queue."""
        told = list(arguments), str(log), str(errors), os.getcwd(), dict(self.environment)
        return _Submitted(self._executor.submit(work, *told))


class _Task:
    """A task of Ray."""

    def __init__(self, ray: Any, task: Any) -> None:
        self.ray = ray
        self.task = task
        self.asked = 0

    def ended(self) -> Ended | None:
        if not self.ray.wait([self.task], timeout=0)[0]:
            return None
        try:
            return Ended(int(self.ray.get(self.task)))
        except Exception as error:  # a worker or a node that died, or what Ray makes of an interrupt
            said = str(error).strip() or type(error).__name__
            return Ended(None, f"{type(error).__name__}: {said.splitlines()[0]}")

    def interrupt(self) -> None:
        self.ray.cancel(self.task, force=self.asked > 0)
        self.asked += 1


class Ray:
    """Tasks of a Ray cluster: the one at `address`, or one of this machine. `given` may also say num_cpus, num_gpus."""

    poll_seconds = 0.5
    takes_back = True

    def __init__(self, environment: Mapping[str, str], given: Mapping[str, str]) -> None:
        self.environment = environment
        self.given = {name: _value(text) for name, text in given.items()}
        self.address = self.given.pop("address", None)
        wrong = [name for name in self.given if name not in ("num_cpus", "num_gpus", "memory")]
        if wrong:
            raise NetcfgError(
                f"--resource {wrong[0]}: Ray gives none\nhelp: address, num_cpus, num_gpus or memory",
                code="NC801",
            )

    @contextmanager
    def ready(self) -> Iterator[None]:
        """Connected to the cluster."""
        ray = import_module("ray")
        try:
            ray.init(
                address=self.address, include_dashboard=False, log_to_driver=False, logging_level="ERROR"
            )
        except (ConnectionError, ValueError, RuntimeError) as error:
            said = (str(error).strip() or type(error).__name__).splitlines()[0]
            raise NetcfgError(
                f"there is no Ray cluster to be reached: {said}\nhelp: `--resource address=HOST:PORT`",
                code="NC807",
            ) from None
        self._ray = ray
        try:
            yield
        finally:
            with suppress(Exception):
                ray.shutdown()

    def start(self, arguments: Sequence[str], log: Path, errors: Path) -> Job:
        """Hand it to the cluster; it may wait for a place."""
        # That a lost run goes on from its checkpoint, only the sweep sees to.
        task = self._ray.remote(work).options(max_retries=0, **self.given)
        told = list(arguments), str(log), str(errors), os.getcwd(), dict(self.environment)
        return _Task(self._ray, task.remote(*told))


def _value(text: str) -> int | float | str:
    number = number_in(text)
    return text if number is None else int(number) if number == int(number) else number


__all__ = ["Ended", "Job", "Launcher", "Processes", "Ray", "Submitit", "work"]
