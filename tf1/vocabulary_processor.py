"""`tf.contrib.learn.preprocessing.VocabularyProcessor`: texts as ids of their words.

Source: TensorFlow 1.15,
https://github.com/tensorflow/tensorflow/tree/r1.15/tensorflow/contrib/learn/python/learn/preprocessing
"""

import collections
import json
import re

import numpy as np

from tf1.app import write_file

_WORD = re.compile(r"[A-Z]{2,}(?![a-z])|[A-Z][a-z]+(?=[A-Z])|['\w\-]+")  # of contrib.learn


class VocabularyProcessor:
    """`tf.contrib.learn.preprocessing.VocabularyProcessor`: texts as ids of their words, 0 for what is unknown.

    Attributes:
      vocabulary_: has a length; `_mapping` is the ids by word.
    """

    def __init__(self, max_document_length, min_frequency=0, vocabulary=None, tokenizer_fn=None):
        self.max_document_length, self._min_frequency = max_document_length, min_frequency
        self._split = tokenizer_fn or (lambda texts: map(_WORD.findall, texts))
        self.vocabulary_ = vocabulary or _Vocabulary()

    def fit(self, raw_documents, unused_y=None):
        counts = collections.Counter(word for words in self._split(raw_documents) for word in words)
        self.vocabulary_.add(word for word, count in counts.items() if count > self._min_frequency)
        return self

    def transform(self, raw_documents):
        """Yields the ids of each text, int64 [max_document_length], filled up with zeros."""
        for words in self._split(raw_documents):
            ids = [self.vocabulary_.get(word) for word in words][: self.max_document_length]
            yield np.array(ids + [0] * (self.max_document_length - len(ids)), np.int64)

    def fit_transform(self, raw_documents, unused_y=None):
        raw_documents = list(raw_documents)
        return self.fit(raw_documents).transform(raw_documents)

    def save(self, filename):
        words = {"max_document_length": self.max_document_length, "words": list(self.vocabulary_._mapping)[1:]}
        write_file(filename, json.dumps(words))

    @classmethod
    def restore(cls, filename):
        with open(filename, encoding="utf-8") as file:
            saved = json.load(file)
        processor = cls(saved["max_document_length"])
        processor.vocabulary_.add(saved["words"])
        return processor


class _Vocabulary:
    def __init__(self):
        self._mapping = {"<UNK>": 0}

    def __len__(self):
        return len(self._mapping)

    def add(self, words):
        for word in words:
            self._mapping.setdefault(word, len(self._mapping))

    def get(self, word):
        return self._mapping.get(word, 0)
