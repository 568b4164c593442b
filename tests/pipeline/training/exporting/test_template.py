import pytest
from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from pipeline.training.exporting.template import Render, find_pieces, render_with
from tests.families import tokenizer

CHATML = (
    "{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
SMOLLM = (
    "{% for m in messages %}{% if loop.first and m['role'] != 'system' %}<|im_start|>system\nI am SmolLM<|im_end|>\n"
    "{% endif %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
LLAMA = (
    "{% for m in messages %}{{ '<|start_header_id|>' + m['role'] + '<|end_header_id|>\n\n' + m['content'] | trim + "
    "'<|eot_id|>' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
GEMMA = (
    "{% if messages[0]['role'] == 'system' %}{% set first = messages[0]['content'] + '\n\n' %}{% set rest = messages[1:] %}"
    "{% else %}{% set first = '' %}{% set rest = messages %}{% endif %}{% for m in rest %}"
    "{% set role = 'model' if m['role'] == 'assistant' else m['role'] %}"
    "{{ '<start_of_turn>' + role + '\n' + (first if loop.first else '') + m['content'] | trim + '<end_of_turn>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
MISTRAL = (
    "{% for m in messages %}{% if m['role'] == 'user' %}[INST] {{ m['content'] }} [/INST]"
    "{% elif m['role'] == 'assistant' %}{{ m['content'] }}</s>{% else %}{{ raise_exception('no system') }}{% endif %}"
    "{% endfor %}"
)
LAST = (
    "{% for m in messages %}{% if m['role'] == 'user' %}{% if loop.last and messages[0]['role'] == 'system' %}"
    "{{ messages[0]['content'] }} {% endif %}U:{{ m['content'] }}\n{% elif m['role'] == 'assistant' %}A:{{ m['content'] }}\n"
    "{% endif %}{% endfor %}"
)


def renderer(source: str) -> Render:
    def refuse(reason: str) -> None:
        raise TemplateError(reason)

    environment = ImmutableSandboxedEnvironment(keep_trailing_newline=True)
    environment.globals["raise_exception"] = refuse
    template = environment.from_string(source)
    return lambda messages, is_opened: template.render(messages=messages, add_generation_prompt=is_opened)


def chat(*texts: str, system: str = "") -> list[dict[str, str]]:
    first = [{"role": "system", "content": system}] if system else []
    return first + [{"role": "assistant" if n % 2 else "user", "content": text} for n, text in enumerate(texts)]


@pytest.mark.parametrize("source", [CHATML, SMOLLM, LLAMA, GEMMA], ids=["chatml", "smollm", "llama", "gemma"])
def test_the_pieces_make_what_the_template_makes(source):
    render = renderer(source)
    pieces = find_pieces(render)
    assert pieces
    for messages in (chat("Who?"), chat("Who?", "Me.", "Why?", system="Be kind."), chat("a", "b", "c", "d", "e")):
        assert pieces.render(messages) == render(messages, True)


def test_smollms_template_in_gos_words():
    pieces = find_pieces(renderer(SMOLLM))
    assert pieces
    assert pieces.as_go() == (
        "{{ if .System }}<|im_start|>system\n{{ .System }}<|im_end|>\n"
        "{{ else }}<|im_start|>system\nI am SmolLM<|im_end|>\n{{ end }}"
        '{{ range .Messages }}{{ if eq .Role "user" }}<|im_start|>user\n{{ .Content }}<|im_end|>\n'
        '{{ else if eq .Role "assistant" }}<|im_start|>assistant\n{{ .Content }}<|im_end|>\n{{ end }}{{ end }}'
        "<|im_start|>assistant\n"
    )


def test_a_system_message_goes_into_the_last_question_where_the_template_puts_it():
    pieces = find_pieces(render_with(tokenizer("mistral3")))
    assert pieces
    assert pieces.render(chat("Who?", "Me.", "Why?", system="Be kind.")) == (
        "[INST] Who?[/INST] Me.</s>[INST] Be kind.\n\nWhy?[/INST]"
    )
    last = "[INST] {{ if and $.System (eq (len (slice $.Messages $i)) 1) }}{{ $.System }}\n\n{{ end }}{{ .Content }}[/INST]"
    assert last in pieces.as_go()


def test_a_system_message_goes_into_the_first_question_where_the_template_has_or_allows_it():
    gemma, mistral = find_pieces(renderer(GEMMA)), find_pieces(renderer(MISTRAL))
    assert gemma
    assert mistral
    assert "<start_of_turn>user\n{{ if and $.System (eq $i 1) }}{{ $.System }}\n\n{{ end }}" in gemma.as_go()
    assert mistral.render(chat("Who?", system="Be kind.")) == "[INST] Be kind.\n\nWho? [/INST]"


@pytest.mark.parametrize(
    "source", [LAST, "{{ messages[0]['content'] }}", "{{ messages | length }}", CHATML + "{{ '{{' }}"]
)
def test_a_template_that_is_not_made_of_such_pieces_is_left_to_ollama(source):
    assert find_pieces(renderer(source)) is None
