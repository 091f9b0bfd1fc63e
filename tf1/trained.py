"""What is done with a trained network, from the folder of its checkpoints alone: its config and vocabulary are there.

--generate=N       a text that it writes
--next_word=TEXT   what follows the text, and how likely
--score=FILE       the perplexity of a text
--export_dir=DIR   a SavedModel
"""

import contextlib
import copy
import functools
import io
import os
import sys
import tempfile
import types

import configs
import reader
from tf1 import checkpoints, export, progress, sampling, scoring, streams, tf
from tf1.app import UserError
from tf1.modes import choose_modes, choose_rnn_mode
from tf1.training import with_rewrites

_OF_USES = {  # the flags that go with each; those of a training may stand beside them, and do nothing
    "--generate": {"--start_string", "--temperature", "--top_k", "--no_unk"},
    "--next_word": {"--top_k", "--no_unk"},
    "--score": {"--verbose", "--each_alone"},
    "--export_dir": set(),
}
_OF_TRAINING = {"--worker_hosts", "--task_index", "--peer_timeout"}
_SHORT = 1000  # words or characters of a text for which compiling the loop takes longer than it saves
_SHOWN = 10  # what may follow, where --top_k does not say how many


def is_wanted(args):
    """Whether the flags ask for one of these uses; UserError where they contradict each other."""
    wanted = [use for use in _OF_USES if use in args.given]
    if not wanted:
        for flag in sorted(_OF_USES["--score"] & args.given):
            raise UserError(f"{flag} goes with --score: add that, or leave {flag} out")
        return False
    use = wanted[0]
    if len(wanted) > 1:
        raise UserError(f"{use} and {wanted[1]} are two things to do: give one of them")
    for flag in sorted(_OF_TRAINING & args.given):
        raise UserError(f"{flag} goes with a training alone: leave it out")
    for flag in sorted(set().union(*_OF_USES.values()) & args.given - _OF_USES[use]):
        raise UserError(f"{flag} does not go with {use}: leave it out")
    if not args.save_path:
        raise UserError(f"{use} goes with --save_path: name the folder of a trained network")
    for flag in "data_path", "init_from":
        path = getattr(args, flag, None)
        if path is not None and not os.path.exists(path):  # it is not needed here, but that is a mistake
            raise UserError(f"--{flag}={path} does not exist: correct it, or leave it out")
    if use == "--score" and args.score != reader.STDIN and not os.path.exists(args.score):
        raise UserError(f"--score={args.score} does not exist: name a text file, or - for the standard input")
    if use == "--export_dir" and os.path.lexists(args.export_dir):
        raise UserError(f"--export_dir={args.export_dir} exists: name a new folder")
    return True


@contextlib.contextmanager
def _said_on_stderr():
    """What is said within its block goes to stderr, after it: stdout is for texts and scores, an error is one line."""
    notices = io.StringIO()
    with contextlib.redirect_stdout(notices):
        yield
    if sys.stderr:  # closed by the caller, 2>&-: then print would take stdout
        print(notices.getvalue(), end="", file=sys.stderr)


def find(args, script, config, **identity):
    """The newest checkpoint in --save_path, as `checkpoints.find` returns it, and the network's config.

    Args:
      script: its name, as runs have it in their identity.
      config: what the flags say; what was not given is not compared.
      identity: other values that must be those of the run.
    Raises:
      UserError: there is no checkpoint, or it is of another run.
    """
    with _said_on_stderr():  # of damaged checkpoints
        found = checkpoints.find(args.save_path) if os.path.isdir(args.save_path) else None
    if not found:
        raise UserError(f"--save_path={args.save_path} holds no checkpoint: train first, and name the folder then")
    saved, given = found[1]["identity"], configs.identity(config)
    if "--config" not in args.given:
        names = [override.partition("=")[0] for override in args.overrides]
        names += ["vocab_size"] if getattr(args, "vocab_size", None) is not None else []
        given = {name: given[name] for name in names if name in given}
    if given.get("vocab_size") == 0:  # all words of the corpus, of which the run's config has the number
        del given["vocab_size"]
    current = {**saved, "script": script, "config": {**saved["config"], **given}, **identity}
    checkpoints.check_identity(args.save_path, saved, current)
    return found, types.SimpleNamespace(**saved["config"])


def use(args, script, config, build, units, steps, gates):
    """Does what the flags ask for, with a language model; returns the results in a dict.

    Args:
      script, config: as for `find`.
      build: a function from a config, the size of the vocabulary, and the modes of `choose_modes`, to the model, which
        has a `network` and a method `read`.
      units, steps: names of the config's values: units of a layer, and words or characters that are read at once.
      gates: of a cell, as for `choose_modes`.
    """
    found, config = find(args, script, config)
    identity = found[1]["identity"]
    vocabulary = reader.Vocabulary.load(args.save_path, identity.get("vocabulary"))
    rnn_mode = choose_rnn_mode(args.rnn_mode)
    modes, session_config, text = {}, None, None
    if args.score:
        with _said_on_stderr():  # what is not read as it stands there
            text = reader.text_ids(args.score, vocabulary, args.encoding)
        if args.each_alone:
            config.batch_size, num_steps = scoring.sizes_of(text[0], vocabulary.end)
            setattr(config, steps, num_steps)
        args = copy.copy(args)
        if "--precision" not in args.given and rnn_mode == "fused":
            args.precision = identity["precision"]
        with _said_on_stderr():  # that the CPU has no bf16, which may be the run's choice and not the user's
            modes, session_config = choose_modes(args, config.batch_size, getattr(config, units), gates)
    else:
        setattr(config, steps, 1)

    with tf.Graph().as_default(), contextlib.ExitStack() as stack:
        with tf.variable_scope("Model", use_resource=bool(args.export_dir)):
            model = build(config, len(vocabulary.items), **modes)
        if args.score:
            zero_state, num_steps = model.network.zero_state(config.batch_size), getattr(config, steps)
            options = {"tolerance": streams.TOLERANCES[modes["precision"]], "watched": progress.watched}
            do = lambda session: _score(args, session, model, vocabulary, text, zero_state, num_steps, options)
        elif args.export_dir:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            exporter = export.Exporter(export.language_signatures(model.network, vocabulary, folder))
            do = lambda session: exporter.save(session, args.export_dir)
        elif args.generate:
            writer = sampling.Writer(model.network, vocabulary, args, is_compiled=args.generate > _SHORT)
            do = lambda session: {"text": writer.write(session, args.generate)}
        else:
            do = _next_word(args, model.network, vocabulary)
        session = stack.enter_context(tf.Session(config=with_rewrites(session_config)))
        checkpoints.load_weights(session, found)
        return do(session)


def export_images(args, script, config, build):
    """Writes a network that reads images row by row as a SavedModel.

    Args:
      script, config: as for `find`.
      build: `MNISTModel`.
    """
    found, config = find(args, script, config, **({"model": args.model} if args.model else {}))
    identity = found[1]["identity"]
    sizes = (None, *identity["sizes"][1:])  # of any number of rows
    with tf.Graph().as_default():
        with tf.variable_scope("", use_resource=True):
            model = build(config, identity["model"], sizes=sizes, is_training=False)
        exporter = export.Exporter(export.image_signatures(model, identity["first_label"]))
        with tf.Session() as session:
            checkpoints.load_weights(session, found)
            exporter.save(session, args.export_dir)


def _score(args, session, model, vocabulary, text, zero_state, num_steps, options):
    """Prints the scores of the text, ids and what is unknown among them; returns their numbers."""
    read = functools.partial(model.read, session)
    if args.each_alone:
        scores = scoring.of_each_alone(read, *text, vocabulary.end, zero_state, num_steps, options["watched"])
    else:
        scores = scoring.of_stream(read, *text, vocabulary.end, zero_state, num_steps, **options)
    return scoring.show(scores, vocabulary, args.verbose)


def _next_word(args, network, vocabulary):
    """A function from a session, which prints what may follow --next_word, and returns it: pairs with probabilities."""
    start, _ = vocabulary.start(args.next_word, "--next_word")
    excluded = vocabulary.excluded(network.vocab_size, getattr(args, "no_unk", False))
    logits, _ = network.sequence(tf.constant([start]), tf.constant(network.zero_state(1)))
    probabilities = tf.nn.softmax(sampling.exclude(logits[0, -1], excluded))
    likeliest = tf.nn.top_k(probabilities, min(args.top_k or _SHOWN, network.vocab_size - len(excluded)))

    def show(session):
        values, ids = session.run(likeliest)
        items = [vocabulary.items[index] for index in ids]
        print(f"probability  {vocabulary.kind.removesuffix('s')} after {args.next_word!r}")
        for value, item in zip(values, items):
            print(f"{value:11.6f}  {item if vocabulary.kind == 'words' else repr(item)}")
        return {"next": [(item, float(value)) for item, value in zip(items, values)]}

    return show
