"""A loop of training steps in the graph, compiled: for networks so small that a `session.run` a step takes the time."""

from tf1 import tf


def train(build, inputs, labels, state, learning_rate, most):
    """Steps of gradient descent, one after the other, which start from the weights and end with an update of them.

    The weights go round in the loop as tensors: a custom getter gives them to the code that builds a step where it asks
    for its variables. XLA makes machine code of the whole, which has no op to dispatch any more.

    Args:
      build: a function from the inputs, the labels and the state of a step to its loss, the state after it, and what
        else may be; it has built the graph of a step before, and finds the same variables.
      inputs, labels: those of all steps, [number of steps, ...].
      state: before the first step.
      learning_rate: a float.
      most: the largest number of steps.
    Returns:
      The losses, [number of steps], the state after the last step, and the operation that updates the weights, and the
      global step.
    """
    tvars = tf.trainable_variables()
    names = [variable.op.name for variable in tvars]

    def step(index, weights, state, losses, xs, ys):
        def weight(getter, name, *args, **kwargs):
            return weights[names.index(name)]

        with tf.variable_scope(tf.get_variable_scope(), custom_getter=weight):
            loss, state, *_ = build(xs[index], ys[index], state)
        gradients = tf.gradients(loss, weights)
        weights = [w - learning_rate * gradient for w, gradient in zip(weights, gradients)]
        return index + 1, weights, state, losses.write(index, loss)

    def loop(weights, state, xs, ys, count):
        losses = tf.TensorArray(tf.float32, most)
        _, weights, state, losses = tf.while_loop(
            lambda index, *_: index < count,
            lambda *loop_variables: step(*loop_variables, xs, ys),
            [0, weights, state, losses],
            back_prop=False,
            parallel_iterations=1,
        )
        return weights, state, losses.stack()

    count = tf.shape(inputs)[0]
    xs, ys = (_padded(steps, count, most) for steps in (inputs, labels))
    weights = [variable.read_value() for variable in tvars]
    compiled = tf.function(loop, jit_compile=True, autograph=False)
    weights, state, losses = compiled(weights, state, xs, ys, count)
    update = [tf.assign(variable, weight) for variable, weight in zip(tvars, weights)]
    train_op = tf.group(*update, tf.assign_add(tf.train.get_global_step(), tf.cast(count, tf.int64)))
    return losses[:count], state, train_op


def _padded(steps, count, most):
    """`steps` with what the loop never comes to after them, so that it is compiled for one shape, once."""
    padding = [[0, most - count], *([0, 0] for _ in steps.shape[1:])]
    return tf.ensure_shape(tf.pad(steps, padding), [most, *steps.shape[1:]])
