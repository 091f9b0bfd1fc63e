"""Letters one to the right, as in the lessons of 2017: seq2seq.sequence_loss, dropout, layers of layers, a residual."""

import numpy as np
import tensorflow as tf
from tensorflow.contrib import rnn, seq2seq

sentence = "if you want to build a ship, don't drum up people together to collect wood"
char_set = list(sorted(set(sentence)))
char_dic = {w: i for i, w in enumerate(char_set)}
num_classes, sequence_length, hidden_size = len(char_set), 10, 24
dataX = [[char_dic[c] for c in sentence[i : i + sequence_length]] for i in range(len(sentence) - sequence_length)]
dataY = [
    [char_dic[c] for c in sentence[i + 1 : i + sequence_length + 1]] for i in range(len(sentence) - sequence_length)
]
batch_size = len(dataX)

tf.set_random_seed(1)
X = tf.placeholder(tf.int32, [None, sequence_length])
Y = tf.placeholder(tf.int32, [None, sequence_length])
keep_prob = tf.placeholder(tf.float32)
X_one_hot = tf.one_hot(X, num_classes)


def lstm_cell():
    return rnn.DropoutWrapper(rnn.BasicLSTMCell(hidden_size, state_is_tuple=True), output_keep_prob=keep_prob)


multi_cells = rnn.MultiRNNCell([lstm_cell(), rnn.ResidualWrapper(rnn.GRUCell(hidden_size))], state_is_tuple=True)
outputs, _states = tf.nn.dynamic_rnn(multi_cells, X_one_hot, dtype=tf.float32)
X_for_fc = tf.reshape(outputs, [-1, hidden_size])
outputs = tf.contrib.layers.fully_connected(X_for_fc, num_classes, activation_fn=None)
outputs = tf.reshape(outputs, [batch_size, sequence_length, num_classes])
weights = tf.ones([batch_size, sequence_length])
mean_loss = tf.reduce_mean(seq2seq.sequence_loss(logits=outputs, targets=Y, weights=weights))
train_op = tf.train.AdamOptimizer(learning_rate=0.05).minimize(mean_loss)

sess = tf.Session()
sess.run(tf.global_variables_initializer())
for i in range(61):
    _, l = sess.run([train_op, mean_loss], feed_dict={X: dataX, Y: dataY, keep_prob: 0.9})
    if i % 20 == 0:
        print("step", i, "loss:", l)
results = sess.run(outputs, feed_dict={X: dataX, keep_prob: 1.0})
print("".join(char_set[t] for t in np.argmax(results[0], axis=1)))
