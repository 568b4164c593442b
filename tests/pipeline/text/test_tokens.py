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
        ("東京都", ["東京", "東", "京", "都"]),
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


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "Festplatten", ["festplatt"]),
        ("de", "Äpfel", ["apfel", "äpfel"]),
        ("fr", "L'eau s'appelle", ["l", "eau", "s", "appel"]),
        ("ru", "ключи ёлка", ["ключ", "елк", "ёлка"]),
        ("hi", "मेहमानों के लिए", ["मेहमान", "क", "ल"]),
        ("ar", "المفتاحُ", ["مفتاح", "المفتاحُ"]),
        ("zh", "钢琴调音", ["钢琴", "钢", "琴", "调音", "调", "音"]),
        ("zh", "显卡好。卡", ["显", "卡", "好", "卡", "显卡", "卡好"]),
        ("zh", "维也纳", ["维也纳", "维也", "也纳", "维", "也", "纳"]),
        ("ja", "猫の名前", ["猫", "の", "名前", "名", "前"]),
        ("th", "แมวของเรา", ["แมว", "ของ", "เรา"]),
        ("ko", "고양이는 고양이의", ["고양", "고양"]),
        ("ko", "2022년에는", ["2022년", "2022", "년"]),
        ("vi", "mèo", ["meo", "mèo"]),
        ("sv", "flickorna", ["flick"]),
    ],
)
def test_words_follow_the_rules_of_their_language(language: str, text: str, expected: list[str]) -> None:
    assert tokens(text, language) == expected


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "Wo ist die Katze?", ["katz"]),
        ("zh", "备用钥匙在哪里？", ["备用", "钥匙"]),
        ("zh", "猫叫什么名字？", ["猫", "叫", "名字"]),
        ("zh", "支持哪些显卡？", ["支持", "显", "卡", "显卡"]),
        ("ja", "合鍵はどこにありますか？", ["合鍵"]),
        ("ko", "열쇠는 어디에 있나요?", ["열쇠"]),
        ("hi", "चाबी कहाँ है?", ["चाब"]),
        ("vi", "con mèo ở đâu", ["mèo"]),
        ("vi", "meo mun", ["meo", "mun"]),
    ],
)
def test_a_question_is_searched_by_its_words_with_meaning(language: str, text: str, expected: list[str]) -> None:
    assert query_tokens(text, language) == expected


def test_a_word_is_found_without_its_accents_and_first_with_them() -> None:
    assert "schon" in tokens("schön", "de")
    assert query_tokens("schön", "de") == ["schon"]
    assert query_tokens("schön", "de", exact=True) == ["schon", "schön"]
    assert "schön" not in tokens("schon", "de")


def test_other_scripts_within_a_text_have_their_own_rules() -> None:
    assert tokens("Die Katze слушает музыку", "de")[2:] == ["слуша", "музык"]
    assert tokens("用 gateways", "zh") == ["用", "gateway"]
