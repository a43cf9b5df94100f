"""Slurm: a real one on loopback, a controller and a node with two processors, for as long as asked.

Everything lies in one folder: key and socket of munge, configuration, state, logs. Commands find it
by SLURM_CONF.
"""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.made.apis import free_port, need

__all__ = ["CLOSED", "PARTITION", "Slurm", "slurm"]

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol")
SYSTEM = os.pathsep.join(("/usr/sbin", "/sbin"))
"""Where servers lie, which are on the path of root only."""
PATIENCE = 60.0
"""Seconds that the node may take to be idle."""
PARTITION, CLOSED = "main", "closed"
"""A partition with the node, and one whose jobs wait."""

CONFIGURATION = """
ClusterName=zonalbatch
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
SchedulerParameters=batch_sched_delay=0,sched_interval=2,sched_min_interval=0
ReturnToService=2
KillWait=5
OverTimeLimit=0
MinJobAge=10
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=64000 State=UNKNOWN
PartitionName={partition} Nodes={host} Default=YES MaxTime=INFINITE State=UP
PartitionName={closed} Nodes={host} MaxTime=INFINITE State=DOWN
"""


@dataclass(frozen=True)
class Slurm:
    """A Slurm that runs."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """By which commands find it."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf")}

    def asked(self, *words: object) -> str:
        """What a command prints."""
        done = subprocess.run(
            [str(word) for word in words],
            capture_output=True, text=True, check=True, env=os.environ | self.environment,
        )  # fmt: skip
        return done.stdout

    def jobs(self) -> list[str]:
        """Ids of the jobs that wait or run."""
        return self.asked("squeue", "--noheader", "--format=%i").split()

    def cancel(self) -> None:
        """End whatever a test left."""
        if jobs := self.jobs():
            self.asked("scancel", *jobs)

    @property
    def _states(self) -> list[str]:
        return self.asked("sinfo", "--noheader", "--partition", PARTITION, "--format=%t").split()

    def await_idle(self) -> None:
        """Wait until the node takes jobs."""
        ends = time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            try:
                if self._states == ["idle"]:
                    return
            except subprocess.CalledProcessError:  # the controller does not answer yet
                pass
            time.sleep(0.2)
        logs = (log.read_text() for log in sorted(self.folder.glob("*.log")))
        raise RuntimeError("the node is not idle:\n" + "\n".join(logs))


@contextmanager
def slurm() -> Iterator[Slurm]:
    """A Slurm that is ended with the block; skips the test where it is not installed."""
    _check_installed()
    with ExitStack() as stack:
        # A socket's path is to be short.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm-")))
        one = Slurm(folder)
        _configure(folder)
        stack.enter_context(_running(one, "munged", "--foreground", "--force", *_munge(folder)))
        stack.enter_context(_running(one, "slurmctld", "-D", "-c"))
        stack.enter_context(_running(one, "slurmd", "-D"))
        one.await_idle()
        try:
            yield one
        finally:
            one.cancel()
            one.await_idle()  # what a job started is ended by the node


def _munge(folder: Path) -> Iterator[object]:
    """Where munge is to have its files."""
    for name in ("key", "seed", "pid", "log"):
        yield f"--{name}-file={folder / 'munge'}.{name}"
    yield f"--socket={folder / 'munge.socket'}"


def _check_installed() -> None:
    for name in PROGRAMS:
        need(_found(name) is not None, f"{name} of Slurm is not installed")


def _found(name: str) -> str | None:
    return shutil.which(name, path=os.environ.get("PATH", "") + os.pathsep + SYSTEM)


def _configure(folder: Path) -> None:
    (folder / "munge.key").write_bytes(os.urandom(64))
    (folder / "munge.key").chmod(0o400)
    for name in ("state", "spool"):
        (folder / name).mkdir()
    text = CONFIGURATION.format(
        host=socket.gethostname().split(".")[0], user=getpass.getuser(), folder=folder,
        controller=free_port(), node=free_port(), partition=PARTITION, closed=CLOSED,
    )  # fmt: skip
    (folder / "slurm.conf").write_text(text)
    (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")


@contextmanager
def _running(one: Slurm, name: str, *words: object) -> Iterator[None]:
    """A server of it, ended with the block."""
    command: Sequence[str] = [_found(name) or name, *map(str, words)]
    with (
        open(one.folder / f"{name}.log", "ab") as log,
        subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | one.environment) as run,
    ):
        try:
            yield
        finally:
            run.terminate()
            try:
                run.wait(20)
            except subprocess.TimeoutExpired:
                run.kill()
