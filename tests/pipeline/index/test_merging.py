from pipeline.index.merging import merge_siblings

LAMP = "The lamp of the hall is lit at dusk by the warden, who has the only key to its glass. " * 3


def merged(texts: dict[str, str], count: int = 10) -> tuple[list[str], dict[str, str]]:
    """Passages named `document#n`, in their order."""
    return merge_siblings(texts, lambda id: id.split("#")[0], texts.__getitem__, count)


def test_the_same_text_twice_in_a_document_is_one_passage():
    assert merged({"a#1": LAMP, "a#2": "Oil\n" + LAMP, "a#3": "Another matter."}) == (["a#1", "a#3"], {"a#2": "a#1"})


def test_case_and_spaces_make_no_difference():
    assert merged({"a#1": "The lamp\n  is lit at dusk.", "a#2": "the lamp is lit  at dusk."})[1] == {"a#2": "a#1"}


def test_two_documents_may_say_the_same():
    assert merged({"a#1": LAMP, "b#1": LAMP}) == (["a#1", "b#1"], {})


def test_a_longer_passage_than_the_better_one_has_more_to_say():
    longer = LAMP + " ".join(f"In year {year} it was renewed." for year in range(1900, 1940))
    assert merged({"a#1": LAMP, "a#2": longer}) == (["a#1", "a#2"], {})
    assert merged({"a#1": longer, "a#2": LAMP}) == (["a#1"], {"a#2": "a#1"})


def test_windows_that_overlap_a_little_stay_apart_and_near_copies_do_not():
    text = " ".join(f"Sentence {number} is about matter {number * 7}." for number in range(100))
    windows = {f"a#{start}": text[start : start + 1000] for start in (0, 900, 1800)}
    assert merged(windows) == (list(windows), {})
    near = {f"a#{start}": text[start : start + 1000] for start in (0, 100, 900)}
    assert merged(near) == (["a#0", "a#900"], {"a#100": "a#0"})


def test_short_texts_under_their_headings_stay_apart():
    assert merged({"a#1": "Changes > v1.2\nNone.", "a#2": "Changes > v1.3\nNone."}) == (["a#1", "a#2"], {})


def test_the_next_passages_take_the_free_places():
    texts = {"a#1": LAMP, "a#2": LAMP, "a#3": LAMP, "b#1": "Oil.", "c#1": "Wick.", "d#1": "Glass."}
    assert merged(texts, 3) == (["a#1", "b#1", "c#1"], {"a#2": "a#1", "a#3": "a#1"})


def test_languages_without_spaces_are_compared_too():
    text = "広間の灯りは夕暮れに番人がともし、硝子の鍵は番人だけが持っている。" * 2
    assert merged({"a#1": text, "a#2": text, "a#3": "油は毎月一度だけ取り替えられる決まりである。"})[0] == [
        "a#1",
        "a#3",
    ]


def test_nothing_is_nothing():
    assert merged({}) == ([], {})
    assert merged({"a#1": "", "a#2": ""}) == (["a#1"], {"a#2": "a#1"})
