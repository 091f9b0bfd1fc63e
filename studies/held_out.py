"""Does training on the whole range of the series overfit?

The tutorial draws its training instances from all 30 units of time, and asks itself whether that overfits. Here the
`projection` model is trained twice with each of 10 seeds, on t < 20 alone and on the whole range:

                                   MSE of the next value, t from 20 to 30
    trained on t < 20              0.003841, standard error 0.000588
    trained on the whole range     0.002566, standard error 0.000697
    difference                     0.001275, standard error 0.001017

So there is no difference beyond chance, and no sign of overfitting. All of it is small beside the variance of the
series, 9 on the first part and 39 on the rest, where the swings are wider. The picture is that of the last seed.

    python -m studies.held_out        3 minutes

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
    """Returns the MSE on t < 20 and on the rest, by seed [n_seeds, 2], of `first_part` and of `whole_range`."""
    args, config = studies.parse_args(__file__, __doc__, configs.HELD_OUT_CONFIGS, argv)
    values = reader.time_series(np.arange(T_MIN, T_MAX, RESOLUTION))
    index = round((SPLIT - T_MIN) / RESOLUTION) - config.n_steps
    results = {"first_part": [], "whole_range": []}
    print(f"MSE of the next value, trained on t < {SPLIT:g}    on the whole range")
    print(f"seed      on t < {SPLIT:g}  on the rest    on t < {SPLIT:g}  on the rest")
    for seed in range(args.seed, args.seed + config.n_seeds):
        predictions = [train(config, t_max, values, seed) for t_max in (SPLIT, T_MAX)]
        for mses, predicted in zip(results.values(), predictions):
            errors = (predicted - values[config.n_steps :]) ** 2
            mses.append((float(np.mean(errors[:index])), float(np.mean(errors[index:]))))
        numbers = (mse for mses in results.values() for mse in mses[-1])
        print("{:4}  {:12.5f}  {:11.5f}  {:12.5f}  {:11.5f}".format(seed, *numbers))
    held_out, trained_on = (np.array(mses)[:, 1] for mses in results.values())
    studies.compare({"held out": held_out, "trained on": trained_on})
    names = f"trained on t < {SPLIT:g}", "trained on the whole range"
    plots.say(plot_held_out(values, dict(zip(names, predictions)), config.n_steps))
    return results


if __name__ == "__main__":
    main()
