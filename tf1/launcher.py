"""Starts a whole cluster on this machine, and starts it again where one of its processes dies.

    python -m tf1.cluster --workers=2 -- ptb_word_lm.py --config=small --save_path=runs/small

Each line that a worker prints has its task before it. The cores are divided among the workers, and Ctrl-C reaches all
of them. Where the system allows it, they have a network of their own, with nothing but the loopback in it.
"""

import argparse
import contextlib
import ctypes
import fcntl
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from tf1 import app
from tf1.app import BadValue, UserError
from tf1.peers import LOST

_END_SECONDS = 10.0  # for the others to end by themselves, once one has


def parse_args(argv=None):
    parser = app.ArgumentParser("python -m tf1.cluster", __doc__)
    parser.add_argument("--workers", type=_between(1, 256), default=2, help="to start (default: %(default)s)")
    parser.add_argument(
        "--restarts",
        type=_between(0, 10**6),
        default=3,
        help="how often at most all begin again (default: %(default)s)",
    )
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="-- SCRIPT FLAGS", help="what each worker runs")
    args = parser.parse_args(argv)
    args.command = args.command[args.command[:1] == ["--"] :]
    if not args.command:
        parser.error("the script is missing: give it, and its flags, after --")
    if not os.path.isfile(args.command[0]):
        parser.error(f"{args.command[0]} is no file: name the script that the workers run")
    return args


def _between(least, most):
    """The type of a flag: an integer in that range."""

    def integer(text):
        value = app.integer(text)
        if not least <= value <= most:
            raise BadValue(f"{value} is not in the range from {least} to {most}")
        return value

    return integer


# A network namespace, see network_namespaces(7); its numbers are Linux's.
_NEW_USER, _NEW_NETWORK, _GET_FLAGS, _SET_FLAGS, _UP = 0x10000000, 0x40000000, 0x8913, 0x8914, 1


def _leave_network():
    """Gives this process, and those that it starts, a network of their own; OSError where the system forbids it."""
    libc, uid, gid = ctypes.CDLL(None, use_errno=True), os.getuid(), os.getgid()
    if libc.unshare(_NEW_NETWORK):
        if libc.unshare(_NEW_USER | _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "unshare")
        for name, text in ("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1"):
            with open(f"/proc/self/{name}", "w", encoding="ascii") as file:
                file.write(text)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as loopback:
        request = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack("16xh14x", fcntl.ioctl(loopback, _GET_FLAGS, request))
        fcntl.ioctl(loopback, _SET_FLAGS, struct.pack("16sh14x", b"lo", flags | _UP))


def isolate():
    """Whether this process has now a network of its own. It is tried in another process first: there is no way back."""
    if not sys.platform.startswith("linux"):
        return False
    child = os.fork()
    if not child:
        try:
            _leave_network()
            os._exit(0)
        except (OSError, AttributeError):
            os._exit(1)
    if os.waitpid(child, 0)[1]:
        return False
    _leave_network()
    return True


def free_ports(count):
    """Ports of the loopback address that nobody uses now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def cores_of(task, workers):
    """The cores of this machine that are a worker's; where there are more workers than cores, they share them."""
    cores = sorted(os.sched_getaffinity(0))
    if workers >= len(cores):
        return [cores[task % len(cores)]]
    return cores[len(cores) * task // workers : len(cores) * (task + 1) // workers]


class _Workers(contextlib.AbstractContextManager):
    """The processes, started; at the block's end none of them is left."""

    def __init__(self, command, count):
        hosts = ",".join(f"127.0.0.1:{port}" for port in free_ports(count))
        self.processes, self._threads, self._is_told, self.is_unread = [], [], False, False
        try:
            for task in range(count):
                flags = [] if count == 1 else [f"--worker_hosts={hosts}", f"--task_index={task}"]
                self.processes.append(self._start(command + flags, lambda task=task: self._prepare(task, count)))
        except OSError as error:
            self.__exit__()
            raise UserError(f"worker {task} cannot be started: {error.strerror}", 1) from error
        for task, process in enumerate(self.processes):
            for source, target in (process.stdout, sys.stdout), (process.stderr, sys.stderr):
                self._threads.append(threading.Thread(target=self._copy, args=(task, source, target), daemon=True))
                self._threads[-1].start()

    @staticmethod
    def _start(command, prepare):
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        return subprocess.Popen([sys.executable, *command], start_new_session=True, preexec_fn=prepare, **options)

    @staticmethod
    def _prepare(task, count):
        """What a worker does before its script."""
        with contextlib.suppress(OSError, AttributeError):  # other systems than Linux
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # it does not outlive the launcher, however that ends
            os.sched_setaffinity(0, cores_of(task, count))

    def _copy(self, task, source, target):
        for line in source:
            try:
                target.write(f"[{task}] {line.decode(errors='replace')}")
                target.flush()
            except BrokenPipeError:  # the reader has gone away (`| head`): all save and stop
                if task == 0 and target is sys.stdout and not self._is_told:  # a second signal would kill them
                    self.is_unread = True
                    self.signal(signal.SIGHUP)
            except OSError:  # a full disk: the workers go on
                pass

    def signal(self, number):
        self._is_told = True
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, number)

    def wait(self):
        """Waits until all have ended, which they do soon after one has failed.

        Returns:
          Their statuses, and those of the tasks that did not end and were killed here.
        """
        deadline, killed = None, set()
        while any(process.poll() is None for process in self.processes):
            if deadline is None and any(process.returncode for process in self.processes):
                deadline = time.monotonic() + _END_SECONDS
            if deadline and time.monotonic() > deadline:
                killed |= {task for task, process in enumerate(self.processes) if process.poll() is None}
                self.signal(signal.SIGKILL)
            time.sleep(0.05)
        for thread in self._threads:
            thread.join()
        return [process.returncode for process in self.processes], killed

    def __exit__(self, *exc_info):
        self.signal(signal.SIGKILL)
        for process in self.processes:
            process.wait()


def run(command, count, restarts):
    """Runs the cluster to its end, and returns the status of the command."""
    can_go_on = any(argument.split("=")[0] == "--save_path" for argument in command)
    received = []
    numbers = [number for number in app.SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    workers = None

    def pass_on(number, frame):
        received.append(number)
        # Ctrl-C also ends `| tee log`: the workers may have been told to stop by that already.
        if workers and not (workers.is_unread and len(received) == 1):
            workers.signal(number)

    previous = {number: signal.signal(number, pass_on) for number in numbers}
    try:
        for attempt in range(restarts + 1):
            with _Workers(command, count) as workers:
                if received:  # while they were started
                    workers.signal(received[-1])
                statuses, killed = workers.wait()
            if not any(statuses):
                return 0
            fallen = [task for task, status in enumerate(statuses) if status < 0 or status == LOST]
            lost = [task for task in fallen if task not in killed]
            dead = [task for task in lost if statuses[task] < 0]
            if received:
                return next((status for status in statuses if status > 0), 128 + received[0])
            if not lost:
                return next(status for status in statuses if status > 0)
            which = f"task {dead[0]} was ended by signal {-statuses[dead[0]]}" if dead else "a task was lost"
            if not can_go_on:
                raise UserError(f"{which}, and without --save_path there is nothing to go on from", LOST)
            if attempt < restarts:
                print(f"{which[0].upper()}{which[1:]}: all start again ({attempt + 1} of {restarts})", flush=True)
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
    raise UserError(f"{which}, and {restarts} restarts are used up: the same command goes on", LOST)


@app.command
def main(argv=None):
    args = parse_args(argv)
    is_alone = isolate()
    if not is_alone and args.workers > 1:
        print("The workers' ports are open to the network, and to all users of this machine (docs/clusters.md)")
    if status := run(args.command, args.workers, args.restarts):
        raise SystemExit(status)
