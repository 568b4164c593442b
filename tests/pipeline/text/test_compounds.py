from pipeline.text.compounds import is_headed_by


def test_the_last_part_of_a_compound_says_what_it_is():
    assert is_headed_by("datensicherung", "sicherung")
    assert not is_headed_by("sicherungsdatei", "sicherung")
    assert not is_headed_by("sicherung", "sicherung")


def test_short_ends_are_chance():
    assert not is_headed_by("traum", "raum")
    assert not is_headed_by("entsicherung", "rung")
    assert not is_headed_by("v2.sicherung", "sicherung")
