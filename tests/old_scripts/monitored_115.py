"""The last of TF 1.x: MonitoredTrainingSession with hooks, LSTMBlockCell, and names that only a GPU would call."""

import tensorflow as tf
from tensorflow.contrib.cudnn_rnn.python.ops import cudnn_rnn_ops
from tensorflow.core.protobuf import rewriter_config_pb2
from tensorflow.python.client import device_lib

flags = tf.flags
flags.DEFINE_string("rnn_mode", None, "block or cudnn")
flags.DEFINE_integer("num_gpus", 0, "how many")
FLAGS = flags.FLAGS


def build_cell(size):
    if FLAGS.rnn_mode == "cudnn":
        return tf.contrib.cudnn_rnn.CudnnLSTM(num_layers=1, num_units=size)
    assert cudnn_rnn_ops.RNNParamsSaveable
    return tf.contrib.rnn.MultiRNNCell([tf.contrib.rnn.LSTMBlockCell(size, forget_bias=0.0) for _ in range(2)])


def main(_):
    gpus = [x.name for x in device_lib.list_local_devices() if x.device_type == "GPU"]
    if FLAGS.num_gpus > len(gpus):
        raise ValueError("Your machine has only %d gpus" % len(gpus))
    if tf.__version__ < "1.3.0":  # as strings: true of 1.15.0
        FLAGS.rnn_mode = FLAGS.rnn_mode or "block"
    FLAGS.never_defined = 3
    tf.set_random_seed(1)
    x = tf.random_uniform([16, 12, 1])
    target = tf.cumsum(x, axis=1)
    cell = build_cell(12)
    outputs, state = [], cell.zero_state(16, tf.float32)
    with tf.variable_scope("RNN"):
        for time_step in range(12):
            if time_step > 0:
                tf.get_variable_scope().reuse_variables()
            output, state = cell(x[:, time_step, :], state)
            outputs.append(output)
    predictions = tf.contrib.layers.linear(tf.stack(outputs, axis=1), 1)
    loss = tf.losses.mean_squared_error(target, predictions)
    global_step = tf.contrib.framework.get_or_create_global_step()
    train_op = tf.contrib.layers.optimize_loss(loss, global_step, 0.02, "Adam", clip_gradients=5.0)
    config = tf.ConfigProto()
    config.graph_options.rewrite_options.arithmetic_optimization = rewriter_config_pb2.RewriterConfig.OFF
    hooks = [tf.train.StopAtStepHook(last_step=100), tf.train.NanTensorHook(loss)]
    with tf.train.MonitoredTrainingSession(hooks=hooks, config=config) as session:
        while not session.should_stop():
            step, value, _ = session.run([global_step, loss, train_op])
            if step in (1, 50, 100) or session.should_stop():
                print("step", step, "loss %.4f" % value)
    print([v.op.name for v in tf.trainable_variables()][0])


if __name__ == "__main__":
    tf.app.run()
