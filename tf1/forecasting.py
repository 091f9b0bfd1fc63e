"""What a network that was trained on the first part of a user's series makes of the rest, and of what follows it.

`held_out` compares its predictions with the rest. `forecast` generates the values after the last one, and measures
their error where the truth is known. A forecast feeds on itself, so its error grows with the step: from many places in
the held-out part as many values are generated, and the error at step h is the root mean square of their differences
from the truth, h values after each place.

    trained on                held out                the future
    ------------------------- ----------------------- - - - - - -
                              start +h
                                 start +h                           each place the same steps, so that half of the
                                        ...                         held-out part can be starts, and half be steps
                                            start +h
"""

import os

import numpy as np

from tf1 import app, plots
from tf1.app import BadValue, UserError, write_file

MOST_VALUES = 100_000
_MOST_STARTS, _LEAST_STARTS, _MEASURED_VALUES = 200, 20, 400_000  # some 15 seconds of generating
_PRINTED = 10


def count(text):
    """The type of --forecast."""
    value = app.integer(text)
    if not 1 <= value <= MOST_VALUES:
        raise BadValue(f"{value} is not in the range from 1 to {MOST_VALUES}")
    return value


def path_of(folder, data_path):
    """Where the forecast is written.

    Raises:
      UserError: there is the user's series, or no folder that can be written to.
    """
    path = os.path.join(folder, "forecast.csv")
    if os.path.realpath(path) == os.path.realpath(data_path):
        raise UserError(f"--data_path={data_path} is the file that --forecast writes: rename it")
    parent = app.nearest_that_exists(folder)
    if not (os.path.isdir(parent) and os.access(parent, os.W_OK)):
        shown = folder if os.path.exists(folder) else parent
        raise UserError(f"{path} cannot be written: {shown} is no folder, or not yours; name another with --save_path")
    return path


def held_out(session, model, series, predictions, folder):
    """Compares what the network makes of the held-out part of a user's series with the truth.

    Args:
      series: a `reader.OwnSeries`.
      predictions: of each value after a whole window of `series.scaled`, [len(values) - n_steps].
      folder: of the picture.
    Returns:
      `train_mse` and `held_out_mse`, in units of the deviation squared, `predictions` of each next value, and
      `forecast`, which is generated from the split on; both [len(values) - split], in the series' units.
    """
    values, split, first = series.values, series.split, series.split - model.n_steps
    errors = (predictions - series.scaled[model.n_steps :]) ** 2
    train_mse, held_out_mse = float(np.mean(errors[:first])), float(np.mean(errors[first:]))
    generated = _generate(session, model, series.scaled[:split], len(values) - split)
    predictions, generated = (array * series.deviation + series.mean for array in (predictions[first:], generated))
    error, naive = (np.sqrt(np.mean((values[split:] - guess) ** 2)) for guess in (predictions, values[split - 1 : -1]))
    print(f"MSE of the next value, scaled: {train_mse:.5f} on the first {split} values, {held_out_mse:.5f} on the rest")
    print(f"Root mean square error on the rest: {error:.4g}; always predicting the last value gives {naive:.4g}")
    plots.say(plot_held_out(folder, series, predictions, generated, model.name))
    results = {"train_mse": train_mse, "held_out_mse": held_out_mse}
    return {**results, "predictions": predictions, "forecast": generated}


@plots.picture
def plot_held_out(folder, series, predictions, generated, model_name):
    """A user's series, the predictions of each next value after the split, and what is generated from there on."""
    figure, axes = plots.new_figure()
    axes.plot(series.values, color="black", alpha=0.5, label="truth")
    axes.axvline(series.split, color="gray", linestyle=":")
    positions = np.arange(series.split, len(series.values))
    axes.plot(positions, predictions, "r.", markersize=3, label="each next value, from those before it")
    axes.plot(positions, generated, "b-", linewidth=1, label="forecast from the dotted line on")
    axes.set(title="Trained on the left of the dotted line", xlabel="position in the series", ylabel="value")
    axes.legend(loc="upper left")
    return plots.save(figure, folder, f"series_forecast_{model_name}")


def _generate(session, model, start, steps):
    values = session.run(model.values, feed_dict={model.start: start[-model.n_steps :], model.n_values: steps})
    return values.astype(np.float64)


def errors_by_step(session, model, values, split, steps, watched):
    """The root mean square errors of generated values, by how many steps they are after the truth, and the starts.

    Args:
      values: the series, scaled as in training; the part after `split` is held out.
      steps: how many to measure; at most half of the held-out part is.
      watched: wraps an iterable, as `Run.watched` does: it shows progress, and may stop between two items.
    Returns:
      The errors, [number of measured steps], none after one that is not finite; the number of starts.
    """
    held_out = len(values) - split
    steps = min(steps, max(1, held_out // 2), _MEASURED_VALUES // _LEAST_STARTS)
    starts = min(held_out - steps + 1, max(_LEAST_STARTS, min(_MOST_STARTS, _MEASURED_VALUES // steps)))
    places = np.linspace(split, len(values) - steps, starts).astype(int)
    squares = np.zeros(steps)
    for place in watched(places):
        squares += (_generate(session, model, values[:place], steps) - values[place : place + steps]) ** 2
    errors = np.sqrt(squares / starts)
    return errors[: np.argmin(np.isfinite(errors))] if not np.all(np.isfinite(errors)) else errors, starts


def forecast(session, model, series, steps, path, watched):
    """Prints, draws and writes `steps` values after a user's series, a `reader.OwnSeries`, each with its error.

    Returns `next_values`, `next_low` and `next_high`, [steps] each.
    Raises:
      UserError: the network's values grow without end, or the file cannot be written.
    """
    errors, starts = errors_by_step(session, model, series.scaled, series.split, steps, watched)
    values = _generate(session, model, series.scaled, steps)
    if not len(errors) or not np.all(np.isfinite(values)):
        step = int(np.argmin(np.isfinite(values))) if len(errors) else 0
        raise UserError(f"the forecast is not finite after step {step}: train longer, or lower --forecast", 1)
    measured = len(errors)
    band = np.pad(errors, (0, steps - measured), mode="edge") * series.deviation
    values = values * series.deviation + series.mean
    low, high = values - band, values + band
    held_out = len(series.values) - series.split
    print(
        f"Forecast of {steps} values; low and high are one root mean square error away, from {starts} starts in the "
        f"{held_out} held-out values"
    )
    if measured < steps:
        print(
            f"What is more than {measured} steps ahead cannot be measured there: its error is that of step {measured}"
        )
    rows = list(zip(range(1, steps + 1), values.tolist(), low.tolist(), high.tolist()))
    print("  step         value           low          high")
    for step, *numbers in rows[:_PRINTED]:
        print(f"{step:6}" + "".join(f"  {number:12.6g}" for number in numbers))
    if steps > _PRINTED:
        print("   ...")
    _write(path, rows)
    print(f"Forecast: {path}")
    plots.say(plot_next(os.path.dirname(path), series, values, band, measured, model.name))
    return {"next_values": values, "next_low": low, "next_high": high}


def _write(path, rows):
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}", 1) from error
    write_file(path, "step,value,low,high\n" + "".join("{},{!r},{!r},{!r}\n".format(*row) for row in rows))


@plots.picture
def plot_next(folder, series, values, band, measured, model_name):
    """The end of the series, the values after it, and one error on both sides of them."""
    figure, axes = plots.new_figure()
    end = len(series.values)
    start = max(0, end - max(3 * len(values), 60))
    axes.plot(np.arange(start, end), series.values[start:], color="black", alpha=0.5, label="the series")
    # From the last value on, which has no error: a band of one step would have no width.
    after = np.arange(end - 1, end + len(values))
    joined, width = np.concatenate([series.values[-1:], values]), np.concatenate([[0], band])
    axes.plot(after, joined, "b-", linewidth=1, label="forecast")
    axes.plot(after[1:], values, "b.", markersize=4 if len(values) < 100 else 0)
    axes.fill_between(after, joined - width, joined + width, color="C0", alpha=0.25, label="± 1 error, by step")
    if measured < len(values):
        axes.axvline(end + measured - 1, color="gray", linestyle=":", label="not measured after this line")
    axes.set(title=f"{len(values)} values after the last one", xlabel="position in the series", ylabel="value")
    axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.12), ncols=4)  # not over the series, wherever it goes
    return plots.save(figure, folder, f"series_next_{model_name}")
