"""How well a trained network predicts a text: the perplexity of all of it, and the log probability of each sentence."""

import math

import numpy as np

from tf1 import streams
from tf1.app import UserError

ROWS, STEPS = 64, 8  # sentences that are read side by side, and their words or characters that are read at once
LONG_STEPS = 64  # where a sentence is longer than that


class Scores:
    """What a text was predicted with.

    Args:
      losses: of each word or character, in nats, [n].
      ids: of the same, [n].
      is_unknown: which of them are `<unk>` in place of another word, [n].
      end: the id of what ends a sentence; None: the text is one sentence.
      first: the place of the first that counts; what is before it was read, and not predicted.

    Attributes:
      sentences: of each the places from where to where in the arrays, [number of sentences, 2].
      perplexity: of a word, or of a character, of all there are, ends of sentences too.
    """

    def __init__(self, losses, ids, is_unknown, end, first=0):
        self.losses, self.ids, self.is_unknown, self.first, self._is_end = losses, ids, is_unknown, first, ids == end
        stops = np.flatnonzero(self._is_end) + 1
        if not len(stops) or stops[-1] < len(ids):
            stops = np.append(stops, len(ids))
        self.sentences = np.stack([np.append(0, stops[:-1]), stops], axis=1)
        self.perplexity = math.exp(min(float(np.mean(losses[first:], dtype=np.float64)), 700.0))

    def of(self, begin=0, stop=None):
        """Of a part: natural log probability, how many there are without the ends of sentences, how many unknown."""
        part = slice(max(begin, self.first), stop)
        log_probability = 0.0 - float(np.sum(self.losses[part], dtype=np.float64))  # -0.0 would be shown
        return log_probability, int(np.sum(~self._is_end[part])), int(np.sum(self.is_unknown[part]))


def of_stream(read, ids, is_unknown, end, zero_state, num_steps, **options):
    """The `Scores` of a text, each word or character but the first predicted from all before it.

    Args:
      read, zero_state, num_steps, options: as for `streams.item_losses`.
      ids, is_unknown, end: as for `Scores`.
    """
    if len(ids) < 2:
        raise UserError("nothing in the text comes after its first word or character: give more, or add --each_alone")
    losses = streams.item_losses(read, ids, 1, zero_state, num_steps, **options)
    return Scores(np.append(np.zeros(1, losses.dtype), losses), ids, is_unknown, end, first=1)


def sizes_of(ids, end):
    """How many sentences `of_each_alone` reads side by side, and how many of their words or characters at once."""
    ends = np.flatnonzero(ids == end)
    longest = int(np.max(np.diff(ends, prepend=-1, append=len(ids))))
    return min(ROWS, len(ends) + 1), STEPS if longest <= LONG_STEPS else LONG_STEPS


def of_each_alone(read, ids, is_unknown, end, zero_state, num_steps, watched=iter):
    """The `Scores` of sentences, each predicted as if it began a text: from a zero state and an end of a sentence.

    Sentences of about one length are read side by side.
    """
    if end is None:
        raise UserError("--each_alone goes with a network that knows ends of lines, which this one's text had not")
    if ids[-1] != end:
        ids, is_unknown = np.append(ids, end), np.append(is_unknown, False)
    scores = Scores(np.zeros(len(ids), np.float32), ids, is_unknown, end)
    begins, lengths = scores.sentences[:, 0], np.diff(scores.sentences)[:, 0]
    by_length, rows = np.argsort(lengths, kind="stable"), zero_state.shape[-2]
    for first in watched(range(0, len(lengths), rows)):
        chosen = by_length[first : first + rows]
        chosen = np.pad(chosen, (0, rows - len(chosen)), "edge")[:, None]
        state = zero_state
        for start in range(0, int(lengths[chosen].max()), num_steps):
            within = start + np.arange(num_steps)
            places = np.minimum(begins[chosen] + within, len(ids) - 1)
            inputs = np.where(within == 0, end, ids[places - 1])
            losses, state = read(inputs, ids[places], state, True)
            counts = within < lengths[chosen]
            scores.losses[places[counts]] = losses[counts]
    return Scores(scores.losses, ids, is_unknown, end)


def show(scores, vocabulary, verbose):
    """Prints the scores; the sentences are in the order of the text. Returns the numbers in a dict."""
    one, several = ("word", "words") if vocabulary.kind == "words" else ("character", "characters")
    sentences = []
    if verbose:
        print(f"{'ln P':>12} {'log10 P':>12} {several:>10} {'unknown':>7}  text")
    for begin, stop in scores.sentences if verbose else ():
        log_probability, count, unknown = scores.of(begin, stop)
        text = vocabulary.text(scores.ids[begin:stop]).rstrip("\n")
        print(f"{log_probability:12.4f} {log_probability / math.log(10):12.4f} {count:10} {unknown:7}  {text}")
        sentences.append({"log_probability": log_probability, several: count, "unknown": unknown, "text": text})
    if scores.first:
        print(f"Not counted: the text's first {one}, which nothing before it predicts")
    log_probability, count, unknown = scores.of()
    predicted = len(scores.ids) - scores.first
    read_as = f", of which {unknown:,} unknown, read as <unk>" if unknown else ""
    ends = "ends of sentences" if vocabulary.kind == "words" else "ends of lines"
    print(f"{several}: {count:,}{read_as}; {ends}: {predicted - count:,}")
    print(f"Log probability: {log_probability:.3f}, to base 10 {log_probability / math.log(10):.3f}")
    nats = -log_probability / predicted
    bits = f", {nats / math.log(2):.4f} bits a character ({nats:.4f} nats)" if one == "character" else ""
    print(f"Perplexity: {scores.perplexity:.3f}{bits}")
    results = {"perplexity": scores.perplexity, "log_probability": log_probability, several: count, "unknown": unknown}
    return {**results, "nats": nats, **({"sentences": sentences} if verbose else {})}
