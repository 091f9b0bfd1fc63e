"""What the processes of a cluster tell each other beside tensors: who they are, what they want, and that they live.

Task 0, the chief, has a connection to each of the others. They listen at their addresses of --worker_hosts until all
have met; then TensorFlow's server takes the address, and the connections stay. A message is a line of JSON:

    {"hello": task, "hosts": [...]}     first in both directions
    {"value": ...}                      of `exchange`, to the chief and back from it
    {"note": line}                      from the chief, to be printed
    {"end": line, "status": ...}        the sender ends, and so does whoever reads it
    {"bye": true}                       the sender is done
    {"ping": true}                      every second: the sender lives

A process that is killed is found out by its closed connection, at once, one that hangs by its silence.
"""

import asyncio
import base64
import contextlib
import json
import os
import queue
import socket
import sys
import threading
import time

import numpy as np

from tf1.app import Interrupted, UserError

LOST = 75  # the status of a process whose peer is lost: EX_TEMPFAIL, the same command can be given again
_PING_SECONDS = 1.0
_NOTICE_SECONDS = 30.0  # between two lines that say whom one waits for
_DIAL_SECONDS = 5.0
_ENDING_SECONDS = 5.0  # in which a task of the run before has ended
_GRACE_SECONDS = 2.0  # from a fault on, for the main thread to come to its own end
_LINE_BYTES = 1 << 30
_UNREACHABLE = (OSError, asyncio.TimeoutError)  # noqa: UP041, the second is no OSError before Python 3.11
_NO_MESSAGE = (ValueError, KeyError, TypeError, RecursionError)  # what reading a line that is none of ours can raise


def encoded(value):
    """JSON for a value, a dict or a list of such, whose numbers may be NumPy arrays."""

    def encode_array(array):
        data = base64.b64encode(np.ascontiguousarray(array).tobytes()).decode()
        return {"dtype": array.dtype.str, "shape": array.shape, "base64": data}

    return json.dumps(value, default=encode_array)


def decoded(text):
    """The value that `encoded` made the JSON of."""

    def decode_array(value):
        if "base64" not in value:
            return value
        array = np.frombuffer(base64.b64decode(value["base64"]), value["dtype"])
        return array.reshape(value["shape"])

    return json.loads(text, object_hook=decode_array)


def tell(hosts, error):
    """Tells those who wait at the addresses that a process of theirs cannot start, and why."""
    message = encoded({"end": str(error), "status": error.status, "signum": 0})
    for host, _, port in (address.rpartition(":") for address in hosts):
        with contextlib.suppress(OSError):  # nobody is there
            with socket.create_connection((host.strip("[]"), int(port)), timeout=1) as connection:
                connection.sendall(f"{message}\n".encode())


class Peers:
    """The other processes of the cluster; a thread talks with them.

    Args:
      hosts: the address of each task, "host:port".
      task: this process's.
      timeout: seconds of silence after which a peer counts as lost.

    Attributes:
      failure: the exception that this process has to end with, because another one ends; None: there is none.
    """

    def __init__(self, hosts, task, timeout):
        self._hosts, self._task, self._timeout = hosts, task, timeout
        self._inbox = {other: queue.Queue() for other in range(len(hosts)) if other != task}
        self._dialed, self._writers, self._heard, self._done = {}, {}, {}, set()
        self._server, self._closing, self._tasks = None, False, set()
        # Those of now: a worker's stdout will be turned off, and stderr is held back while TensorFlow is imported.
        self._stdout, self._stderr = sys.stdout, os.dup(2) if sys.stderr else None
        self.failure = None
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()
        self._call(self._start())

    def name(self, task):
        return f"task {task} ({self._hosts[task]})"

    # What the main thread calls.

    def exchange(self, value=None, answer=None, poll=lambda: None):
        """Sends a value to the chief, and returns what the chief answers; all processes call it in the same order.

        Args:
          value: what `encoded` takes.
          answer: the chief calls it with the values of all tasks, a list; it returns the answers, a list. None: each
            gets None.
          poll: called again and again while the others are awaited; what it raises ends the waiting.
        """
        if self._task:
            self._send(0, {"value": value})
            return self._receive(0, poll)
        values = [value, *(self._receive(other, poll) for other in range(1, len(self._hosts)))]
        answers = answer(values) if answer else [None] * len(values)
        for other in range(1, len(self._hosts)):
            self._send(other, {"value": answers[other]})
        return answers[0]

    def check(self):
        """Raises the failure of another process, if there is one."""
        if self.failure:
            raise self.failure

    def wait_for_failure(self, seconds):
        """Waits so long for the reason of an error that this process has met."""
        end = time.monotonic() + seconds
        while not self.failure and time.monotonic() < end:
            time.sleep(0.02)

    def stop_listening(self):
        """Gives the address free, for TensorFlow's server."""

        async def stop():
            self._server.close()

        self._call(stop())

    def close(self, error=None):
        """Ends the connections. The others end with the `error`, if there is one, where they can still be told."""
        self._call(self._close(error))

    def _call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def _send(self, other, message):
        self._loop.call_soon_threadsafe(self._write, other, message)

    def _receive(self, other, poll):
        while True:
            self.check()
            try:
                message = self._inbox[other].get(timeout=0.1)
            except queue.Empty:
                poll()
                continue
            if message is not None:  # else there is a failure
                return message["value"]

    # What the thread does.

    async def _start(self):
        port = int(self._hosts[self._task].rpartition(":")[2])
        try:
            self._server = await asyncio.start_server(self._accept, port=port, limit=_LINE_BYTES)
        except OSError as error:
            error = UserError(f"port {port} cannot be used ({os.strerror(error.errno)}): name a free one")
            await self._close(error)
            raise error from None
        if self._task == 0:
            for other in self._inbox:
                self._spawn(self._dial(other))
        self._spawn(self._say_who_is_missing())
        self._spawn(self._watch())

    def _spawn(self, coroutine):
        task = self._loop.create_task(coroutine)  # the loop itself keeps weak references alone
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _write(self, other, message):
        if other in self._writers:
            self._writers[other].write(f"{encoded(message)}\n".encode())

    async def _dial(self, other):
        """Connects with a task, as soon as it listens.

        What gives no right answer may be a task of the run before, which is still ending where this one was restarted
        at once; some seconds later it is none of this cluster.
        """
        first = None
        while True:
            try:
                reader, writer = await self._connect(other)
            except _UNREACHABLE:
                await asyncio.sleep(0.2)
                continue
            if self._closing or self.failure:
                return writer.close()  # the other one is told
            first = first or time.monotonic()
            # From the hello on, why this process ends has to go the same way: it must not come after the connection's
            # end.
            self._dialed[other] = writer
            writer.write(f"{encoded({'hello': other, 'hosts': self._hosts})}\n".encode())
            try:
                hello = await asyncio.wait_for(self._read_message(reader), self._timeout)
            except (*_UNREACHABLE, *_NO_MESSAGE):
                self._dialed.pop(other).close()
            else:
                return self._greet(other, hello, reader, writer)
            if time.monotonic() - first > _ENDING_SECONDS:
                line = f"what listens at {self._hosts[other]} is no task of this cluster: name a free port"
                return self._fail(line, 2)
            await asyncio.sleep(0.2)

    async def _accept(self, reader, writer):
        """A connection from the chief, or from a task that could not start and says why."""
        try:
            hello = await asyncio.wait_for(self._read_message(reader), _DIAL_SECONDS)
            if "end" in hello:
                return self._fail(**_failure(hello))
            if not isinstance(hello["hosts"], list) or 0 in self._writers or self._task == 0:
                raise ValueError
            hello = {**hello, "hello": 0, "asked": hello["hello"]}
        except (*_UNREACHABLE, *_NO_MESSAGE):
            return writer.close()  # nobody of ours
        writer.write(f"{encoded({'hello': self._task, 'hosts': self._hosts})}\n".encode())
        self._greet(0, hello, reader, writer)

    def _greet(self, other, hello, reader, writer):
        """Takes the connection, if both name the same cluster and mean the same task."""
        if "end" in hello:
            return self._fail(**_failure(hello))
        hosts, asked = hello.get("hosts", []), hello.get("asked", self._task)
        if hosts != self._hosts:
            counts = f"{self.name(self._task)} counts {len(self._hosts)} workers and another one {len(hosts)}"
            if len(hosts) == len(self._hosts):
                counts = f"{self.name(self._task)} names {','.join(self._hosts)} and another one {','.join(hosts)}"
            return self._fail(f"{counts}: give all the same --worker_hosts", 2)
        if hello["hello"] != other or asked != self._task:
            line = f"what listens at {self._hosts[other if self._task == 0 else self._task]} has another --task_index"
            return self._fail(f"{line}: give each task its own", 2)
        self._writers[other], self._heard[other] = writer, time.monotonic()
        self._spawn(self._read(other, reader))

    async def _connect(self, other):
        host, _, port = self._hosts[other].rpartition(":")
        connection = asyncio.open_connection(host.strip("[]"), int(port), limit=_LINE_BYTES)
        return await asyncio.wait_for(connection, _DIAL_SECONDS)

    async def _read_message(self, reader):
        message = decoded(await reader.readline())  # ValueError: no JSON, or the connection's end
        if not isinstance(message, dict):
            raise ValueError
        return message

    async def _read(self, other, reader):
        while True:
            try:
                message = await self._read_message(reader)
            except (OSError, *_NO_MESSAGE):
                break
            self._heard[other] = time.monotonic()
            if "value" in message:
                self._inbox[other].put(message)
            elif "note" in message:
                self._print(message["note"])
            elif "end" in message:
                self._fail(**_failure(message))
            elif "bye" in message:
                self._done.add(other)
        if other not in self._done:
            self._fail(f"{self.name(other)} has ended", LOST)

    async def _watch(self):
        """Tells the others that this process lives, and finds out who is silent."""
        last = time.monotonic()
        while True:
            await asyncio.sleep(_PING_SECONDS)
            if self._closing:
                return
            now = time.monotonic()
            if now - last > 3 * _PING_SECONDS:  # this process itself was stopped, or starved
                self._heard = dict.fromkeys(self._heard, now)
            last = now
            for other in self._writers:
                self._write(other, {"ping": True})
                if now - self._heard[other] > self._timeout and other not in self._done:
                    self._fail(f"{self.name(other)} has not answered for {self._timeout:g} s", LOST)

    async def _say_who_is_missing(self):
        while True:
            await asyncio.sleep(_NOTICE_SECONDS)
            if self._closing:
                return
            missing = [other for other in self._inbox if other not in self._writers]
            if self._task:
                missing = missing and [0] if 0 not in self._writers else []
            if missing:
                self._print(line := f"Waiting for {', '.join(map(self.name, missing))}")
                for other in self._writers:
                    self._write(other, {"note": line})

    def _print(self, line):
        with contextlib.suppress(OSError, ValueError):  # nobody reads it any more
            print(line, file=self._stdout, flush=True)

    def _fail(self, line, status, signum=0):
        """Another process's end becomes this one's, and the chief passes it on."""
        if self.failure or self._closing:
            return
        self.failure = Interrupted(signum, line) if signum else UserError(line, status)
        for inbox in self._inbox.values():
            inbox.put(None)
        self._spawn(self._tell({"end": line, "status": status, "signum": signum}))
        self._loop.call_later(_GRACE_SECONDS, self._give_up)

    def _give_up(self):
        """Ends the process whose main thread waits inside TensorFlow for a task that will not come."""
        if self._closing:
            return
        if isinstance(self.failure, Interrupted):
            self._print(str(self.failure))
        elif self._stderr is not None:
            os.write(self._stderr, f"{os.path.basename(sys.argv[0])}: error: {self.failure}\n".encode())
        os._exit(self.failure.status)

    async def _tell(self, message):
        """Sends the message to all, also to those that there is no connection with yet."""

        async def tell(other):
            if other not in self._writers and self._server and not self._server.is_serving():
                return  # all have met, and this one is lost
            try:
                writer = self._writers.get(other) or self._dialed.get(other) or (await self._connect(other))[1]
                writer.write(f"{encoded(message)}\n".encode())
                await asyncio.wait_for(writer.drain(), 1)
            except _UNREACHABLE:
                pass  # it is not there, or has just ended itself

        await asyncio.wait_for(asyncio.gather(*(tell(other) for other in self._inbox)), 2 * _DIAL_SECONDS)

    async def _close(self, error):
        self._closing = True
        if error is None:
            message = {"bye": True}
        else:
            line = str(error) if error is self.failure else f"{self.name(self._task)}: {error}"
            message = {"end": line, "status": error.status, "signum": getattr(error, "signum", 0)}
        if error is None or error is not self.failure:
            await self._tell(message)
        for writer in self._writers.values():
            writer.close()
        if self._server:
            self._server.close()
        if self._stderr is not None:
            os.close(self._stderr)
            self._stderr = None


def _failure(message):
    return {"line": message["end"], "status": message["status"], "signum": message["signum"]}
