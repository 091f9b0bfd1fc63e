"""Several real processes on the loopback address train one network: tf1/cluster.py, tf1/peers.py, tf1/launcher.py."""

import contextlib
import errno
import json
import os
import pathlib
import random
import re
import signal
import socket
import subprocess
import sys
import time
import types

import numpy as np
import pytest
import yaml

import char_gru
from configs import PTB_CONFIGS
from conftest import ROOT, slow
from ptb_word_lm import parse_args
from tf1 import app, launcher, tf
from tf1.app import UserError
from tf1.cluster import Cluster, hosts_and_task
from tf1.launcher import cores_of, free_ports

PTB = ["ptb_word_lm.py", "--config=test", "--set=keep_prob=0.5", "--set=num_layers=2", "--set=hidden_size=20"]
PTB += ["--set=batch_size=20", "--set=num_steps=10", "--set=max_max_epoch=1", "--set=learning_rate=0.5"]
CHAR = ["char_gru.py", "--config=test", "--set=keep_prob=0.5", "--set=num_layers=2", "--set=max_length=20"]
CHAR += ["--set=n_epochs=1", "--set=num_generate=20"]
# Runs a script, and writes the weights of this worker at the end.
DUMP = """
import os, sys
import numpy as np
from tf1 import tf, training
end = training.Run.end_epoch
def end_epoch(run, *args, **values):
    end(run, *args, **values)
    np.savez(os.environ["DUMP"], **{v.op.name: run.session.run(v) for v in tf.trainable_variables()})
training.Run.end_epoch = end_epoch
script = sys.argv[1]
sys.argv[:2] = [script]
__import__(script[:-3]).main()
"""


@pytest.fixture
def corpus(tmp_path):
    """A folder with a small corpus of 60 words; 20 rows make 100 steps of 10 words."""
    random_state = np.random.RandomState(0)
    words = [f"w{number}" for number in range(60)]
    folder = tmp_path / "corpus"
    folder.mkdir()
    for split, lines in ("train", 1011), ("valid", 60), ("test", 20):
        text = "".join(" ".join(random_state.choice(words, 19)) + "\n" for _ in range(lines))
        (folder / f"ptb.{split}.txt").write_text(text)
    return folder


@pytest.fixture
def text(tmp_path):
    """A text of 20,000 characters."""
    path = tmp_path / "text.txt"
    path.write_text("".join(np.random.RandomState(0).choice(list("abcdefghij \n"), 20000)))
    return path


@pytest.fixture
def cluster():
    """Starts clusters; at the test's end none of their processes is left."""
    started = []

    def start(count, command, each=lambda task: [], dump=None, hosts=None, tasks=None):
        """The processes of the tasks; `each` gives further flags of one, `dump` is a folder for their weights."""
        hosts = hosts or [f"127.0.0.1:{port}" for port in free_ports(count)]
        processes = []
        for task in range(count) if tasks is None else tasks:
            program = [sys.executable, "-c", DUMP, *command] if dump else [sys.executable, *command]
            flags = [f"--worker_hosts={','.join(hosts)}", f"--task_index={task}"] if count > 1 else []
            environment = {**os.environ, "DUMP": f"{dump}/{count}-{task}.npz", "PYTHONPATH": str(ROOT)}
            process = subprocess.Popen(
                [*program, *flags, *each(task)],
                cwd=ROOT,
                env=environment,
                text=True,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            process.hosts = hosts
            processes.append(process)
        started.extend(processes)
        return processes

    yield start
    for process in started:
        process.kill()
        process.communicate()


def ended(processes, timeout=120):
    """Of each process the status, and what it has written to stdout and to stderr."""
    results = []
    for process in processes:
        out, err = process.communicate(timeout=timeout)
        results.append((process.returncode, out, err))
    return results


def succeeded(processes):
    results = ended(processes)
    assert [status for status, *_ in results] == [0] * len(results), results
    return results


def wait_for(process, pattern):
    """Reads the lines of a process until one matches."""
    while line := process.stdout.readline():
        if re.search(pattern, line):
            return
    raise AssertionError(process.stderr.read())


def wait_until_idle(process):
    """Until the process has computed next to nothing for a second."""
    before, now = -100, 0
    while now > before + 5:  # in hundredths of a second, user's and system's
        time.sleep(1)
        fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        before, now = now, int(fields[11]) + int(fields[12])


def weights(folder, count):
    return [dict(np.load(folder / f"{count}-{task}.npz")) for task in range(count)]


def checkpoint(folder):
    reader = tf.train.load_checkpoint(tf.train.latest_checkpoint(str(folder)))
    names = [name for name in reader.get_variable_to_shape_map() if name != "resume/json"]
    return {name: reader.get_tensor(name) for name in names}


def are_equal(one, other):
    return one.keys() == other.keys() and all(np.array_equal(one[name], other[name]) for name in one)


def perplexities(out):
    return [float(value) for value in re.findall(r"(?:Perplexity:|loss|Loss) (\d+\.\d+)", out)]


class TestOneNetwork:
    @pytest.mark.parametrize(
        "name,counts,flags",
        [
            ("ptb", [1, 2], []),
            slow("ptb", [2, 2], []),
            slow("ptb", [1, 4], ["--rnn_mode=basic"]),
            slow("ptb", [1, 2, 2], ["--precision=bf16"]),
            slow("char", [1, 2, 4], []),
            slow("char", [1, 2], ["--rnn_mode=basic", "--batching=tutorial"]),
        ],
    )
    def test_any_number_of_workers_makes_the_same_steps(self, name, counts, flags, cluster, corpus, text, tmp_path):
        command = [*PTB, f"--data_path={corpus}"] if name == "ptb" else [*CHAR, f"--data_path={text}"]
        runs, printed = [], []
        for run, count in enumerate(counts):
            folder = tmp_path / f"run{run}"
            folder.mkdir()
            saving = [*command, *flags, f"--save_path={folder}/run"]
            results = succeeded(cluster(count, saving, dump=folder))
            of_workers = weights(folder, count)
            assert all(are_equal(of_workers[0], other) for other in of_workers)
            runs.append(of_workers[0])
            printed.append(perplexities(results[0][1]))
            for task, (_, out, err) in enumerate(results[1:], start=1):
                begin, end = out.splitlines()
                assert begin.startswith(f"Task {task} of {count}: rows ") and end == f"Task {task} has ended"
                assert not err
        assert len(printed[0]) >= 3
        for values, numbers in zip(runs, printed):
            # The gradients are sums in another order; bf16 rounds operands that differ in their last bits to 8 bits.
            tolerance = {"rtol": 0.02, "atol": 0.02} if flags == ["--precision=bf16"] else {"rtol": 1e-3, "atol": 1e-4}
            np.testing.assert_allclose(numbers, printed[0], rtol=2e-4)
            for variable in values:
                np.testing.assert_allclose(values[variable], runs[0][variable], **tolerance)
        if counts[-1] == counts[-2]:
            assert are_equal(runs[-1], runs[-2])

    @pytest.mark.slow
    def test_a_checkpoint_goes_on_with_another_number_of_workers(self, cluster, corpus, tmp_path):
        command = [*PTB, f"--data_path={corpus}"]
        succeeded(cluster(1, [*command, f"--save_path={tmp_path}/alone"]))
        saving = [*command, f"--save_path={tmp_path}/runs", "--save_every=10steps"]
        processes = cluster(2, saving)
        wait_for(processes[0], r"^0\.[3-6]")
        processes[1].send_signal(signal.SIGTERM)  # what one process gets, all obey
        (status, out, _), (other_status, other_out, _) = ended(processes)
        assert status == other_status == 128 + signal.SIGTERM
        assert re.search(r"Stopped in epoch 1 at step \d+ of \d+: saved in", out)
        assert re.search(r"^Stopped in epoch 1 at step \d+ of \d+$", other_out, re.MULTILINE)
        ((_, out, _),) = succeeded(cluster(1, saving))
        assert "Going on from" in out
        alone, resumed = checkpoint(tmp_path / "alone"), checkpoint(tmp_path / "runs")
        for name in alone:
            np.testing.assert_allclose(alone[name], resumed[name], rtol=1e-3, atol=1e-4)


class TestFaults:
    @pytest.mark.parametrize("victim", [0, slow(1)])
    def test_a_killed_process_ends_all_which_go_on_bit_for_bit(self, victim, cluster, corpus, tmp_path):
        command = [*PTB, f"--data_path={corpus}", "--save_every=7steps"]
        succeeded(cluster(2, [*command, f"--save_path={tmp_path}/whole"]))
        whole = checkpoint(tmp_path / "whole")
        killed = [*command, f"--save_path={tmp_path}/killed"]
        processes = cluster(2, killed)
        wait_for(processes[0], r"^0\.[3-6]")
        processes[victim].kill()
        start = time.monotonic()
        ((status, _, err),) = ended([processes[1 - victim]])
        assert time.monotonic() - start < 5
        assert status == 75
        assert err == f"ptb_word_lm.py: error: task {victim} ({processes[0].hosts[victim]}) has ended\n"
        succeeded(cluster(2, killed, hosts=processes[0].hosts))
        assert are_equal(whole, checkpoint(tmp_path / "killed"))

    @pytest.mark.parametrize("script", [slow("ptb"), slow("char")])
    def test_kills_at_any_moment(self, script, cluster, corpus, text, tmp_path):
        command = [*PTB, f"--data_path={corpus}"] if script == "ptb" else [*CHAR, f"--data_path={text}"]
        command += ["--save_every=3steps"]
        succeeded(cluster(2, [*command, f"--save_path={tmp_path}/whole"]))
        command += [f"--save_path={tmp_path}/killed"]
        for kill in range(18):
            processes = cluster(2, command)
            time.sleep(random.Random(kill).uniform(2, 9))
            victim = kill % 2
            processes[victim].kill()
            start = time.monotonic()
            ((status, _, err),) = ended([processes[1 - victim]])
            assert time.monotonic() - start < 5
            assert status in (0, 75) and len(err.splitlines()) <= 1, err
        succeeded(cluster(2, command))
        assert are_equal(checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "killed"))

    @pytest.mark.parametrize("victim", [slow(0), slow(1)])
    def test_a_process_that_hangs_is_lost_after_peer_timeout(self, victim, cluster, corpus):
        command = [*PTB, f"--data_path={corpus}", "--set=max_max_epoch=1000", "--peer_timeout=3"]
        processes = cluster(2, command)
        wait_for(processes[0], r"^0\.[3-6]")
        processes[victim].send_signal(signal.SIGSTOP)
        start = time.monotonic()
        ((status, _, err),) = ended([processes[1 - victim]])
        assert 2 < time.monotonic() - start < 8
        assert status == 75
        assert err.endswith(f"task {victim} ({processes[0].hosts[victim]}) has not answered for 3 s\n")
        processes[victim].send_signal(signal.SIGCONT)
        ((status, _, err),) = ended([processes[victim]])
        assert status == 75

    @pytest.mark.parametrize("number", [slow(signal.SIGINT), slow(signal.SIGTERM)])
    def test_a_signal_while_it_waits(self, number, cluster, corpus):
        processes = cluster(2, [*PTB, f"--data_path={corpus}"], tasks=[0])
        wait_for(processes[0], "Corpus")
        wait_until_idle(processes[0])  # the graph is built
        processes[0].send_signal(number)
        ((status, out, err),) = ended(processes)
        assert (status, out, err) == (128 + number, "Stopped while it waited for the other workers\n", "")

    @pytest.mark.slow
    @pytest.mark.parametrize("task", [0, 1])
    def test_who_is_waited_for_is_said_every_30_seconds(self, task, cluster, corpus):
        (process,) = cluster(2, [*PTB, f"--data_path={corpus}"], tasks=[task])
        start = time.monotonic()
        for lines in (1, 2):
            wait_for(process, f"^Waiting for task {1 - task} \\({process.hosts[1 - task]}\\)$")
            assert time.monotonic() - start == pytest.approx(30 * lines, abs=5)

    def test_an_output_that_nobody_reads_any_more_stops_all(self, cluster, corpus, tmp_path):
        command = [*PTB, f"--data_path={corpus}", f"--save_path={tmp_path}/runs"]
        processes = cluster(2, command)
        wait_for(processes[0], r"^0\.[3-6]")
        processes[0].stdout.close()  # as `| head` does
        processes[0].stdout = None
        (status, _, err), (other_status, other_out, other_err) = ended(processes)
        assert status == other_status == 128 + signal.SIGHUP
        assert err == other_err == "" and "Stopped in epoch" in other_out
        (step,) = re.findall(r"Stopped in epoch \d at step (\d+) of", other_out)
        assert tf.train.latest_checkpoint(f"{tmp_path}/runs").endswith(f"model-{step}")

    @pytest.mark.slow
    def test_a_full_disk_at_the_chief_ends_all(self, cluster, corpus, tmp_path):
        command = [*PTB, f"--data_path={corpus}", f"--save_path={tmp_path}/runs", "--set=max_max_epoch=1000"]
        processes = cluster(2, command)
        wait_for(processes[0], "Epoch: 1 Valid")
        time.sleep(0.5)
        subprocess.run(["prlimit", f"--pid={processes[0].pid}", "--fsize=1000"], check=True)
        (status, _, err), (other_status, _, other_err) = ended(processes)
        assert status == other_status == 1
        assert err.startswith("ptb_word_lm.py: error: no ") and len(err.splitlines()) == 1
        assert other_err.startswith(f"ptb_word_lm.py: error: task 0 ({processes[0].hosts[0]}): no ")
        assert len(other_err.splitlines()) == 1


class TestRefusals:
    @pytest.mark.parametrize(
        "flags,words",
        [
            (["--worker_hosts=a:1,b"], "'b' is no address like host:2222"),
            (["--worker_hosts=a:1,b:70000"], "'b:70000' is no address"),
            (["--worker_hosts=a:1,,b:2"], "'' is no address"),
            (["--worker_hosts=a..b:1"], "'a..b:1' is no address"),
            ([f"--worker_hosts={'a' * 64}:1"], "is no address"),
            (["--worker_hosts=a\1:1"], "is no address"),
            (["--worker_hosts=a:1,a:1", "--task_index=0"], "a:1 is there twice"),
            (["--worker_hosts=a:1,b:2"], "--worker_hosts goes with --task_index"),
            (["--task_index=1"], "--task_index goes with --worker_hosts"),
            (
                ["--worker_hosts=a:1,b:2", "--task_index=2"],
                "task 2 is out of range: --worker_hosts names 2, from 0 to 1",
            ),
            (["--worker_hosts=a:1,b:2", "--task_index=-1"], "task -1 is out of range"),
            (["--peer_timeout=0"], "0 is not in the range"),
        ],
    )
    def test_flags(self, flags, words, capsys):
        with pytest.raises((UserError, SystemExit)) as raised:
            hosts_and_task(parse_args(flags))
        assert words in str(raised.value) + capsys.readouterr().err

    @pytest.mark.parametrize(
        "config,hosts,task",
        [
            ({}, [], 0),
            ({"cluster": {}}, [], 0),
            ({"cluster": {}, "task": {"type": "worker", "index": 0}}, [], 0),
            ({"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 1}}, ["a:1", "b:2"], 1),
            (
                {"cluster": {"worker": ["b:2"], "chief": ["a:1"]}, "task": {"type": "worker", "index": 0}},
                ["a:1", "b:2"],
                1,
            ),
            (
                {"cluster": {"worker": ["b:2"], "chief": ["a:1"]}, "task": {"type": "chief", "index": 0}},
                ["a:1", "b:2"],
                0,
            ),
        ],
    )
    def test_the_environment(self, config, hosts, task, monkeypatch):
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        assert hosts_and_task(parse_args([])) == (hosts, task)
        assert hosts_and_task(parse_args(["--worker_hosts=c:1,d:2", "--task_index=1"])) == (["c:1", "d:2"], 1)

    def test_an_index_as_text(self, monkeypatch):
        config = {"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": "1"}}
        monkeypatch.setenv("TF_CONFIG", json.dumps(config))
        assert hosts_and_task(parse_args([])) == (["a:1", "b:2"], 1)

    @pytest.mark.parametrize(
        "text,words",
        [
            ("{", "TF_CONFIG cannot be read"),
            ("[]", "TF_CONFIG cannot be read"),
            ('{"cluster": {"worker": ["a"]}}', "'a' is no address"),
            ('{"cluster": {"worker": ["a:1", "b:2"], "ps": ["c:3"]}}', "TF_CONFIG has ps"),
            ('{"cluster": {"worker": ["a:1"]}, "task": {"type": "evaluator", "index": 0}}', "TF_CONFIG has evaluator"),
            (
                '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": 2}}',
                "none with the index 2",
            ),
            (
                '{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": "worker", "index": "x"}}',
                "'x' is not an integer",
            ),
            ('{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"index": true}}', "'True' is not an integer"),
            ('{"cluster": {"worker": ["a:1", "b:2"]}, "task": {"type": null}}', "the type None is no job's name"),
            ('{"cluster": {"chief": ["a:1"], "worker": ["a:1", "b:2"]}}', "a:1 is there twice"),
            ("[" * 100_000, "TF_CONFIG cannot be read"),
        ],
    )
    def test_a_bad_environment(self, text, words, monkeypatch):
        monkeypatch.setenv("TF_CONFIG", text)
        with pytest.raises(UserError, match=words):
            hosts_and_task(parse_args([]))

    @pytest.mark.parametrize(
        "name,words",
        [
            ("seed", "in seed (3 and 42)"),
            slow("data", "in data"),
            slow("config", "in config hidden_size"),
            slow("length", "in config max_max_epoch"),
            slow("mode", "in rnn_mode (basic and fused)"),
        ],
    )
    def test_workers_that_differ_end_before_the_first_step(self, name, words, cluster, corpus, tmp_path):
        other = tmp_path / "other"
        other.mkdir()
        for split in "train", "valid", "test":
            (other / f"ptb.{split}.txt").write_text((corpus / f"ptb.{split}.txt").read_text().replace("w3 ", "w4 "))
        flag = {
            "seed": "--seed=3",
            "data": f"--data_path={other}",
            "config": "--set=hidden_size=21",
            "length": "--set=max_max_epoch=2",
            "mode": "--rnn_mode=basic",
        }[name]
        results = ended(cluster(2, [*PTB, f"--data_path={corpus}"], each=lambda task: [flag] * task))
        for status, out, err in results:
            assert status == 2 and "Learning rate" not in out
            assert words in err and "task 1 (" in err and len(err.splitlines()) == 1

    def test_workers_that_count_otherwise(self, cluster, corpus):
        hosts = [f"127.0.0.1:{port}" for port in free_ports(3)]
        command = [*PTB, f"--data_path={corpus}", "--set=batch_size=6"]
        processes = cluster(3, command, hosts=hosts, tasks=[1, 2])
        for process in processes:
            wait_for(process, "rows")  # it listens, and hears what the others find
        processes += cluster(2, command, hosts=hosts[:2], tasks=[0])
        for status, _, err in ended(processes):
            assert status == 2 and "give all the same --worker_hosts" in err and len(err.splitlines()) == 1

    @pytest.mark.parametrize("victim", [0, slow(1)])
    def test_a_port_in_use(self, victim, cluster, corpus):
        hosts = [f"127.0.0.1:{port}" for port in free_ports(2)]
        with socket.create_server(("", int(hosts[victim].rpartition(":")[2]))):
            command = [*PTB, f"--data_path={corpus}"]
            processes = cluster(2, command, hosts=hosts, tasks=[1 - victim])
            time.sleep(3)
            processes += cluster(2, command, hosts=hosts, tasks=[victim])
            (status, _, err), (own_status, _, own_err) = ended(processes)
        assert status == own_status == 2
        port = hosts[victim].rpartition(":")[2]
        assert (
            own_err == f"ptb_word_lm.py: error: port {port} cannot be used (Address already in use): name a free one\n"
        )
        assert f"port {port} cannot be used" in err and len(err.splitlines()) == 1

    @pytest.mark.slow
    def test_a_task_of_the_run_before_may_still_be_ending(self, cluster, corpus):
        """Where the chief alone is started again at once: what listens at the worker's port gives no right answer."""
        ports = free_ports(2)
        hosts = [f"127.0.0.1:{port}" for port in ports]
        with socket.create_server(("127.0.0.1", ports[1])) as server:
            processes = cluster(2, [*PTB, f"--data_path={corpus}"], tasks=[0], hosts=hosts)
            for _ in range(3):
                server.accept()[0].close()
        processes += cluster(2, [*PTB, f"--data_path={corpus}"], tasks=[1], hosts=hosts)
        succeeded(processes)

    @pytest.mark.slow
    def test_what_never_gives_a_right_answer_is_none_of_the_cluster(self, cluster, corpus):
        ports = free_ports(2)
        hosts = [f"127.0.0.1:{port}" for port in ports]
        with socket.create_server(("127.0.0.1", ports[1])) as server:
            (process,) = cluster(2, [*PTB, f"--data_path={corpus}"], tasks=[0], hosts=hosts)
            server.settimeout(1)
            while process.poll() is None:
                with contextlib.suppress(TimeoutError):
                    server.accept()[0].close()
        ((status, _, err),) = ended([process])
        line = f"what listens at {hosts[1]} is no task of this cluster: name a free port"
        assert (status, err) == (2, f"ptb_word_lm.py: error: {line}\n")

    @pytest.mark.parametrize("error, signum", [(KeyboardInterrupt(), 2), (SystemExit(143), 15)])
    def test_a_signal_after_the_training_is_told(self, error, signum, monkeypatch):
        """Where a worker waits for the chief, which draws its pictures."""
        told = []
        one = Cluster()
        one._peers = types.SimpleNamespace(close=told.append)

        def exchange(interruptible):
            raise error

        monkeypatch.setattr(one, "exchange", exchange)
        with pytest.raises(type(error)):
            one._leave(None, None, None)
        assert [(type(each), each.signum) for each in told] == [(app.Interrupted, signum)]

    def test_a_task_out_of_range_ends_those_who_wait(self, cluster, corpus):
        processes = cluster(2, [*PTB, f"--data_path={corpus}"], tasks=[0])
        wait_for(processes[0], "Corpus")
        processes += cluster(2, [*PTB, f"--data_path={corpus}"], tasks=[2], hosts=processes[0].hosts)
        for status, _, err in ended(processes):
            assert (status, err) == (
                2,
                "ptb_word_lm.py: error: task 2 is out of range: --worker_hosts names 2, from 0 to 1\n",
            )

    def test_a_chief_that_has_said_hello_says_its_end_by_the_same_connection(self, cluster, corpus):
        """Where a worker has not answered yet; by another connection it could come after the end of this one."""
        ports = free_ports(2)
        with socket.create_server(("127.0.0.1", ports[1])) as server:
            hosts = [f"127.0.0.1:{port}" for port in ports]
            command = [*PTB, f"--data_path={corpus}", "--save_path=/dev/null"]
            (process,) = cluster(2, command, tasks=[0], hosts=hosts)
            lines = []
            while not lines:  # a connection that says nothing counts for nothing
                connection, _ = server.accept()
                with connection, connection.makefile() as file:
                    lines = [next(iter(json.loads(line))) for line in file]
        assert lines in (["hello", "end"], ["end"])
        assert ended([process])[0][0] == 2

    @pytest.mark.parametrize("flag", ["--save_path=/dev/null", slow("--set=nothing=1")])
    def test_a_chief_that_is_refused_ends_those_who_wait(self, flag, cluster, corpus):
        command = [*PTB, f"--data_path={corpus}"]
        processes = cluster(2, command, tasks=[1])
        wait_for(processes[0], "^Task 1 of 2")
        processes += cluster(2, [*command, flag], tasks=[0], hosts=processes[0].hosts)
        for status, _, err in ended(processes):
            assert status == 2 and len(err.splitlines()) == 1 and flag.lstrip("-").replace("set=", "") in err, err

    @pytest.mark.parametrize(
        "flag, message",
        [
            ("--generate=5", "--task_index goes with a training alone: leave it out"),
            ("--section=gradients", "--section=gradients takes only --seed: leave"),
        ],
    )
    def test_what_is_done_by_one_process_alone(self, flag, message, capsys):
        with pytest.raises(SystemExit) as exit_:
            char_gru.main(["--worker_hosts=a:1,b:2", "--task_index=0", flag, "--save_path=run"])
        assert exit_.value.code == 2 and message in capsys.readouterr().err

    def test_a_batch_that_does_not_divide(self, cluster, corpus):
        for status, _, err in ended(cluster(3, [*PTB, f"--data_path={corpus}"])):
            assert status == 2
            assert (
                "a batch of 20 rows cannot be dealt to 3 workers: give --set batch_size=N with a multiple of 3" in err
            )
            assert len(err.splitlines()) == 1

    def test_who_may_connect_is_said_unless_all_are_loopback(self, capsys):
        port = free_ports(1)[0]
        for hosts, is_said in ((f"127.0.0.1:{port},[::1]:1", False), (f"127.0.0.1:{port},10.0.0.1:1", True)):
            args = parse_args([f"--worker_hosts={hosts}", "--task_index=0"])
            with pytest.raises(UserError), Cluster(args, PTB_CONFIGS["test"]()):
                raise UserError("the end")
            assert ("can run programs on it" in capsys.readouterr().out) == is_said


class TestLauncher:
    def launch(self, *arguments):
        command = [sys.executable, "-m", "tf1.cluster", *arguments]
        return subprocess.Popen(command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def workers_of(self, process):
        pids = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        return [int(pid) for pid in pids]

    @pytest.mark.slow
    def test_it_starts_all_again_where_one_dies(self, corpus, tmp_path):
        command = [*PTB, f"--data_path={corpus}", "--save_every=7steps"]
        whole = self.launch("--workers=2", "--", *command, f"--save_path={tmp_path}/whole")
        assert succeeded([whole])
        process = self.launch("--workers=2", "--", *command, f"--save_path={tmp_path}/killed")
        wait_for(process, r"^\[0\] 0\.[3-6]")
        os.kill(self.workers_of(process)[1], signal.SIGKILL)
        ((_, out, _),) = succeeded([process])
        assert "Task 1 was ended by signal 9: all start again (1 of 3)" in out
        assert are_equal(checkpoint(tmp_path / "whole"), checkpoint(tmp_path / "killed"))

    def test_ctrl_c_reaches_all_and_nothing_is_left(self, corpus):
        command = [*PTB, f"--data_path={corpus}", "--set=max_max_epoch=1000"]
        process = self.launch("--workers=2", "--", *command)
        wait_for(process, r"^\[0\] 0\.[3-6]")
        workers = self.workers_of(process)
        assert len(workers) == 2
        process.send_signal(signal.SIGINT)
        ((status, out, _),) = ended([process])
        assert status == 130 and "[0] Stopped in epoch" in out and "[1] Stopped in epoch" in out
        assert not any(pathlib.Path(f"/proc/{pid}").exists() for pid in workers)

    def test_a_task_that_it_has_killed_itself_is_not_lost(self, monkeypatch, tmp_path, capsys):
        """The chief is refused, and the worker, which has not heard of it, still waits."""
        script = tmp_path / "script.py"
        script.write_text("import sys, time\nif '--task_index=0' in sys.argv:\n    sys.exit(2)\ntime.sleep(60)\n")
        monkeypatch.setattr(launcher, "_END_SECONDS", 0.2)
        assert launcher.run([str(script), "--save_path=run"], 2, 3) == 2
        assert "start again" not in capsys.readouterr().out

    def test_a_worker_that_cannot_be_started(self, monkeypatch, tmp_path):
        (tmp_path / "script.py").write_text("import time\ntime.sleep(60)\n")
        start, started = launcher._Workers._start, []

        def failing(command, prepare):
            if started:
                raise OSError(errno.EAGAIN, "no more processes")
            started.append(start(command, prepare))
            return started[0]

        monkeypatch.setattr(launcher._Workers, "_start", staticmethod(failing))
        with pytest.raises(UserError, match="worker 1 cannot be started: no more processes"):
            launcher.run([str(tmp_path / "script.py")], 2, 0)
        assert started[0].poll() == -signal.SIGKILL

    @pytest.mark.slow
    def test_an_output_that_nobody_reads_any_more_stops_all(self, corpus, tmp_path):
        command = [*PTB, f"--data_path={corpus}", "--set=max_max_epoch=1000", f"--save_path={tmp_path}/runs"]
        process = self.launch("--workers=2", "--", *command)
        wait_for(process, r"^\[0\] 0\.[3-6]")
        process.stdout.close()  # as `| head` does
        process.stdout = None
        ((status, _, err),) = ended([process])
        assert (status, err) == (128 + signal.SIGHUP, "")
        assert tf.train.latest_checkpoint(f"{tmp_path}/runs")

    @pytest.mark.parametrize("seconds", [0, 0.2])
    def test_ctrl_c_that_ends_the_reader_as_well_leaves_time_to_save(self, seconds, tmp_path):
        """A second signal would end the workers at once: the closed pipe, before or after Ctrl-C, is none."""
        script = tmp_path / "script.py"
        script.write_text(f"""
import pathlib, sys, time
sys.path.insert(0, {str(ROOT)!r})
from tf1 import app
with app.StopRequest() as stop:
    while not stop.signum:
        print("a step", flush=True)
        time.sleep(0.02)
    for _ in range(20):
        print("saving", flush=True)
        time.sleep(0.02)
    pathlib.Path({str(tmp_path)!r}, sys.argv[-1]).touch()
""")
        process = self.launch("--workers=2", "--", str(script))
        for task in range(2):
            wait_for(process, rf"^\[{task}\] a step")
        process.stdout.close()  # as `| tee log` does
        process.stdout = None
        time.sleep(seconds)
        process.send_signal(signal.SIGINT)
        ended([process])
        assert (tmp_path / "--task_index=0").exists() and (tmp_path / "--task_index=1").exists()

    @pytest.mark.slow
    def test_its_workers_do_not_outlive_it(self, corpus):
        process = self.launch("--workers=2", "--", *PTB, f"--data_path={corpus}", "--set=max_max_epoch=1000")
        wait_for(process, r"^\[0\] 0\.[3-6]")
        workers = self.workers_of(process)
        process.kill()
        process.wait()
        end = time.monotonic() + 5
        while alive := [pid for pid in workers if pathlib.Path(f"/proc/{pid}").exists()]:
            assert time.monotonic() < end, alive
            time.sleep(0.1)

    @pytest.mark.slow
    def test_without_save_path_it_ends(self, corpus):
        process = self.launch("--workers=2", "--", *PTB, f"--data_path={corpus}", "--set=max_max_epoch=1000")
        wait_for(process, r"^\[0\] 0\.[3-6]")
        os.kill(self.workers_of(process)[0], signal.SIGKILL)
        ((status, _, err),) = ended([process])
        assert status == 75 and "without --save_path there is nothing to go on from" in err

    @pytest.mark.parametrize(
        "arguments,words",
        [
            (["--workers=2"], "the script is missing"),
            (["--workers=0", "--", "ptb_word_lm.py"], "0 is not in the range"),
            (["--restarts=-1", "--", "ptb_word_lm.py"], "-1 is not in the range"),
            (["--", "nothing.py"], "nothing.py is no file"),
        ],
    )
    def test_bad_arguments(self, arguments, words):
        ((status, _, err),) = ended([self.launch(*arguments)])
        assert status == 2 and words in err and len(err.splitlines()) == 1

    def test_the_cores_are_divided(self, monkeypatch):
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {0, 1, 2, 5, 7})
        assert [cores_of(task, 2) for task in range(2)] == [[0, 1], [2, 5, 7]]
        assert [cores_of(task, 6) for task in range(6)] == [[0], [1], [2], [5], [7], [0]]


class TestExamples:
    """The examples in docs/ are run as they are, but for the names of files and machines."""

    SMALL = ["--config=test", "--set=batch_size=20", "--set=max_max_epoch=1", "--set=hidden_size=10"]

    def run_on(self, corpus, tmp_path, command):
        """The command with our data and sizes."""
        for theirs, ours in (
            ("--config=medium", " ".join(self.SMALL)),
            ("--set batch_size=40", ""),
            (r"--data_path=\S+", f"--data_path={corpus}"),
            (r"--save_path=\S+", f"--save_path={tmp_path}/runs"),
            (r"python ", f"{sys.executable} "),
        ):
            command, count = re.subn(theirs, lambda found, ours=ours: ours, command)
            assert count == 1, theirs
        return command

    @pytest.mark.slow
    def test_kubernetes(self, corpus, tmp_path):
        documents = list(yaml.safe_load_all((ROOT / "docs" / "kubernetes.yaml").read_text()))
        service, policy, job = (document["spec"] for document in documents)
        template = job["template"]["spec"]
        (container,) = template["containers"]
        name = documents[2]["metadata"]["name"]
        assert service["selector"] == policy["podSelector"]["matchLabels"] == {"job-name": name}
        assert template["subdomain"] == documents[0]["metadata"]["name"]
        assert job["completions"] == job["parallelism"] == 2 and job["completionMode"] == "Indexed"
        command = self.run_on(corpus, tmp_path, *container["args"])
        for task, port in enumerate(free_ports(2)):
            assert f"{name}-{task}.{template['subdomain']}:2222" in command
            command = command.replace(f"{name}-{task}.{template['subdomain']}:2222", f"127.0.0.1:{port}")
        processes = []
        for index in range(2):
            environment = {**os.environ, "JOB_COMPLETION_INDEX": str(index)}
            pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            processes.append(subprocess.Popen([*container["command"], command], cwd=ROOT, env=environment, **pipes))
        results = succeeded(processes)
        assert "Test Perplexity" in results[0][1] and results[1][1].startswith("Task 1 of 2")

    @pytest.mark.slow
    def test_slurm(self, corpus, tmp_path):
        tools, (first, second) = tmp_path / "bin", free_ports(2)
        tools.mkdir()
        script = self.run_on(corpus, tmp_path, (ROOT / "docs" / "slurm.sh").read_text())
        # `scontrol` names two machines, of which each port is one here; `srun` runs its command once for each task.
        script = script.replace("sed 's/$/:2222/' |", "")
        for name, text in (
            ("scontrol", f"echo 127.0.0.1:{first}; echo 127.0.0.1:{second}"),
            ("srun", 'shift 2; SLURM_PROCID=1 "$@" > /dev/null & SLURM_PROCID=0 "$@"; status=$?; wait; exit $status'),
        ):
            (tools / name).write_text(f"#!/bin/bash\n{text}\n")
            (tools / name).chmod(0o755)
        environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}", "SLURM_JOB_NODELIST": "two"}
        done = subprocess.run(["bash"], input=script, cwd=ROOT, env=environment, text=True, capture_output=True)
        assert done.returncode == 0 and "Test Perplexity" in done.stdout, done.stderr

    @pytest.mark.parametrize("status, is_requeued", [(0, False), (2, False), (75, True), (137, True), (143, False)])
    def test_slurm_starts_a_job_again_that_has_lost_a_worker(self, status, is_requeued, tmp_path):
        for name, text in ("scontrol", f'echo "$@" >> {tmp_path}/calls'), ("srun", f"exit {status}"):
            (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
            (tmp_path / name).chmod(0o755)
        environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}", "SLURM_JOB_ID": "7", "SLURM_JOB_NODELIST": "a,b"}
        process = subprocess.run(["bash", ROOT / "docs" / "slurm.sh"], env=environment)
        assert process.returncode == status
        assert ("requeue 7" in (tmp_path / "calls").read_text()) == is_requeued
