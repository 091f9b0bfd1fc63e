"""`tf.contrib.learn.preprocessing.VocabularyProcessor`; its numbers are recorded from TensorFlow 1.15.5."""

import numpy as np
import pytest

from tf1 import vocabulary_processor
from tf1.vocabulary_processor import CategoricalVocabulary, VocabularyProcessor

TEXTS = ["the cat isn't a dog dog", "the dog sees the Zebra zebra <UNK>", "a HTMLPage cat"]


@pytest.mark.parametrize(
    "min_frequency, ids, words, again",
    [
        (
            0,
            [[1, 2, 3, 4, 5], [1, 5, 6, 1, 7], [4, 10, 11, 2, 0]],
            "<UNK> the cat isn't a dog sees Zebra zebra UNK HTML Page",
            "a HTML Page cat <UNK>",
        ),
        (1, [[2, 4, 0, 3, 1], [2, 1, 0, 2, 0], [3, 0, 0, 4, 0]], "<UNK> dog the a cat", "a <UNK> <UNK> cat <UNK>"),
        (2, [[2, 0, 0, 0, 1], [2, 1, 0, 2, 0], [0, 0, 0, 0, 0]], "<UNK> dog the", "<UNK> <UNK> <UNK> <UNK> <UNK>"),
    ],
)
def test_words_as_ids(min_frequency, ids, words, again):
    processor = VocabularyProcessor(5, min_frequency)
    found = list(processor.fit_transform(TEXTS))
    assert found[0].dtype == np.int64 and np.array_equal(found, ids)
    assert list(processor.reverse(found))[-1] == again and list(processor.vocabulary_._mapping) == words.split()
    assert list(processor.vocabulary_._mapping.values()) == list(range(len(words.split())))
    assert processor.vocabulary_.get("new") == 0 and len(processor.vocabulary_) == len(words.split())


def of_hyphens(texts):
    for text in texts:
        yield iter(text.split("-"))


def test_saved_with_its_tokenizer_and_its_counts(tmp_path):
    processor = VocabularyProcessor(4, 1, tokenizer_fn=of_hyphens).fit(["a-b-b", "b-a-c"])
    processor.save(str(tmp_path / "vocab"))
    restored = VocabularyProcessor.restore(str(tmp_path / "vocab"))
    np.testing.assert_array_equal(list(restored.transform(["c-b-a"])), [[0, 1, 2, 0]])
    assert (restored.max_document_length, restored.min_frequency) == (4, 1)
    restored.fit(["b-b-d"])
    assert restored.vocabulary_._freq == {"b": 5, "a": 2}


def test_a_vocabulary():
    vocabulary = CategoricalVocabulary()
    for category, counts in ("word", []), ("word", [4]), (7, []), (3, [2]), ("a", [2]), ("many", [100]):
        vocabulary.add(category, *counts)
    assert vocabulary._mapping == {"<UNK>": 0, "word": 1, 7: 2, 3: 3, "a": 4, "many": 5}
    assert vocabulary._freq == {"word": 5, 7: 1, 3: 2, "a": 2, "many": 100}
    vocabulary.trim(1, max_frequency=50)
    assert vocabulary._mapping == {"<UNK>": 0, "word": 1, 3: 2, "a": 3}
    vocabulary.freeze()
    vocabulary.add("new")
    assert [vocabulary.reverse(place) for place in range(4)] == ["<UNK>", "word", 3, "a"] and len(vocabulary) == 4
    vocabulary.freeze(False)
    vocabulary.add("new", count=3)
    assert vocabulary.get("new") == 4 and vocabulary.get("newer") == 5 and vocabulary._freq["new"] == 3
    with pytest.raises(IndexError):
        vocabulary.reverse(99)


def test_a_vocabulary_that_is_there_already():
    vocabulary = CategoricalVocabulary(unknown_token="?")
    vocabulary.add("x")
    processor = VocabularyProcessor(3, vocabulary=vocabulary)
    np.testing.assert_array_equal(list(processor.transform(["x y"])), [[1, 2, 0]])  # not frozen
    assert list(processor.reverse([[1, 0, 2]])) == ["x ? y"]
    with pytest.raises(ValueError, match="This vocabulary wasn't initialized with support_reverse"):
        CategoricalVocabulary(support_reverse=False).reverse(0)
    assert list(vocabulary_processor.tokenizer(["an HTMLPage"])) == [["an", "HTML", "Page"]]
