"""Does training on the whole range of the series overfit?

The tutorial draws its training instances from all 30 units of time, and asks itself whether that overfits. Here the
`projection` model is trained twice, on the whole range and on t < 20 alone; the mean squared errors of the next value
on both parts, one seed:

                                   t < 20    t from 20 to 30
    trained on t < 20             0.00167            0.00834
    trained on the whole range    0.00172            0.00382

So training on a range halves the error there. All of it is small beside the variance of the series, 9 on
the first part and 39 on the rest, where the swings are wider.

    python -m studies.held_out        15 seconds

Source of the network: Aurélien Géron, "Hands-On Machine Learning with Scikit-Learn and TensorFlow" (2017), chapter 14,
and its notebook 14_recurrent_neural_networks.ipynb at https://github.com/ageron/handson-ml; of the question: notes in
Chinese on that chapter.
"""

import numpy as np

import configs
import reader
import studies
from reader import RESOLUTION, T_MAX, T_MIN
from tf1 import app, plots, tf
from time_series import TimeSeriesModel, predict, run_epoch

SPLIT = T_MIN + (T_MAX - T_MIN) * 2 / 3


def train(config, t_max, values, seed):
    """Trains on the series before `t_max`; returns the prediction of each of the `values` after a whole window."""
    series = reader.TutorialSeries(config.n_steps, t_max)
    with tf.Graph().as_default():
        tf.set_random_seed(seed)
        input_ = reader.SeriesInput(series, config.batch_size, config.n_iterations, seed)
        m = TimeSeriesModel(config, "projection", input_=input_)
        init = tf.global_variables_initializer()
        with tf.Session() as session:
            session.run(init)
            run_epoch(session, m, m.training_op)
            return predict(session, m, values)


@plots.picture
def plot_held_out(values, predictions, n_steps):
    """The next values of the model that was trained on the first part, and the errors of both; by the model's name."""
    figure, (left, right) = plots.new_figure(columns=2)
    times = np.arange(len(values)) * RESOLUTION
    left.plot(times, values, color="black", linewidth=3, alpha=0.3, label="truth")
    name = next(iter(predictions))
    left.plot(times[n_steps:], predictions[name], "r-", linewidth=1, label=f"next value, {name}")
    for name, predicted in predictions.items():
        right.plot(times[n_steps:], np.abs(predicted - values[n_steps:]), linewidth=1, label=name)
    left.set(title="The next value", xlabel="Time", ylabel="Value")
    right.set(title="Its error", xlabel="Time", ylabel="|prediction - truth|", yscale="log")
    for axes in (left, right):
        axes.axvspan(SPLIT, times[-1], color="orange", alpha=0.2, label="held out")
        axes.legend(loc="lower left")
    return plots.save(figure, "plots", "time_series_held_out")


@app.command
def main(argv=None):
    """Returns `train_mse` and `held_out_mse` of what was trained on t < 20; `whole_range_mse`, both of the other."""
    args, config = studies.parse_args(__file__, __doc__, configs.TIME_SERIES_CONFIGS["projection"], argv)
    values = reader.time_series(np.arange(T_MIN, T_MAX, RESOLUTION))
    predictions = {
        f"trained on t < {SPLIT:g}": train(config, SPLIT, values, args.seed),
        "trained on the whole range": train(config, T_MAX, values, args.seed),
    }
    index = round((SPLIT - T_MIN) / RESOLUTION) - config.n_steps
    print(f"MSE of the next value    on t < {SPLIT:g}    on the rest")
    mses = []
    for name, predicted in predictions.items():
        errors = (predicted - values[config.n_steps :]) ** 2
        mses.append((float(np.mean(errors[:index])), float(np.mean(errors[index:]))))
        print("{:26} {:9.5f}  {:9.5f}".format(name, *mses[-1]))
    plots.say(plot_held_out(values, predictions, config.n_steps))
    (train_mse, held_out_mse), whole_range_mse = mses
    return {"train_mse": train_mse, "held_out_mse": held_out_mse, "whole_range_mse": whole_range_mse}


if __name__ == "__main__":
    main()
