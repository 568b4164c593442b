from pipeline.text.words import content_stems, stems_with_parts, words


def test_vowel_signs_belong_to_their_word() -> None:
    assert words("किलो शहद") == ["किलो", "शहद"]
    assert words("יֶלֶד") == ["יֶלֶד"]


def test_a_language_without_spaces_is_cut_into_words() -> None:
    assert words("备用钥匙在井边") == ["备用", "钥匙", "在", "井", "边"]
    assert words("แมวของเรา") == ["แมว", "ของ", "เรา"]


def test_names_stay_whole() -> None:
    assert words("Set sitetwin.toml’s all-MiniLM") == ["set", "sitetwin.toml's", "all-minilm"]


def test_stems_are_those_of_the_language() -> None:
    assert content_stems("Wo sind die Festplatten?", "de") == ["festplatt"]
    assert content_stems("Où est l'eau ?", "fr") == ["eau"]
    assert "festplatt" in stems_with_parts("zwei Festplatten", "de")
