"""Pictures in PNG files; no display is needed, and nothing that fails in drawing ends a training."""

import functools
import gc
import importlib
import inspect
import logging
import os
import sys
import warnings

from tf1.metrics import add_picture
from tf1.progress import write


def picture(draw):
    """Makes `draw` independent of the user's settings; whatever fails in it is one line, and it returns None then.

    Args:
      draw: a function that draws on a `new_figure` and returns what `save` does. Where it has an argument `folder`, and
        that is None, nothing is drawn.
    """

    signature = inspect.signature(draw)

    @functools.wraps(draw)
    def wrapper(*args, **kwargs):
        if signature.bind(*args, **kwargs).arguments.get("folder", "") is None:
            return None
        try:
            matplotlib = _matplotlib()
            with matplotlib.rc_context(), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of glyphs that a font lacks, and their like
                matplotlib.rcdefaults()
                return draw(*args, **kwargs)
        except Exception as error:
            reason = " ".join(f"{type(error).__name__}: {error}".split())[:200]
            write(f"A picture cannot be drawn ({draw.__name__}): {reason}")
            return None

    return wrapper


def say(*pictures):
    """Prints where the pictures are; None is one that could not be drawn or written."""
    for path in filter(None, pictures):
        print(f"Picture: {path}")


def _matplotlib():
    """The library, imported on first use: it takes half a second, which --help does not have."""
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # it warns where its own cache cannot be written
    if "matplotlib" not in sys.modules:
        backend = os.environ.pop("MPLBACKEND", None)  # a notebook's, which it hands to the programs that it starts
        try:
            importlib.import_module("matplotlib")
        finally:
            if backend is not None:
                os.environ["MPLBACKEND"] = backend
    return sys.modules["matplotlib"]


def new_figure(columns=1):
    """A figure with one axes, or an array of `columns` axes; both are returned.

    It belongs to no window, so nothing has to be closed.
    """
    _matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8, 5) if columns == 1 else (5.5 * columns, 4), layout="constrained")
    FigureCanvasAgg(figure)
    return figure, figure.subplots(ncols=columns)


def draw_images(axes, images, captions, rows=5, columns=12):
    """Draws the first of the images, one beside the other with their captions above them.

    Args:
      images: [number of images, height, width], of any size, 0 to 1; 1 is black.
      captions: texts of some letters.
    """
    # In cells of 32 x 36, with 28 x 28 for the image; even one of a single row is high enough to be seen.
    height, width = (max(2, 28 * size / max(images.shape[1:])) for size in images.shape[1:])
    for place, (image, caption) in enumerate(zip(images[: rows * columns], captions)):
        top, center = place // columns * 36 + 8, place % columns * 32 + 16
        extent = (center - width / 2, center + width / 2, top + height, top)
        axes.imshow(1 - image, cmap="gray", vmin=0, vmax=1, extent=extent)
        axes.text(center, top - 1, caption, ha="center", fontsize=8)
    axes.set(xlim=(0, columns * 32), ylim=(rows * 36, 0), aspect="equal")
    axes.set_axis_off()


def save(figure, folder, name):
    """Writes `folder/name.png`, whole or not at all, and returns the path.

    Where it cannot be written, that is said and None returned: a picture is no reason to end hours of training.
    """
    path = os.path.join(folder, f"{name}.png")
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        os.makedirs(folder, exist_ok=True)
        figure.savefig(temporary, format="png", dpi=120)
        os.replace(temporary, path)
        add_picture(path)
        gc.collect()  # a figure refers to itself in circles, and would keep some MB until Python looks for those
    except OSError as error:
        write(f"The picture {path} cannot be written: {error.strerror}")
        return None
    finally:
        if os.path.exists(temporary):
            os.remove(temporary)
    return path
