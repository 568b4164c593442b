"""The demo's multilingual embedder, with its real weights."""

import numpy as np
import pytest

from pipeline.embedding.bert_folder import load_tokenizer, read_prefixes
from pipeline.embedding.onnx_embedder import BertEmbedder
from pipeline.embedding.prefixes import EmbeddingPrefixes
from pipeline.weights.demo import MULTILINGUAL_EMBEDDING

TEXTS = (
    "how much protein per day",
    "Die Reifen des Tourenrads brauchen einen Druck von 4,5 bar, im Winter etwas weniger.",
    "黑麦面包在230度下烤55分钟。酵种在地窖里放一夜。",
    "राई की ब्रेड 230 डिग्री पर 55 मिनट तक पकती है।",
    "تقع خليتا النحل خلف البيت الزجاجي",
)


@pytest.mark.slow
def test_it_counts_and_compares_as_the_wheels_own_engine_does() -> None:
    folder = MULTILINGUAL_EMBEDDING.fetch()
    embedder = BertEmbedder(folder, 2, exact=True)
    prefixes = read_prefixes(folder)
    assert prefixes == EmbeddingPrefixes("query: ", "passage: ")
    encoded = load_tokenizer(folder, embedder.config).encode_batch([prefixes.document + text for text in TEXTS])
    assert [len(encoding.ids) for encoding in encoded] == [9, 24, 25, 19, 15]  # as its engine counted them
    vectors = embedder.embed([prefixes.document + text for text in TEXTS])
    question = embedder.embed([prefixes.query + "Wie viel Druck brauchen die Reifen?"])[0]
    # The engine's vectors have cosines of .9999 with these.
    assert vectors @ question == pytest.approx(np.array([0.809, 0.893, 0.745, 0.769, 0.722]), abs=0.005)
