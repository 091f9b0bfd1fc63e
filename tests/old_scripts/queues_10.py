"""An input pipeline of 2016 and 2017 without an Estimator: a queue of file names, a text reader, batches by threads."""

import os
import tempfile

import numpy as np
import tensorflow as tf


def write_files(folder):
    random = np.random.RandomState(0)
    names = []
    for i in range(3):
        names.append(os.path.join(folder, "part%d.csv" % i))
        with open(names[-1], "w") as f:
            for _ in range(100):
                series = np.cumsum(random.rand(6))
                f.write(",".join("%f" % value for value in series) + "\n")
    return names


tf.set_random_seed(1)
with tempfile.TemporaryDirectory() as folder:
    filename_queue = tf.train.string_input_producer(write_files(folder), shuffle=True)
    key, line = tf.TextLineReader().read(filename_queue)
    columns = tf.decode_csv(line, record_defaults=[[0.0]] * 6)
    features, label = tf.pack(columns[:5]), columns[5]
    x, y = tf.train.shuffle_batch([features, label], batch_size=32, capacity=200, min_after_dequeue=50)
    cell = tf.nn.rnn_cell.GRUCell(16)
    state = cell.zero_state(32, tf.float32)
    with tf.variable_scope("steps") as scope:
        for i, step in enumerate(tf.split(x, 5, 1)):
            if i:
                scope.reuse_variables()
            output, state = cell(step, state)
    prediction = tf.squeeze(tf.matmul(output, tf.Variable(tf.truncated_normal([16, 1], stddev=0.1))), [1])
    loss = tf.reduce_mean(tf.square(tf.sub(prediction, y)))
    train_step = tf.train.AdamOptimizer(0.01).minimize(loss)
    tf.histogram_summary("prediction", prediction)
    summaries = tf.merge_all_summaries()
    with tf.Session() as sess:
        sess.run(tf.initialize_all_variables())
        writer = tf.train.SummaryWriter(folder, sess.graph)
        coord = tf.train.Coordinator()
        threads = tf.train.start_queue_runners(sess=sess, coord=coord)
        try:
            for i in xrange(151):
                value, summary, _ = sess.run([loss, summaries, train_step])
                writer.add_summary(summary, i)
                if i % 50 == 0:
                    print("step %d: loss %.4f" % (i, value))
        finally:
            coord.request_stop()
            coord.join(threads)
        writer.close()
