"""`tf.estimator`, which TensorFlow has dropped: a model function, trained, evaluated and asked for predictions.

    estimator = tf.estimator.Estimator(model_fn, model_dir, params=params)
    tf.estimator.train_and_evaluate(estimator, tf.estimator.TrainSpec(input_fn), tf.estimator.EvalSpec(eval_fn))

On one machine, with model functions, checkpoints and summaries like those of TensorFlow 1.15. The ready-made models
(`DNNClassifier` and its like) are not here, nor are `BestExporter`, `WarmStartSettings`, inputs from pandas, and
clusters.

Source: TensorFlow 1.15, tensorflow_estimator/python/estimator
"""

import collections
import copy
import functools
import glob
import inspect
import os
import tempfile
import time
import types

import numpy as np

from tf1 import tf

ModeKeys = types.SimpleNamespace(TRAIN="train", EVAL="eval", PREDICT="infer")
_SERVING = tf.saved_model.signature_constants.DEFAULT_SERVING_SIGNATURE_DEF_KEY
_ITERATORS = "estimator_iterators"  # a collection of the graph
_DEFAULT = object()  # of an argument for which None says something else


class EstimatorSpec(
    collections.namedtuple(
        "EstimatorSpec",
        "mode predictions loss train_op eval_metric_ops export_outputs training_chief_hooks training_hooks scaffold "
        "evaluation_hooks prediction_hooks",
    )
):
    """What a model function returns: the ops of one mode."""

    def __new__(
        cls,
        mode,
        predictions=None,
        loss=None,
        train_op=None,
        eval_metric_ops=None,
        export_outputs=None,
        training_chief_hooks=None,
        training_hooks=None,
        scaffold=None,
        evaluation_hooks=None,
        prediction_hooks=None,
    ):
        if mode == ModeKeys.TRAIN and train_op is None:
            raise ValueError("Missing train_op.")
        if mode in (ModeKeys.TRAIN, ModeKeys.EVAL) and loss is None:
            raise ValueError("Missing loss.")
        if mode == ModeKeys.PREDICT and predictions is None:
            raise ValueError("Missing predictions.")
        if loss is not None:
            loss = tf.reshape(tf.convert_to_tensor(loss), [])
        hooks = [tuple(hooks or ()) for hooks in (training_chief_hooks, training_hooks)]
        others = [tuple(hooks or ()) for hooks in (evaluation_hooks, prediction_hooks)]
        predictions = {} if predictions is None else predictions
        ops = predictions, loss, train_op, eval_metric_ops or {}, export_outputs
        return super().__new__(cls, mode, *ops, *hooks, scaffold or tf.train.Scaffold(), *others)


class RunConfig:
    """Where and how often is saved and written; `replace` returns a copy with other values."""

    def __init__(
        self,
        model_dir=None,
        tf_random_seed=None,
        save_summary_steps=100,
        save_checkpoints_steps=_DEFAULT,
        save_checkpoints_secs=_DEFAULT,
        session_config=None,
        keep_checkpoint_max=5,
        keep_checkpoint_every_n_hours=10000,
        log_step_count_steps=100,
        train_distribute=None,
        **others,
    ):
        if save_checkpoints_secs is _DEFAULT:
            save_checkpoints_secs = 600 if save_checkpoints_steps is _DEFAULT else None
        save_checkpoints_steps = None if save_checkpoints_steps is _DEFAULT else save_checkpoints_steps
        if save_checkpoints_steps is not None and save_checkpoints_secs is not None:
            raise ValueError("Can not provide both save_checkpoints_steps and save_checkpoints_secs.")
        if train_distribute is not None:
            raise ValueError("train_distribute: estimators train on one machine here")
        self.model_dir, self.tf_random_seed, self.session_config = model_dir, tf_random_seed, session_config
        self.save_summary_steps, self.log_step_count_steps = save_summary_steps, log_step_count_steps
        self.save_checkpoints_steps, self.save_checkpoints_secs = save_checkpoints_steps, save_checkpoints_secs
        self.keep_checkpoint_max = keep_checkpoint_max
        self.keep_checkpoint_every_n_hours = keep_checkpoint_every_n_hours
        self.is_chief, self.task_type, self.task_id, self.num_worker_replicas, self.master = True, "worker", 0, 1, ""
        self.__dict__.update(others)

    def replace(self, **values):
        config = copy.copy(self)
        if values.get("save_checkpoints_steps") is not None:
            config.save_checkpoints_secs = None
        elif values.get("save_checkpoints_secs") is not None:
            config.save_checkpoints_steps = None
        config.__dict__.update(values)
        return config


def _names_of(function):
    """Of a user's function the parameters that may be given by name; those that a `partial` has bound are none."""
    parameters = inspect.signature(function).parameters.items()
    bound = function.keywords if isinstance(function, functools.partial) else {}
    kinds = inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY
    return {name for name, parameter in parameters if parameter.kind in kinds and name not in bound}


def _call(function, **possible):
    """Calls a user's function with those of `possible` that it has parameters for."""
    names = _names_of(function)
    return function(**{name: value for name, value in possible.items() if name in names})


def _next_of(dataset):
    """The dataset's next element; `_BeginsDatasets` begins it."""
    iterator = tf.data.make_initializable_iterator(dataset)
    tf.add_to_collection(_ITERATORS, iterator.initializer)
    return iterator.get_next()


class _BeginsDatasets(tf.train.SessionRunHook):
    """Begins the datasets when a session is there: they may look something up in its tables."""

    def begin(self):
        self._initializers = tf.get_collection(_ITERATORS)

    def after_create_session(self, session, coord):
        session.run(self._initializers)


class Estimator:
    """A model function, and the folder of its checkpoints and summaries.

    Args:
      model_fn: from features, and as far as it has such parameters, labels, mode, params and config, to an
        `EstimatorSpec`.
      model_dir: None: that of the config, or a temporary one.
      config: a `RunConfig`.
      params: a dict or an HParams, for `model_fn` and input functions.
      warm_start_from: a checkpoint, or a folder of some, whose variables of the same names a new training begins with.
    """

    def __init__(self, model_fn, model_dir=None, config=None, params=None, warm_start_from=None):
        config = config or RunConfig()
        model_dir = model_dir or config.model_dir
        if model_dir is None:
            model_dir = tempfile.mkdtemp()
            tf.logging.warning("Using temporary folder as model directory: %s", model_dir)
        if "features" not in _names_of(model_fn):
            raise ValueError(f"model_fn ({model_fn}) must include features argument.")
        self._config, self.model_dir, self.model_fn = config.replace(model_dir=model_dir), model_dir, model_fn
        self._params, self._warm_start_from = copy.deepcopy(params or {}), warm_start_from
        # An op that a script has placed on a GPU which is not there runs on the CPU.
        self._session_config = config.session_config or tf.ConfigProto(allow_soft_placement=True)

    config = property(lambda self: copy.deepcopy(self._config))
    params = property(lambda self: copy.deepcopy(self._params))  # a copy for each call, which may change it

    def latest_checkpoint(self):
        return tf.train.latest_checkpoint(self.model_dir)

    def eval_dir(self, name=None):
        return os.path.join(self.model_dir, f"eval_{name}" if name else "eval")

    def get_variable_names(self):
        return [name for name, _ in tf.train.list_variables(self.model_dir)]

    def get_variable_value(self, name):
        return tf.train.load_variable(self.model_dir, name)

    def _inputs(self, input_fn, mode):
        """Features and labels, of an input function's dataset, or of the tensors that it returned."""
        with tf.device("/cpu:0"):
            found = _call(input_fn, mode=mode, params=self.params, config=self.config)
            if isinstance(found, tf.data.Dataset):
                found = _next_of(found)
        if isinstance(found, (list, tuple)):
            if len(found) != 2:
                raise ValueError("input_fn should return (features, labels) as a len 2 tuple.")
            return tuple(found)
        return found, None

    def _spec(self, features, labels, mode):
        if "labels" not in _names_of(self.model_fn) and labels is not None:
            raise ValueError("model_fn does not take labels, but input_fn returns labels.")
        tf.logging.info("Calling model_fn.")
        options = {"mode": mode, "params": self.params, "config": self.config}
        spec = _call(self.model_fn, features=features, labels=labels, **options)
        tf.logging.info("Done calling model_fn.")
        if not isinstance(spec, EstimatorSpec):
            raise ValueError("model_fn should return an EstimatorSpec.")
        return spec

    def _build(self, input_fn, mode):
        tf.set_random_seed(self._config.tf_random_seed)
        tf.train.get_or_create_global_step()
        features, labels = self._inputs(input_fn, mode)
        return self._spec(features, None if mode == ModeKeys.PREDICT else labels, mode)

    def _session(self, spec, checkpoint, hooks, what):
        """One for an evaluation or for predictions, `what`, with the variables of the checkpoint."""
        if not checkpoint:
            tf.logging.info("Could not find trained model in %s, running initialization to %s.", self.model_dir, what)
            self._warm_start()
        scaffold = spec.scaffold
        if scaffold.local_init_op is not None:  # a script's own; the metrics have variables, too
            both = tf.group(scaffold.local_init_op, tf.train.Scaffold.default_local_init_op())
            scaffold = tf.train.Scaffold(local_init_op=both, copy_from_scaffold=scaffold)
        creator = tf.train.ChiefSessionCreator(scaffold, "", self._session_config, None, checkpoint)
        return tf.train.MonitoredSession(creator, hooks=[_BeginsDatasets(), *hooks])

    def train(self, input_fn, hooks=None, steps=None, max_steps=None, saving_listeners=None):
        """Trains until the input ends, for `steps` more, or until the global step is `max_steps`; returns itself."""
        if steps is not None and max_steps is not None:
            raise ValueError("Can not provide both steps and max_steps.")
        if max_steps is not None and (checkpoint := self.latest_checkpoint()):
            if int(tf.train.load_variable(checkpoint, tf.GraphKeys.GLOBAL_STEP)) >= max_steps:
                tf.logging.info("Skipping training since max_steps has already saved.")
                return self
        with tf.Graph().as_default():
            spec = self._build(input_fn, ModeKeys.TRAIN)
            if not self.latest_checkpoint():
                self._warm_start()
            hooks = [_BeginsDatasets(), *(hooks or ())]
            if steps is not None or max_steps is not None:
                hooks.append(tf.train.StopAtStepHook(steps, max_steps))
            hooks += [*self._watching_hooks(spec), *spec.training_hooks]
            with tf.train.MonitoredTrainingSession(
                checkpoint_dir=self.model_dir,
                scaffold=spec.scaffold,
                hooks=hooks,
                chief_only_hooks=[*self._saving_hooks(spec, hooks, saving_listeners), *spec.training_chief_hooks],
                save_checkpoint_secs=None,
                save_checkpoint_steps=None,  # a hook of ours saves
                save_summaries_steps=self._config.save_summary_steps,
                config=self._session_config,
                log_step_count_steps=self._config.log_step_count_steps,
            ) as session:
                loss = None
                while not session.should_stop():
                    _, loss = session.run([spec.train_op, spec.loss])
            tf.logging.info("Loss for final step: %s.", loss)
        return self

    def _watching_hooks(self, spec):
        """One that stops where the loss is NaN, and one that logs it, if that is wanted."""
        if not any(tensor.op.name == "loss" for tensor in tf.get_collection(tf.GraphKeys.SUMMARIES)):
            tf.summary.scalar("loss", spec.loss)
        yield tf.train.NanTensorHook(spec.loss)
        if self._config.log_step_count_steps is not None:
            shown = {"loss": spec.loss, "step": tf.train.get_global_step()}
            yield tf.train.LoggingTensorHook(shown, every_n_iter=self._config.log_step_count_steps)

    def _saving_hooks(self, spec, others, listeners):
        """The one that saves, where it is wanted, and `others` have none, as a list."""
        config = self._config
        if not (spec.scaffold.saver or tf.get_collection(tf.GraphKeys.SAVERS)):
            kept = {"max_to_keep": config.keep_checkpoint_max}
            kept["keep_checkpoint_every_n_hours"] = config.keep_checkpoint_every_n_hours
            saver = tf.train.Saver(sharded=True, defer_build=True, save_relative_paths=True, **kept)
            tf.add_to_collection(tf.GraphKeys.SAVERS, saver)
        others = [*others, *spec.training_chief_hooks]
        saving, own = [hook for hook in others if isinstance(hook, tf.train.CheckpointSaverHook)], []
        if not saving and (config.save_checkpoints_secs or config.save_checkpoints_steps):
            often = config.save_checkpoints_secs, config.save_checkpoints_steps
            saving = own = [tf.train.CheckpointSaverHook(self.model_dir, *often, scaffold=spec.scaffold)]
        if listeners and not saving:
            raise ValueError("There should be a CheckpointSaverHook to use saving_listeners.")
        for listener in listeners or ():
            if listener not in saving[0]._listeners:
                saving[0]._listeners.append(listener)
        return own

    def _warm_start(self):
        if not self._warm_start_from:
            return
        there = {name for name, _ in tf.train.list_variables(self._warm_start_from)}
        names = [variable.op.name for variable in tf.trainable_variables()]
        tf.train.init_from_checkpoint(self._warm_start_from, {name: name for name in names if name in there})

    def evaluate(self, input_fn, steps=None, hooks=None, checkpoint_path=None, name=None):
        """The metrics over the input, or over `steps` of its batches, with `loss` and `global_step`: a dict."""
        checkpoint = checkpoint_path or self.latest_checkpoint()
        with tf.Graph().as_default():
            spec = self._build(input_fn, ModeKeys.EVAL)
            metrics = {"loss": tf.metrics.mean(spec.loss), **spec.eval_metric_ops}
            values = {key: value for key, (value, _) in metrics.items()}
            updates = [update for _, update in metrics.values()]
            final = tf.train.FinalOpsHook({**values, "global_step": tf.train.get_global_step()})
            hooks = [*(hooks or ()), *spec.evaluation_hooks, final]
            with self._session(spec, checkpoint, hooks, "evaluate") as session:
                step = 0
                while not session.should_stop() and (steps is None or step < steps):
                    session.run(updates)
                    step += 1
        results = final.final_ops_values
        self._write(results, self.eval_dir(name))
        return results

    def _write(self, results, folder):
        shown = ", ".join(f"{key} = {value}" for key, value in sorted(results.items()))
        tf.logging.info("Saving dict for global step %d: %s", results["global_step"], shown)
        summary = tf.Summary()
        for key, value in results.items():
            if isinstance(value, bytes):  # summaries, merged
                for place, one in enumerate(tf.Summary.FromString(value).value):
                    one.tag = f"{key}/{place}"
                    summary.value.append(one)
            elif key != "global_step" and isinstance(value, (int, float, np.integer, np.floating)):
                summary.value.add(tag=key, simple_value=float(value))
        writer = tf.summary.FileWriterCache.get(os.path.abspath(folder))  # two in one second would write one file
        writer.add_summary(summary, int(results["global_step"]))
        writer.flush()

    def predict(self, input_fn, predict_keys=None, hooks=None, checkpoint_path=None, yield_single_examples=True):
        """Yields the predictions of each example, or of each batch."""
        checkpoint = checkpoint_path or self.latest_checkpoint()
        with tf.Graph().as_default():
            spec = self._build(input_fn, ModeKeys.PREDICT)
            predictions = spec.predictions
            if predict_keys is not None:
                keys = [predict_keys] if isinstance(predict_keys, str) else predict_keys
                predictions = {key: value for key, value in predictions.items() if key in keys}
                if not predictions:
                    raise ValueError(f"Expected to run at least one output from {list(spec.predictions)}: {keys}")
            session = self._session(spec, checkpoint, [*(hooks or ()), *spec.prediction_hooks], "predict")
        with session:  # outside of the graph's block: the caller goes on between two examples
            while not session.should_stop():
                batch = session.run(predictions)
                if not yield_single_examples:
                    yield batch
                elif isinstance(batch, dict):
                    for values in zip(*batch.values(), strict=True):
                        yield dict(zip(batch, values))
                else:
                    yield from batch

    def export_saved_model(
        self,
        export_dir_base,
        serving_input_receiver_fn,
        assets_extra=None,
        as_text=False,
        checkpoint_path=None,
        strip_default_attrs=False,
    ):
        """Writes a SavedModel to a new folder below `export_dir_base`, whose name is the time; returns its path."""
        checkpoint = checkpoint_path or self.latest_checkpoint()
        if not checkpoint:
            raise ValueError(f"Couldn't find trained model at {self.model_dir}.")
        folder = os.path.join(export_dir_base, str(int(time.time())))
        while os.path.exists(folder):
            folder = os.path.join(export_dir_base, str(int(os.path.basename(folder)) + 1))
        with tf.Graph().as_default(), tf.Session(config=self._session_config) as session:
            tf.train.get_or_create_global_step()
            receiver = serving_input_receiver_fn()
            spec = self._spec(receiver.features, None, ModeKeys.PREDICT)
            outputs = spec.export_outputs or {_SERVING: PredictOutput(spec.predictions)}
            define, inputs = tf.saved_model.predict_signature_def, receiver.receiver_tensors
            signatures = {name: define(inputs, output.outputs) for name, output in outputs.items()}
            if len(signatures) == 1:
                signatures[_SERVING] = next(iter(signatures.values()))
            initialize = tf.group(tf.tables_initializer(), tf.local_variables_initializer())
            (spec.scaffold.saver or tf.train.Saver()).restore(session, checkpoint)
            builder = tf.saved_model.Builder(folder)
            tags, assets = [tf.saved_model.tag_constants.SERVING], tf.get_collection(tf.GraphKeys.ASSET_FILEPATHS)
            options = {"main_op": initialize, "strip_default_attrs": strip_default_attrs}
            builder.add_meta_graph_and_variables(session, tags, signatures, assets, **options)
            builder.save(as_text)
        for name, source in (assets_extra or {}).items():
            target = os.path.join(folder, "assets.extra", name)
            tf.gfile.MakeDirs(os.path.dirname(target))
            tf.gfile.Copy(source, target)
        return folder.encode()

    export_savedmodel = export_saved_model


class TrainSpec(collections.namedtuple("TrainSpec", "input_fn max_steps hooks saving_listeners")):
    def __new__(cls, input_fn, max_steps=None, hooks=None, saving_listeners=None):
        return super().__new__(cls, input_fn, max_steps, tuple(hooks or ()), tuple(saving_listeners or ()))


class EvalSpec(
    collections.namedtuple("EvalSpec", "input_fn steps name hooks exporters start_delay_secs throttle_secs")
):
    def __new__(
        cls, input_fn, steps=100, name=None, hooks=None, exporters=None, start_delay_secs=120, throttle_secs=600
    ):
        exporters = [exporters] if hasattr(exporters, "export") else exporters
        return super().__new__(
            cls, input_fn, steps, name, tuple(hooks or ()), tuple(exporters or ()), start_delay_secs, throttle_secs
        )


class _Evaluates(tf.train.CheckpointSaverListener):
    """Evaluates after a checkpoint, if the last evaluation began at least `throttle_secs` ago, and at the end."""

    def __init__(self, estimator, spec, max_steps):
        self._estimator, self._spec, self._max_steps = estimator, spec, max_steps
        self.results, self.exports = None, None

    def begin(self):
        self._timer, self._is_first = tf.train.SecondOrStepTimer(every_secs=self._spec.throttle_secs), True

    def after_save(self, session, global_step_value):
        if self._is_first:  # the checkpoint that the training begins with
            self._is_first = False
        elif self._timer.should_trigger_for_step(global_step_value):
            self._evaluate(global_step_value)

    def end(self, session, global_step_value):
        if global_step_value != self._timer.last_triggered_step():
            self._evaluate(global_step_value)

    def _evaluate(self, step):
        self._timer.update_last_triggered_step(step)
        estimator, spec, checkpoint = self._estimator, self._spec, self._estimator.latest_checkpoint()
        self.results = estimator.evaluate(spec.input_fn, spec.steps, spec.hooks, checkpoint, spec.name)
        is_final, self.exports = bool(self._max_steps) and self.results["global_step"] >= self._max_steps, []
        for exporter in spec.exporters:
            folder = os.path.join(estimator.model_dir, "export", exporter.name)
            self.exports.append(exporter.export(estimator, folder, checkpoint, self.results, is_final))


def train_and_evaluate(estimator, train_spec, eval_spec):
    """Trains, and evaluates after checkpoints and at the end; returns the last metrics, and the paths of exports."""
    listener = _Evaluates(estimator, eval_spec, train_spec.max_steps)
    listeners = [*train_spec.saving_listeners, listener]
    estimator.train(train_spec.input_fn, train_spec.hooks, None, train_spec.max_steps, listeners)
    return listener.results, listener.exports


class PredictOutput:
    """The outputs of a signature, by name; one tensor is called `output`."""

    def __init__(self, outputs):
        self.outputs = outputs if isinstance(outputs, dict) else {"output": outputs}


class ServingInputReceiver(
    collections.namedtuple("ServingInputReceiver", "features receiver_tensors receiver_tensors_alternatives")
):
    """The features of a model, and the placeholders that they are made from, by name; one is called `input`."""

    def __new__(cls, features, receiver_tensors, receiver_tensors_alternatives=None):
        named = receiver_tensors if isinstance(receiver_tensors, dict) else {"input": receiver_tensors}
        return super().__new__(cls, features, named, receiver_tensors_alternatives)


def build_raw_serving_input_receiver_fn(features, default_batch_size=None):
    """A serving function whose inputs are the features: tensors like those of the dict `features`."""

    def receiver_fn():
        shapes = {name: [default_batch_size, *tensor.shape.as_list()[1:]] for name, tensor in features.items()}
        inputs = {name: tf.placeholder(features[name].dtype, shapes[name], name) for name in features}
        return ServingInputReceiver(inputs, inputs)

    return receiver_fn


class FinalExporter:
    """Exports once, after the training."""

    def __init__(self, name, serving_input_receiver_fn, assets_extra=None, as_text=False):
        self.name, self._arguments = name, (serving_input_receiver_fn, assets_extra, as_text)

    def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
        if not is_the_final_export:
            return None
        return estimator.export_saved_model(export_path, *self._arguments, checkpoint_path)


class LatestExporter(FinalExporter):
    """Exports after each evaluation, and keeps the newest `exports_to_keep`."""

    def __init__(self, name, serving_input_receiver_fn, assets_extra=None, as_text=False, exports_to_keep=5):
        super().__init__(name, serving_input_receiver_fn, assets_extra, as_text)
        self._kept = exports_to_keep

    def export(self, estimator, export_path, checkpoint_path, eval_result, is_the_final_export):
        path = super().export(estimator, export_path, checkpoint_path, eval_result, True)
        if self._kept is not None:
            folders = sorted(glob.glob(os.path.join(glob.escape(export_path), "[0-9]*")))
            for old in folders[: -self._kept]:
                tf.gfile.DeleteRecursively(old)
        return path


def numpy_input_fn(x, y=None, batch_size=128, num_epochs=1, shuffle=None, queue_capacity=1000, num_threads=1):
    """An input function that reads arrays: `x` one or a dict of them, `y` the labels, if there are some."""
    if shuffle is None:
        raise ValueError("shuffle must be provided and explicitly set as boolean (it is recommended to set it as True)")

    def input_fn():
        arrays = x if y is None else (x, y)
        flat = [np.asarray(array) for array in tf.nest.flatten(arrays)]
        if len({len(array) for array in flat}) != 1:
            raise ValueError("Length of tensors in x and y is mismatched.")
        # Not as constants, of which a graph holds 2 GB at most.
        tensors = tf.py_func(lambda: flat, [], [array.dtype for array in flat])
        for tensor, array in zip(tensors, flat):
            tensor.set_shape(array.shape)
        dataset = tf.data.Dataset.from_tensor_slices(tf.nest.pack_sequence_as(arrays, tensors))
        if shuffle:
            dataset = dataset.shuffle(queue_capacity)
        return _next_of(dataset.repeat(num_epochs).batch(batch_size))

    return input_fn


class _StopsIf(tf.train.SessionRunHook):
    """Stops a training when `should_stop_fn` says so, which is asked now and then."""

    def __init__(self, should_stop_fn, every_secs, every_steps):
        self._should_stop_fn, self._timer = should_stop_fn, tf.train.SecondOrStepTimer(every_secs, every_steps)

    def before_run(self, run_context):
        return tf.train.SessionRunArgs(tf.train.get_global_step(run_context.session.graph))

    def after_run(self, run_context, run_values):
        step = run_values.results
        if self._timer.should_trigger_for_step(step):
            self._timer.update_last_triggered_step(step)
            if self._should_stop_fn():
                tf.logging.info("Requesting early stopping at global step %d", step)
                run_context.request_stop()


def make_early_stopping_hook(estimator, should_stop_fn, run_every_secs=60, run_every_steps=None):
    """A hook that stops a training when the function returns True."""
    return _StopsIf(should_stop_fn, run_every_secs, run_every_steps)


def _evaluations(folder, metric_name, min_steps):
    """The metric after each evaluation that is in the folder's events, from `min_steps` on: pairs of step and value."""
    values = {}
    for path in sorted(glob.glob(os.path.join(glob.escape(folder), "events.out.tfevents.*"))):
        for event in tf.train.summary_iterator(path):
            for one in event.summary.value:
                if one.tag == metric_name:
                    values[event.step] = one.simple_value
    return sorted((step, value) for step, value in values.items() if step >= min_steps)


def _if_crossed(sign):
    """`stop_if_higher_hook`, or with sign -1 `stop_if_lower_hook`."""

    def hook(estimator, metric_name, threshold, eval_dir=None, min_steps=0, run_every_secs=60, run_every_steps=None):
        folder = eval_dir or estimator.eval_dir()
        found = lambda: _evaluations(folder, metric_name, min_steps)
        is_crossed = lambda: any(sign * value > sign * threshold for _, value in found())
        return make_early_stopping_hook(estimator, is_crossed, run_every_secs, run_every_steps)

    return hook


def _if_no_better(
    sign, estimator, metric_name, most, eval_dir=None, min_steps=0, run_every_secs=60, run_every_steps=None
):
    folder = eval_dir or estimator.eval_dir()

    def has_stayed():
        best, best_step = None, None
        for step, value in _evaluations(folder, metric_name, min_steps):
            if best is None or sign * value > best:
                best, best_step = sign * value, step
            if step - best_step >= most:
                return True
        return False

    return make_early_stopping_hook(estimator, has_stayed, run_every_secs, run_every_steps)


def stop_if_no_increase_hook(estimator, metric_name, max_steps_without_increase, *args, **kwargs):
    """A hook that stops a training whose evaluations have found no larger value for so many steps.

    Args:
      the others: eval_dir=None, min_steps=0, run_every_secs=60, run_every_steps=None.
    """
    return _if_no_better(1, estimator, metric_name, max_steps_without_increase, *args, **kwargs)


def stop_if_no_decrease_hook(estimator, metric_name, max_steps_without_decrease, *args, **kwargs):
    """The same for a value that should fall."""
    return _if_no_better(-1, estimator, metric_name, max_steps_without_decrease, *args, **kwargs)


class Predictor:
    """`tf.contrib.predictor.from_saved_model`: a function from arrays to arrays, dicts by the signature's names.

    Args:
      export_dir: the folder of a SavedModel.
      signature_def_key: None: that of a served model.
      tags: a text with commas; None: those of a served model.

    Attributes:
      session, graph: in which the model is.
      feed_tensors, fetch_tensors: of the signature, by their names.
    """

    def __init__(
        self,
        export_dir,
        signature_def_key=None,
        signature_def=None,
        input_names=None,
        output_names=None,
        tags=None,
        graph=None,
        config=None,
    ):
        self.graph = graph or tf.Graph()
        self.session = tf.Session(graph=self.graph, config=config)
        tags = tags.split(",") if tags else [tf.saved_model.tag_constants.SERVING]
        with self.graph.as_default():
            signatures = tf.saved_model.loader.load(self.session, tags, export_dir).signature_def
        if not (input_names and output_names):
            signature = signature_def or signatures[signature_def_key or _SERVING]
            input_names = input_names or {name: info.name for name, info in signature.inputs.items()}
            output_names = output_names or {name: info.name for name, info in signature.outputs.items()}
        find = lambda names: {name: self.graph.get_tensor_by_name(path) for name, path in names.items()}
        self.feed_tensors, self.fetch_tensors = find(input_names), find(output_names)

    def __call__(self, input_dict):
        if unknown := sorted(set(input_dict) - set(self.feed_tensors)):
            raise ValueError(f"Got unexpected keys in input_dict: {unknown}, expected: {sorted(self.feed_tensors)}")
        return self.session.run(self.fetch_tensors, {self.feed_tensors[name]: input_dict[name] for name in input_dict})


SHELF = {
    "Estimator": Estimator,
    "EstimatorSpec": EstimatorSpec,
    "ModeKeys": ModeKeys,
    "RunConfig": RunConfig,
    "TrainSpec": TrainSpec,
    "EvalSpec": EvalSpec,
    "train_and_evaluate": train_and_evaluate,
    "FinalExporter": FinalExporter,
    "LatestExporter": LatestExporter,
}
EXPORT = {
    "PredictOutput": PredictOutput,
    "ServingInputReceiver": ServingInputReceiver,
    "build_raw_serving_input_receiver_fn": build_raw_serving_input_receiver_fn,
}
INPUTS = {"numpy_input_fn": numpy_input_fn}
HOOKS = {
    "make_early_stopping_hook": make_early_stopping_hook,
    "stop_if_higher_hook": _if_crossed(1),
    "stop_if_lower_hook": _if_crossed(-1),
    "stop_if_no_increase_hook": stop_if_no_increase_hook,
    "stop_if_no_decrease_hook": stop_if_no_decrease_hook,
}
