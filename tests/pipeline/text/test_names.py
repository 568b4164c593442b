from pipeline.text.names import as_written, named, names, quoted


def test_what_is_written_like_a_name() -> None:
    assert names("Which version of Debian runs on my old iPhone?") == {"debian", "iphon"}
    assert names("WHY DOES IT NOT WORK") == set()


def test_the_first_word_of_a_sentence_is_no_name() -> None:
    assert names("That is fine. Anyway, can I file online? Maybe in Ohio?") == {"ohio"}
    assert names("Who plays the organ in St. Louis on Dec. Friday?") == {"st", "loui", "dec", "friday"}


def test_an_apostrophe_is_one_in_either_shape() -> None:
    assert names("What does the Driver’s License cost me?") == names("What does the Driver's License cost me?")


def test_a_german_noun_is_no_name() -> None:
    assert names("Welche Festplatte ist im Server?", "de") == set()
    assert names("Läuft Debian 12 auf dem ThinkPad?", "de") == {"12", "thinkpad"}


def test_code_and_files_are_names_and_bare_numbers_are_not() -> None:
    assert named("Set `gateway.port` to 8765 in sitetwin.toml") == {"gateway", "port", "sitetwin", "toml"}
    assert named("It is a Linux-based box") == {"linux"}


def test_what_stands_in_quotation_marks() -> None:
    assert quoted('He said “come in” and "sit"') == ["come in", "sit"]


def test_a_stem_is_shown_as_it_was_written() -> None:
    assert as_written("gateway", "All Gateways listen") == "Gateways"
    assert as_written("nothing", "All Gateways listen") == "nothing"
