import pytest

from pipeline.text.tokens import query_tokens, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Running runs", ["run", "run"]),
        ("mcp_settings.json", ["mcp_settings.json", "mcp_settings", "mcp", "set", "json"]),
        ("~/.config/app.toml", ["config/app.toml", "config", "app.toml", "app", "toml"]),
        ("lora_parameters", ["lora_parameters", "lora", "paramet"]),
        ("self_attn.q_proj", ["self_attn.q_proj", "self_attn", "self", "attn", "q_proj", "proj"]),
        ("v0.12.1", ["v0.12.1", "0.12.1"]),
        ("maxTokens", ["maxtoken", "max", "token"]),
        ("HTTPServer", ["httpserver", "http", "server"]),
        ("E1101", ["e1101", "1101"]),
        ("C++ and C#", ["c++", "and", "c#"]),
        ("__init__", ["__init__", "init"]),
        ("don’t, the owner's", ["dont", "the", "owner"]),
        ("Café", ["cafe"]),
        ("東京都", ["東京", "京都"]),
        ("end. Start", ["end", "start"]),
        ("?!", []),
        ("", []),
    ],
)
def test_tokens(text, expected):
    assert tokens(text)[: len(expected)] == expected
    assert set(tokens(text)) >= set(expected)
    assert bool(tokens(text)) == bool(expected)


def test_a_name_is_asked_for_by_what_it_was_kept_as():
    for name in ("mcp_settings.json", "lora_parameters", "v0.12.1", "maxTokens", "sha256", "--retrieval", "C++"):
        assert set(query_tokens(f"What is `{name}`?")) <= set(tokens(f"Set {name} there.")) | {"set"}


def test_common_words_count_only_when_there_is_nothing_else():
    assert query_tokens("What is the apple?") == ["appl"]
    assert query_tokens("to be or not to be") == ["to", "be", "or", "not"]


def test_data_makes_one_token():
    assert len(tokens("aB3" * 2000)) == 1
