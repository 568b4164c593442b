from pipeline.embedding.batches import batches, padded


def test_batches_hold_every_text_once_and_keep_to_the_budget() -> None:
    lengths = [5, 300, 7, 7, 90, 2, 11, 64]
    groups = list(batches(lengths, 100))
    assert sorted(row for group in groups for row in group) == list(range(8))
    assert groups[0] == [1]
    for group in groups[1:]:
        assert max(lengths[row] for row in group) * len(group) <= 100


def test_padding_is_masked() -> None:
    inputs = padded([[101, 7, 102], [101, 102]])
    assert inputs["input_ids"].tolist() == [[101, 7, 102], [101, 102, 0]]
    assert inputs["attention_mask"].tolist() == [[1, 1, 1], [1, 1, 0]]
