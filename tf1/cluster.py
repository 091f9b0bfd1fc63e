"""Several processes, on one machine or on several, train one network together.

Each worker holds all variables and its own rows of the batch. In each step the gradients of all rows are added up by
TensorFlow's ring all-reduce, so that all workers make the same step, the one that a single process would make with the
whole batch. Nothing else is shared: there is no parameter server.

Whoever can reach a worker's port can run programs on its machine: TensorFlow's server listens on all interfaces,
without password or encryption. docs/clusters.md says what to do about it.
"""

import contextlib
import ctypes
import hashlib
import importlib
import ipaddress
import json
import os
import signal
import sys

import numpy as np

from tf1 import dropout, tf
from tf1.app import SIGNALS, Interrupted, UserError, check_hosts, integer, turn_stdout_off

_GROUP = 1  # TensorFlow's name for the workers, as members of collective operations
_SMALL = 1 << 19  # elements; smaller gradients travel together
_PIECE = 1 << 20  # elements
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of mallopt(3)
_CHUNK_BYTES = 1 << 20  # of what is sent: smaller and larger ones take longer
_HANG_UP = SIGNALS[-1]  # what all workers stop with where the chief's output has lost its reader


def hosts_and_task(args):
    """The addresses of all tasks and the number of this one, from the flags or from TF_CONFIG; ([], 0) without either.

    Raises:
      UserError: they do not go together.
    """
    if args.worker_hosts:
        hosts, task, source = args.worker_hosts, args.task_index, "--worker_hosts"
        if task is None:
            raise UserError("--worker_hosts goes with --task_index: give each process its number, from 0 on")
    elif args.task_index is not None:
        raise UserError("--task_index goes with --worker_hosts: give all addresses as host:port,host:port")
    else:
        hosts, task, source = *_hosts_and_task(*_from_environment()), "TF_CONFIG"
    if hosts and not 0 <= task < len(hosts):
        raise UserError(f"task {task} is out of range: {source} names {len(hosts)}, from 0 to {len(hosts) - 1}")
    return hosts, task


def _from_environment():
    """What TF_CONFIG, which cluster managers set for TensorFlow's own strategies, has: addresses by job, job, index."""
    try:
        config = json.loads(os.environ.get("TF_CONFIG") or "{}")
        jobs, task = config.get("cluster") or {}, config.get("task") or {}
        hosts = {job: check_hosts(",".join(hosts)) for job, hosts in jobs.items() if hosts}
        if hosts:
            check_hosts(",".join(sum(hosts.values(), [])))
        job, index = task.get("type", "worker"), task.get("index", 0)
        if not isinstance(job, str):
            raise ValueError(f"the type {job!r} is no job's name")
        return hosts, job, integer(str(index))
    except (AttributeError, TypeError, ValueError, RecursionError) as error:
        raise UserError(f"TF_CONFIG cannot be read: {error}") from error


def _hosts_and_task(hosts, job, index):
    """The addresses of all tasks, the chief's first, and the number of this one."""
    if not hosts:
        return [], 0
    chiefs = [name for name in ("chief", "master") if name in hosts]
    if others := sorted(set(hosts) - {"worker", *chiefs} | {job} - set(hosts)):
        raise UserError(f"TF_CONFIG has {', '.join(others)}, and there are workers (and a chief) alone: leave that out")
    names = [*chiefs, *(["worker"] if "worker" in hosts else [])]
    before = sum(len(hosts[name]) for name in names[: names.index(job)])
    if not 0 <= index < len(hosts[job]):
        raise UserError(f"TF_CONFIG names {len(hosts[job])} of {job}, and none with the index {index}")
    return [host for name in names for host in hosts[name]], before + index


@contextlib.contextmanager
def errors_told_to_others(args):
    """Within its block a `UserError` ends the other tasks, too, which may be waiting for this one."""
    try:
        yield
    except UserError as error:
        hosts = args.worker_hosts or []
        with contextlib.suppress(UserError):
            hosts = hosts or sum(_from_environment()[0].values(), [])
        if hosts:
            _peers().tell(hosts, error)
        raise


def _as_told(error):
    """The error as other tasks are told it: a signal before or after the training is one that stops all."""
    if isinstance(error, (UserError, Interrupted)):
        return error
    return Interrupted(signal.SIGINT if isinstance(error, KeyboardInterrupt) else (error.code or 0) - 128, "Stopped")


class _Output:
    """The chief's stdout, which may lose its reader (`| head`): its `is_closed` says so, and what follows goes nowhere.

    An error would end the chief in the middle of a step, in which the others wait for it.
    """

    def __init__(self, stream):
        self._stream, self.is_closed = stream, False

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        with self._watched():
            return self._stream.write(text)

    def flush(self):
        with self._watched():
            self._stream.flush()

    @contextlib.contextmanager
    def _watched(self):
        try:
            yield
        except BrokenPipeError:
            self.is_closed = True
            turn_stdout_off()


class Cluster(contextlib.AbstractContextManager):
    """This process as one of the workers, from the flags; without them it is the only one, and nothing is different.

    It is a context manager: within its block the worker is there for the others, and tasks other than 0, the chief,
    print nothing.

        with Cluster(args, config) as cluster:
            rows = cluster.rows(config.batch_size)                     # of the batch, those of this worker
            cost, *grads = cluster.add_up(cost, *grads)                # in the graph: over all rows
            with Run(..., cluster=cluster) as run:
                text = cluster.by_chief(lambda: write_text(...))       # done once, and known to all

    Args:
      args: the parsed flags `worker_hosts`, `task_index`, `peer_timeout`; a worker's `save_path` becomes None, since
        the chief alone writes.
      config: the run's, whose `batch_size` is the rows of a batch, of all workers together.

    Attributes:
      size: how many workers there are.
      task: the number of this one, from 0 on.
      is_chief: whether it is task 0.
      ask: a function, set by `Run`: the signal that this process has got, and whether a checkpoint is due.
    """

    def __init__(self, args=None, config=None):
        self._hosts, self.task = [], 0
        if args:
            with errors_told_to_others(args):
                self._hosts, self.task = hosts_and_task(args)
        self.size, self.is_chief = max(1, len(self._hosts)), self.task == 0
        self.ask = lambda: (0, False)
        self._args, self._config, self._peers, self._works_alone = args, config, None, self.size == 1
        self._agreed, self._instances, self._output = (0, False), 0, None

    def __enter__(self):
        self._stack = contextlib.ExitStack()
        if self.size == 1:
            return self
        os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"  # its lines about a lost peer say less than ours
        with self._stack:
            self._peers = _peers().Peers(self._hosts, self.task, self._args.peer_timeout)
            self._stack.push(self._leave)
            rows = self.rows(self._config.batch_size)
            self._say_who_may_connect()
            self._stack.enter_context(dropout.for_part(self.task, self.size))
            if not self.is_chief:
                of_all = f"{rows.start} to {rows.stop - 1} of {self._config.batch_size}"
                print(f"Task {self.task} of {self.size}: rows {of_all}")
                self._args.save_path = self._args.save_every = None
                self._stack.enter_context(contextlib.redirect_stdout(self._stack.enter_context(open(os.devnull, "w"))))
            elif sys.stdout:
                self._output = self._stack.enter_context(contextlib.redirect_stdout(_Output(sys.stdout)))
            _keep_memory()
            self._stack = self._stack.pop_all()
        return self

    def __exit__(self, *exc_info):
        return self._stack.__exit__(*exc_info)

    def _leave(self, exc_type, error, traceback):
        """Tells the others how this process ends; an error that comes from the loss of another one names that one."""
        if error is None:
            try:
                self.exchange(interruptible=True)  # the chief may still read the test set
            except (UserError, Interrupted, KeyboardInterrupt, SystemExit) as another:
                self._peers.close(_as_told(another))
                raise
            self._peers.close()
            if not self.is_chief:
                print(f"Task {self.task} has ended")
            return False
        if isinstance(error, (UserError, Interrupted, KeyboardInterrupt, SystemExit)):
            self._peers.close(_as_told(error))
        else:
            if isinstance(error, tf.errors.OpError):
                self._raise_loss(error)
            self._peers.close(UserError(f"{exc_type.__name__}: {error}"[:200], 1))
        return False

    def _raise_loss(self, error):
        """Raises the loss of another worker, where that is why TensorFlow has failed."""
        self._peers.wait_for_failure(1.0)
        lost = self._peers.failure
        if not lost and isinstance(error, (tf.errors.UnavailableError, tf.errors.AbortedError)):
            lost = UserError("TensorFlow has lost the connection to another worker", _peers().LOST)
        if lost:
            self._peers.close(lost)
            raise lost from error

    def _say_who_may_connect(self):
        def is_loopback(host):
            name = host.rpartition(":")[0].strip("[]")
            with contextlib.suppress(ValueError):
                return ipaddress.ip_address(name).is_loopback
            return name == "localhost"

        if not all(map(is_loopback, self._hosts)):
            port = self._hosts[self.task].rpartition(":")[2]
            print(
                f"Whoever can reach port {port} of this machine can run programs on it: "
                "let a firewall admit the other workers alone (docs/clusters.md)"
            )

    # What is dealt out.

    def rows(self, batch_size):
        """The rows of a batch that are this worker's, a range.

        Raises:
          UserError: they do not divide.
        """
        if batch_size % self.size:
            raise UserError(
                f"a batch of {batch_size} rows cannot be dealt to {self.size} workers: "
                f"give --set batch_size=N with a multiple of {self.size}"
            )
        count = batch_size // self.size
        return range(self.task * count, (self.task + 1) * count)

    def own_rows(self, array):
        """This worker's part of an array whose axis before the last is the batch's."""
        if self.size == 1:
            return array
        rows = self.rows(array.shape[-2])
        return array[..., rows.start : rows.stop, :]

    def all_rows(self, parts):
        """The array whose `own_rows` the parts are, in the order of the tasks."""
        return parts[0] if self.size == 1 else np.concatenate(parts, axis=-2)

    def folder_of(self, args):
        """Where the pictures belong; None in a worker, which draws none."""
        return (args.save_path or "plots") if self.is_chief else None

    # What is added up.

    def add_up(self, *tensors):
        """The sums over all workers of float32 tensors of known shapes; of `IndexedSlices` the rows of all workers.

        One call makes one step of the cluster: with the tensors travels what the workers ask for.
        """
        if self.size == 1:
            return list(tensors)
        with tf.name_scope("add_up"), tf.device("/cpu:0"):
            results = list(tensors)
            small = {}
            for place, tensor in enumerate(tensors):
                if isinstance(tensor, tf.IndexedSlices):
                    results[place] = self._all_slices(tensor)
                elif tensor.shape.num_elements() < _SMALL:
                    small[place] = tensor
                else:
                    results[place] = self._sum(tensor)
            asked = tf.py_func(self._asked, [], tf.float32)
            asked.set_shape([1 + len(SIGNALS)])
            parts = [tf.reshape(tensor, [-1]) for tensor in small.values()] + [asked]
            sizes = [part.shape.num_elements() for part in parts]
            *parts, asked = tf.split(self._sum(tf.concat(parts, axis=0)), sizes)
            noted = tf.py_func(self._note, [asked], [])
            with tf.control_dependencies([noted]):
                for place, values in zip(small, parts):
                    results[place] = tf.reshape(values, small[place].shape)
        return results

    def _instance(self):
        self._instances += 1
        return {"group_size": self.size, "group_key": _GROUP, "instance_key": self._instances}

    def _sum(self, tensor):
        # In pieces that a core's cache holds: with TensorFlow's own choice, two at most, it takes a fifth longer.
        pieces = min(8, max(1, 2 * tensor.shape.num_elements() // (self.size * _PIECE)))
        return tf.raw_ops.CollectiveReduce(
            input=tensor,
            merge_op="Add",
            final_op="Id",
            subdiv_offsets=[0] * pieces,
            communication_hint="ring",
            **self._instance(),
        )

    def _all_slices(self, slices):
        """The rows of all workers, one below the other, as they stand in the whole batch."""
        count, width = slices.values.shape.as_list()
        indices = tf.bitcast(slices.indices, tf.float32)[:, None]  # so that they travel with the values
        rows = tf.concat([slices.values, indices], axis=1)
        shape = [self.size * count, width + 1]
        rows = tf.raw_ops.CollectiveGather(input=rows, shape=shape, communication_hint="ring", **self._instance())
        values, indices = tf.split(rows, [width, 1], axis=1)
        return tf.IndexedSlices(values, tf.bitcast(indices[:, 0], tf.int32), slices.dense_shape)

    def broadcast(self, variables):
        """An operation that gives the variables of all workers the chief's values."""
        assignments = []
        if self.size == 1:
            return tf.no_op()
        with tf.name_scope("broadcast"), tf.device("/cpu:0"):
            for variable in variables:
                shape = variable.shape
                if self.is_chief:
                    sent = tf.raw_ops.CollectiveBcastSend(
                        input=variable.read_value(), shape=shape, communication_hint="ring", **self._instance()
                    )
                    assignments.append(sent)
                else:
                    received = tf.raw_ops.CollectiveBcastRecv(
                        T=variable.dtype.base_dtype, shape=shape, communication_hint="ring", **self._instance()
                    )
                    assignments.append(tf.assign(variable, received))
        return tf.group(assignments)

    # What all agree upon.

    @property
    def agreed(self):
        """The signal that a worker has got, or 0, and whether a checkpoint is due; in all the same since a step."""
        return self._own_wishes() if self._works_alone else self._agreed

    def _own_wishes(self):
        """The signal that this process has got, or 0, and whether a checkpoint is due."""
        signum, is_due = self.ask()
        return signum or (_HANG_UP if self._output and self._output.is_closed else 0), is_due

    def _asked(self):
        """What this process asks for as numbers that can be added up: of a checkpoint, of each signal."""
        signum, is_due = self._own_wishes()
        return np.float32([is_due, *(signum == number for number in SIGNALS)])

    def _note(self, asked):
        is_due, *signals = asked
        self._agreed = next((number for number, count in zip(SIGNALS, signals) if count), 0), bool(is_due)

    def exchange(self, value=None, answer=None, interruptible=False):
        """`Peers.exchange`; where `interruptible`, a signal that this process gets ends the waiting."""
        if self.size == 1:
            return answer([value])[0] if answer else None

        def poll():
            signum, _ = self._own_wishes()
            if interruptible and signum:
                raise Interrupted(signum, "Stopped while it waited for the other workers")

        return self._peers.exchange(value, answer, poll)

    def check(self):
        """Raises what another process has ended with."""
        if self._peers:
            self._peers.check()

    def by_chief(self, compute):
        """What `compute()`, called in the chief, returns, JSON values; the others wait for it."""

        def answer(values):
            works_alone, self._works_alone = self._works_alone, True
            try:
                return [compute()] * self.size
            finally:
                self._works_alone = works_alone

        return self.exchange(answer=answer, interruptible=True)

    def total(self, value):
        """The sum of the workers' numbers, in the order of the tasks; what they ask for travels along."""

        def answer(values):
            signum = next((signum for _, signum in values if signum), 0)
            return [(sum(value for value, _ in values), signum)] * self.size

        total, signum = self.exchange((value, self._own_wishes()[0]), answer)
        self._agreed = signum, False
        return total

    def meet(self, identity, session_config):
        """Waits for all the others, and starts TensorFlow's server.

        Args:
          identity: what must be the same in all, a dict of JSON values.
          session_config: a `ConfigProto`; it gets what the cluster needs.
        Returns:
          The target of the session.
        """
        if self.size == 1:
            return ""
        import configs  # not above: the launcher is started from any folder

        # The whole config, also what a run's identity leaves out: with fewer epochs one would stop before the others.
        own = {**identity, "config": configs.values(self._config), "tensorflow": tf.VERSION, "program": _program()}
        own = json.loads(json.dumps(own))  # as it comes from the others

        def compare(identities):
            for task, other in enumerate(identities):
                if difference := _difference(identities[0], other):
                    raise UserError(f"{self._peers.name(task)} differs from task 0 in {difference}: start all alike")
            return [None] * self.size

        self.exchange(own, compare, interruptible=True)
        self._peers.stop_listening()
        self.exchange()  # all listeners are gone
        session_config.experimental.collective_group_leader = "/job:worker/replica:0/task:0"
        session_config.experimental.recv_buf_max_chunk = _CHUNK_BYTES
        session_config.device_filters.append(f"/job:worker/task:{self.task}")
        spec = tf.train.ClusterSpec({"worker": self._hosts})
        try:
            server = tf.train.Server(spec, "worker", self.task, config=session_config)
        except tf.errors.OpError as error:
            raise UserError(f"TensorFlow's server cannot use {self._hosts[self.task]}: {error.message}") from error
        self.exchange()  # all servers listen: a step that finds one missing would spoil the group for good
        return server.target


def _keep_memory():
    """Makes the C library keep what is freed: buffers of all gradients that come from the system anew in each step take
    twice as long to send."""
    with contextlib.suppress(AttributeError, OSError):  # another C library than glibc
        for option in _TRIM_THRESHOLD, _MMAP_THRESHOLD:
            ctypes.CDLL(None).mallopt(option, 2**31 - 1)


def _peers():
    """The module, imported when it is needed: asyncio takes a good part of the half second that --help has."""
    return importlib.import_module("tf1.peers")


ALONE = Cluster()


def _program():
    """A digest of this project's modules: other ones would build another graph."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    digest = hashlib.sha256()
    paths = {getattr(module, "__file__", None) for module in sys.modules.values()}
    for path in sorted(path for path in paths if path and path.startswith(root) and "site-packages" not in path):
        with open(path, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()[:12]


def _difference(first, other, prefix=""):
    """The first entry that differs, in words."""
    for key in sorted(set(first) | set(other)):
        one, two = first.get(key), other.get(key)
        if isinstance(one, dict) and isinstance(two, dict):
            if found := _difference(one, two, f"{key} "):
                return found
        elif one != two:
            return f"{prefix}{key} ({two} and {one})"
    return None


if __name__ == "__main__":
    from tf1.launcher import main

    main()
