"""English words that say nothing about a subject. Those of other languages stand in `pipeline/text/languages`."""

from pipeline.text.languages.tables import table

STOP_WORDS = table("en").stop_words
"""Words that a keyword search leaves out. A question such as `how to use it` still needs words that stand only below."""

FUNCTION_WORDS = table("en").function_words
"""Words that any question is made of, whatever it is about."""
