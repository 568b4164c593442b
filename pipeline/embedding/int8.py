"""What an encoder in int8 must know: how large its inputs become."""

from typing import TYPE_CHECKING

import numpy as np

from pipeline.embedding.bert import IDS, Arrays, observer
from pipeline.weights.onnx_sessions import session_options

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from pipeline.embedding.bert_folder import Config

SAMPLE = (
    "The harbour office opens at eight. Ships that arrive during the night wait outside, because the pilot, who lives "
    "in the village, is not woken for anything smaller than a storm.",
    "## Installation\n\nRun `make up`, then open http://127.0.0.1:8000. If port 8000 is taken, set `port = 8080` under "
    "[web]; error E1042 means that the address is in use (see issue #317).",
    "def mean(values: list[float]) -> float:\n    if not values:\n        raise ValueError('no values')\n"
    "    return sum(values) / len(values)",
    "In 2019 revenue rose by 14.2 % to $3.6 million; in 2020, with the shops closed from March to June, it fell to "
    "$2.9 million, of which 61 % came from orders over the internet.",
    'She said: "I don\'t think we should go." He laughed, put the letter back into its envelope, and asked her what '
    "she would have done in his place. Nobody answered. Outside it had begun to snow again.",
    "| name | type | default |\n| --- | --- | --- |\n| timeout | seconds | 30 |\n| retries | number | 3 |\n"
    "- [ ] ask Anna about the lease\n- [x] book the train to Zürich, 12:47, platform 9",
    "The liver removes about 90 % of the drug on its first pass; patients with impaired renal function need half the "
    "dose, and plasma levels should be checked after 48 hours (Müller et al., 2015, doi:10.1000/182).",
    "what does it cost?",
    "Photosynthesis turns light, water and carbon dioxide into sugar and oxygen. Most of the energy is lost as heat, "
    "which is why a leaf uses no more than a few per cent of the light that reaches it, and why plants in deep shade "
    "grow slowly however rich the soil is. Farmers have long known that a field gains more from an early spring than "
    "from a hot summer: growth depends on the number of days on which neither cold nor drought closes the pores of the "
    "leaves. Article 4 of the agreement, as amended by the decision of 12 June, obliges both parties to publish their "
    "measurements, free of charge, in a form that a machine can read.",
)
"""Prose, a table, code and numbers. Another sample gives other vectors, so rename `onnx_embedder.INT8` with it."""


def peaks(arrays: Arrays, config: "Config", tokenizer: "Tokenizer") -> dict[str, np.ndarray]:
    """The greatest magnitude of each input of each linear layer over `SAMPLE`, as `bert.encoder` takes it: (inputs,) by layer."""
    import onnxruntime

    model = observer(arrays, heads=config.heads, epsilon=config.epsilon, activation=config.activation)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), session_options(0), providers=["CPUExecutionProvider"]
    )
    layers = [output.name for output in session.get_outputs()]
    seen = [
        session.run(layers, {IDS: np.array([encoding.ids], np.int64)})
        for encoding in tokenizer.encode_batch(list(SAMPLE))
    ]
    return {layer: np.max(values, 0) for layer, values in zip(layers, zip(*seen, strict=True), strict=True)}
