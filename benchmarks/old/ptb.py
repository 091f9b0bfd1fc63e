"""The small model of the PTB tutorial, its rnn.static_rnn form, in TensorFlow 1.x; random words."""

import sys
import time

import numpy as np
import tensorflow as tf

batch_size, num_steps, size, vocab_size = 20, 20, 200, 10000
input_data = tf.placeholder(tf.int32, [batch_size, num_steps])
targets = tf.placeholder(tf.int32, [batch_size, num_steps])
with tf.variable_scope("Model", initializer=tf.random_uniform_initializer(-0.1, 0.1)):
    cells = [tf.contrib.rnn.BasicLSTMCell(size, forget_bias=0.0, state_is_tuple=True) for _ in range(2)]
    cell = tf.contrib.rnn.MultiRNNCell(cells, state_is_tuple=True)
    state = cell.zero_state(batch_size, tf.float32)
    with tf.device("/cpu:0"):
        inputs = tf.nn.embedding_lookup(tf.get_variable("embedding", [vocab_size, size]), input_data)
    inputs = tf.unstack(inputs, num=num_steps, axis=1)
    outputs, final_state = tf.contrib.rnn.static_rnn(cell, inputs, initial_state=state)
    output = tf.reshape(tf.concat(outputs, 1), [-1, size])
    logits = tf.nn.xw_plus_b(
        output, tf.get_variable("softmax_w", [size, vocab_size]), tf.get_variable("softmax_b", [vocab_size])
    )
logits = tf.reshape(logits, [batch_size, num_steps, vocab_size])
loss = tf.contrib.seq2seq.sequence_loss(
    logits, targets, tf.ones([batch_size, num_steps]), average_across_timesteps=False, average_across_batch=True
)
cost = tf.reduce_sum(loss)
tvars = tf.trainable_variables()
grads, _ = tf.clip_by_global_norm(tf.gradients(cost, tvars), 5)
train_op = tf.train.GradientDescentOptimizer(1.0).apply_gradients(zip(grads, tvars))

random = np.random.RandomState(0)
words = random.randint(0, vocab_size, [batch_size, num_steps + 1])
with tf.Session() as sess:
    sess.run(tf.global_variables_initializer())
    value = sess.run(state)
    for step in range(10 + int(sys.argv[1])):
        if step == 10:
            start = time.time()
        value, _ = sess.run([final_state, train_op], {input_data: words[:, :-1], targets: words[:, 1:], state: value})
print("%.3f ms a step" % ((time.time() - start) / int(sys.argv[1]) * 1000))
