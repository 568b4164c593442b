"""What the measures of voice say, and what they can't see."""

from pipeline.evaluation.measures.measure import About

VOICE = About(
    key="voice",
    title="Voice",
    sentence="How much it sounds like the author: 0 % is what other people's text reaches (where none is known, the base model's), "
    "100 % the author's own. It is the mean of those of the three figures below that tell the author from others.",
    cannot_see="whether a reader would take it for the author: measures of style agree with people and with each other only loosely",
)
WORDS = About(
    key="voice_words",
    title="Function words",
    sentence="How far it is from the author in the small words, such as “the”, “so” and “I”, that nobody chooses on purpose.",
    cannot_see="anything but single words, and a difference that is only one of kind: a guide is not a letter",
    better="lower",
    unit="distance",
)
FORM = About(
    key="voice_form",
    title="Form of sentences",
    sentence="How far it is from the author in the length of sentences and in punctuation.",
    cannot_see="which words stand between the signs",
    better="lower",
    unit="distance",
)
NGRAMS = About(
    key="voice_ngrams",
    title="Taken for the author",
    sentence="How much a classifier that has read the author and others takes it for the author's, with every fact masked.",
    cannot_see="what tells the author from people who write about other things in another kind of text: it may know the kind",
)
ABOUT = {about.key: about for about in (VOICE, WORDS, FORM, NGRAMS)}
"""By key, in the order of the report."""
