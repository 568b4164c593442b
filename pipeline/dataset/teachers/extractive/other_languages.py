"""Texts that are not English: which language, and questions about a title where no other grammar is known here."""

import re

_LANGUAGES = {
    "German": ("der die das und ist nicht ich ein eine mit für auf zu den von sich auch es wir", "Was schreibst du in „{t}“?", "Was schreibst du in „{t}“ über „{x}“?"),
    "French": ("le la les et est pas je un une des pour dans que qui sur avec ce il nous vous", "Que dites-vous dans « {t} » ?", "Que dites-vous de « {x} » dans « {t} » ?"),
    "Spanish": ("el la los las y es no que un una de en por para con se del lo mi como", "¿Qué cuentas en «{t}»?", "¿Qué cuentas sobre «{x}» en «{t}»?"),
    "Italian": ("il lo la gli le e è non che un una di in per con si del mi come sono", "Che cosa scrivi in «{t}»?", "Che cosa scrivi su «{x}» in «{t}»?"),
    "Portuguese": ("o a os as e é não que um uma de em por para com se do da meu como", "O que escreves em «{t}»?", "O que escreves sobre «{x}» em «{t}»?"),
    "Dutch": ("de het een en is niet ik van op voor met dat die te in zijn ook we er aan", "Wat schrijf je in “{t}”?", "Wat schrijf je over “{x}” in “{t}”?"),
}  # fmt: skip
_FEWEST_SHARE = 0.2
"""Of a text's words, those that are among a language's commonest."""


def language_of(text: str) -> str:
    """Its English name by the commonest words of the text; "" when it is none of these or English."""
    found = re.findall(r"[^\W\d_]+", text.lower())
    shares = {
        name: sum(word in common.split() for word in found) / max(1, len(found))
        for name, (common, _, _) in _LANGUAGES.items()
    }
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] >= _FEWEST_SHARE else ""


def ask_about(title: str, heading: str, text: str) -> str:
    """ "" when the language of `text` is not known."""
    language = language_of(text)
    if not language:
        return ""
    _, of_title, of_heading = _LANGUAGES[language]
    is_told = heading and heading.casefold() != title.casefold()
    return of_heading.format(t=title, x=heading) if is_told else of_title.format(t=title)
