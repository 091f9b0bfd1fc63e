"""A tagger as in the blogs of 2018: an Estimator, tf.data, the fused LSTM cells, a CRF, early stopping, an export."""

from pathlib import Path

import numpy as np
import tensorflow as tf

tf.logging.set_verbosity(tf.logging.INFO)
random = np.random.RandomState(3)
WORDS, TAGS = ["the", "cat", "sees", "Rome", "and", "Paris"], ["O", "B-LOC"]
SENTENCES = [[WORDS[i] for i in random.randint(6, size=random.randint(2, 7))] for _ in range(400)]


def generator_fn(sentences):
    for words in sentences:
        yield (words, len(words)), ["B-LOC" if word[0].isupper() else "O" for word in words]


def input_fn(sentences, params=None, shuffle_and_repeat=False):
    shapes, types = (([None], ()), [None]), ((tf.string, tf.int32), tf.string)
    dataset = tf.data.Dataset.from_generator(lambda: generator_fn(sentences), output_shapes=shapes, output_types=types)
    if shuffle_and_repeat:
        dataset = dataset.shuffle(100).repeat(params["epochs"])
    return dataset.padded_batch(params.get("batch_size", 20), shapes, (("<pad>", 0), "O")).prefetch(1)


def model_fn(features, labels, mode, params):
    if isinstance(features, dict):  # of a served model
        features = features["words"], features["nwords"]
    words, nwords = features
    vocab_words = tf.contrib.lookup.index_table_from_tensor(WORDS, num_oov_buckets=1)
    variable = tf.get_variable("embedding", [len(WORDS) + 1, params["dim"]])
    embeddings = tf.nn.embedding_lookup(variable, vocab_words.lookup(words))
    embeddings = tf.layers.dropout(embeddings, rate=0.1, training=mode == tf.estimator.ModeKeys.TRAIN)
    t = tf.transpose(embeddings, perm=[1, 0, 2])
    lstm_cell_fw = tf.contrib.rnn.LSTMBlockFusedCell(params["lstm_size"])
    lstm_cell_bw = tf.contrib.rnn.TimeReversedFusedRNN(tf.contrib.rnn.LSTMBlockFusedCell(params["lstm_size"]))
    output_fw, _ = lstm_cell_fw(t, dtype=tf.float32, sequence_length=nwords)
    output_bw, _ = lstm_cell_bw(t, dtype=tf.float32, sequence_length=nwords)
    output = tf.transpose(tf.concat([output_fw, output_bw], axis=-1), perm=[1, 0, 2])
    logits = tf.layers.dense(output, len(TAGS))
    crf_params = tf.get_variable("crf", [len(TAGS), len(TAGS)], dtype=tf.float32)
    pred_ids, _ = tf.contrib.crf.crf_decode(logits, crf_params, nwords)
    if mode == tf.estimator.ModeKeys.PREDICT:
        names = tf.contrib.lookup.index_to_string_table_from_tensor(TAGS)
        predictions = {"pred_ids": pred_ids, "tags": names.lookup(tf.to_int64(pred_ids))}
        return tf.estimator.EstimatorSpec(mode, predictions=predictions)
    tags = tf.contrib.lookup.index_table_from_tensor(TAGS).lookup(labels)
    log_likelihood, _ = tf.contrib.crf.crf_log_likelihood(logits, tf.to_int32(tags), nwords, crf_params)
    loss = tf.reduce_mean(-log_likelihood)
    metrics = {"acc": tf.metrics.accuracy(tags, pred_ids, tf.sequence_mask(nwords))}
    for metric_name, op in metrics.items():
        tf.summary.scalar(metric_name, op[1])
    if mode == tf.estimator.ModeKeys.EVAL:
        return tf.estimator.EstimatorSpec(mode, loss=loss, eval_metric_ops=metrics)
    train_op = tf.train.AdamOptimizer(0.01).minimize(loss, global_step=tf.train.get_or_create_global_step())
    return tf.estimator.EstimatorSpec(mode, loss=loss, train_op=train_op)


params = {"dim": 8, "lstm_size": 8, "epochs": 3, "batch_size": 20}
cfg = tf.estimator.RunConfig(tf_random_seed=1, save_checkpoints_steps=15)
estimator = tf.estimator.Estimator(model_fn, "results/model", cfg, params)
train_inpf = lambda: input_fn(SENTENCES[:300], params, shuffle_and_repeat=True)
eval_inpf = lambda: input_fn(SENTENCES[300:], params)
print("loss {:.4f}".format(estimator.evaluate(eval_inpf)["loss"]))
Path(estimator.eval_dir()).mkdir(parents=True, exist_ok=True)
hook = tf.estimator.experimental.stop_if_no_increase_hook(estimator, "acc", 500, min_steps=8000, run_every_secs=120)
train_spec = tf.estimator.TrainSpec(input_fn=train_inpf, hooks=[hook])
eval_spec = tf.estimator.EvalSpec(input_fn=eval_inpf, throttle_secs=0)
metrics, _ = tf.estimator.train_and_evaluate(estimator, train_spec, eval_spec)
print("loss {loss:.4f} at step {global_step}".format(**metrics))
found = list(estimator.predict(eval_inpf))
tags = [tags for _, tags in generator_fn(SENTENCES[300:])]
right = sum(tuple(p["tags"][: len(t)].tolist()) == tuple(map(str.encode, t)) for p, t in zip(found, tags))
print("right: {} of {}".format(right, len(tags)))


def serving_input_receiver_fn():
    words = tf.placeholder(dtype=tf.string, shape=[None, None], name="words")
    nwords = tf.placeholder(dtype=tf.int32, shape=[None], name="nwords")
    features = {"words": words, "nwords": nwords}
    return tf.estimator.export.ServingInputReceiver(features, features)


path = estimator.export_saved_model("saved_model", serving_input_receiver_fn)
predict_fn = tf.contrib.predictor.from_saved_model(path.decode())
print(predict_fn({"words": [["and", "Rome"]], "nwords": [2]})["tags"])
