"""Questions about a title in languages whose grammar is not known here."""

import re

_LANGUAGES = {
    "de": ("der die das und ist nicht ich ein eine mit für auf zu den von sich auch es wir", "Was schreibst du in „{t}“?", "Was schreibst du in „{t}“ über „{x}“?"),
    "fr": ("le la les et est pas je un une des pour dans que qui sur avec ce il nous vous", "Que dites-vous dans « {t} » ?", "Que dites-vous de « {x} » dans « {t} » ?"),
    "es": ("el la los las y es no que un una de en por para con se del lo mi como", "¿Qué cuentas en «{t}»?", "¿Qué cuentas sobre «{x}» en «{t}»?"),
    "it": ("il lo la gli le e è non che un una di in per con si del mi come sono", "Che cosa scrivi in «{t}»?", "Che cosa scrivi su «{x}» in «{t}»?"),
    "pt": ("o a os as e é não que um uma de em por para com se do da meu como", "O que escreves em «{t}»?", "O que escreves sobre «{x}» em «{t}»?"),
    "nl": ("de het een en is niet ik van op voor met dat die te in zijn ook we er aan", "Wat schrijf je in “{t}”?", "Wat schrijf je over “{x}” in “{t}”?"),
}  # fmt: skip
_FEWEST_SHARE = 0.2
"""Of a text's words, those that are among a language's commonest."""


def ask_about(title: str, heading: str, text: str) -> str:
    """ "" when the language is none of those that are known by their commonest words."""
    found = re.findall(r"[^\W\d_]+", text.lower())
    shares = {
        code: sum(word in common.split() for word in found) / max(1, len(found))
        for code, (common, _, _) in _LANGUAGES.items()
    }
    best = max(shares, key=lambda code: shares[code])
    if shares[best] < _FEWEST_SHARE:
        return ""
    _, of_title, of_heading = _LANGUAGES[best]
    is_told = heading and heading.casefold() != title.casefold()
    return of_heading.format(t=title, x=heading) if is_told else of_title.format(t=title)
