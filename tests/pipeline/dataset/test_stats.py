from pipeline.dataset.stats import without_rules_for


def test_languages_without_rules_are_named() -> None:
    polish = "Nasza szklarnia ma dwanaście metrów długości, a rano podlewam w niej wszystkie pomidory."
    german = "Unser Gewächshaus ist zwölf Meter lang, und ich gieße die Tomaten am Morgen."
    assert without_rules_for([polish, polish, german, "The greenhouse is twelve metres long."]) == {"pl": 2}
