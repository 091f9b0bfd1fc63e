"""`tf.contrib.learn.preprocessing.VocabularyProcessor`: texts as ids of their words.

Source: TensorFlow 1.15,
https://github.com/tensorflow/tensorflow/tree/r1.15/tensorflow/contrib/learn/python/learn/preprocessing
"""

import collections
import itertools
import pickle
import re

import numpy as np

from tf1 import tf

TOKENIZER_RE = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|['\w\-]+")  # of contrib.learn


def tokenizer(iterator):
    """Yields the words of each text."""
    yield from map(TOKENIZER_RE.findall, iterator)


class VocabularyProcessor:
    """`tf.contrib.learn.preprocessing.VocabularyProcessor`: texts as ids of their words, 0 for what is unknown.

    Its attributes have the names of TensorFlow 1.15, whose saved processors `restore` reads, under `python -m tf1`.
    They are pickles, as there, so restore only what you trust.

    Args:
      max_document_length: ids of each text.
      min_frequency: words that are not more frequent than that are unknown; 0: all are known.
      vocabulary: a `CategoricalVocabulary` that is there already.
      tokenizer_fn: gives the lists of words of an iterable of texts.

    Attributes:
      vocabulary_: a `CategoricalVocabulary`.
    """

    def __init__(self, max_document_length, min_frequency=0, vocabulary=None, tokenizer_fn=None):
        self.max_document_length, self.min_frequency = max_document_length, min_frequency
        self.vocabulary_, self._tokenizer = vocabulary or CategoricalVocabulary(), tokenizer_fn or tokenizer

    def fit(self, raw_documents, unused_y=None):
        for words in self._tokenizer(raw_documents):
            for word in words:
                self.vocabulary_.add(word)
        if self.min_frequency > 0:
            self.vocabulary_.trim(self.min_frequency)
        self.vocabulary_.freeze()
        return self

    def transform(self, raw_documents):
        """Yields the ids of each text, int64 [max_document_length], filled up with zeros."""
        for words in self._tokenizer(raw_documents):
            ids = [self.vocabulary_.get(word) for word in itertools.islice(words, self.max_document_length)]
            yield np.array(ids + [0] * (self.max_document_length - len(ids)), np.int64)

    def fit_transform(self, raw_documents, unused_y=None):
        return self.fit(raw_documents).transform(raw_documents)

    def reverse(self, documents):
        """Yields the text of each row of ids."""
        for ids in documents:
            yield " ".join(map(self.vocabulary_.reverse, ids))

    def save(self, filename):
        with tf.gfile.GFile(filename, "wb") as file:
            file.write(pickle.dumps(self))

    @classmethod
    def restore(cls, filename):
        with tf.gfile.GFile(filename, "rb") as file:
            return pickle.loads(file.read())


class CategoricalVocabulary:
    """The words, or other categories, of a `VocabularyProcessor`, and how often each was added; 0 is what is unknown.

    Args:
      unknown_token: what `reverse` makes of 0.
      support_reverse: whether `reverse` is called.
    """

    def __init__(self, unknown_token="<UNK>", support_reverse=True):
        self._unknown_token, self._support_reverse = unknown_token, support_reverse
        self._mapping, self._reverse_mapping = {unknown_token: 0}, [unknown_token]
        self._freq, self._freeze = collections.Counter(), False

    def __len__(self):
        return len(self._mapping)

    def freeze(self, freeze=True):
        """From now on, new categories are unknown; with False, they get an id."""
        self._freeze = freeze

    def get(self, category):
        """The id of a category, a new one's too, where the vocabulary is not frozen."""
        if category not in self._mapping:
            if self._freeze:
                return 0
            self._mapping[category] = len(self._mapping)
            self._reverse_mapping.append(category)
        return self._mapping[category]

    def add(self, category, count=1):
        if self.get(category) > 0:
            self._freq[category] = self._freq.get(category, 0) + count  # a dict in what TensorFlow 1.15 saved

    def trim(self, min_frequency, max_frequency=-1):
        """Keeps what was added more than `min_frequency` times, and, where that is positive, less than `max_frequency`.

        The ids are new: by falling frequency, and among equals by the alphabet.
        """
        rank = lambda item: (-item[1], isinstance(item[0], str), item[0])
        is_kept = lambda count: count > min_frequency and not 0 < max_frequency <= count
        self._freq = {category: count for category, count in sorted(self._freq.items(), key=rank) if is_kept(count)}
        self._reverse_mapping = [self._unknown_token, *self._freq]
        self._mapping = {category: place for place, category in enumerate(self._reverse_mapping)}

    def reverse(self, class_id):
        if not self._support_reverse:
            raise ValueError("This vocabulary wasn't initialized with support_reverse: reverse() cannot be called")
        return self._reverse_mapping[class_id]


SHELF = {
    "VocabularyProcessor": VocabularyProcessor,
    "CategoricalVocabulary": CategoricalVocabulary,
    "tokenizer": tokenizer,
}
