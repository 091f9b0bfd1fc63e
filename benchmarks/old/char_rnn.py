"""A character model of two GRU layers of 128 with dropout, 50 x 50 random characters a step, in TensorFlow 1.x."""

import sys
import time

import numpy as np
import tensorflow as tf

ids = tf.placeholder(tf.int32, [50, 50])
targets = tf.placeholder(tf.int32, [50, 50])
keep_prob = tf.placeholder(tf.float32)


def layer():
    return tf.contrib.rnn.DropoutWrapper(tf.contrib.rnn.GRUCell(128), output_keep_prob=keep_prob)


cell = tf.contrib.rnn.MultiRNNCell([layer() for _ in range(2)])
inputs = tf.nn.embedding_lookup(tf.get_variable("embedding", [65, 128]), ids)
state = cell.zero_state(50, tf.float32)
outputs, final_state = tf.nn.dynamic_rnn(cell, inputs, initial_state=state)
logits = tf.contrib.layers.fully_connected(outputs, 65, activation_fn=None)
loss = tf.contrib.seq2seq.sequence_loss(logits, targets, tf.ones([50, 50]))
tvars = tf.trainable_variables()
grads, _ = tf.clip_by_global_norm(tf.gradients(loss, tvars), 5)
train_op = tf.train.AdamOptimizer(0.002).apply_gradients(zip(grads, tvars))

random = np.random.RandomState(0)
text = random.randint(0, 65, [50, 51])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    value = sess.run(state)
    for step in range(10 + int(sys.argv[1])):
        if step == 10:
            start = time.time()
        feed = {ids: text[:, :-1], targets: text[:, 1:], keep_prob: 0.5, state: value}
        value, _ = sess.run([final_state, train_op], feed)
print("%.3f ms a step" % ((time.time() - start) / int(sys.argv[1]) * 1000))
