import pytest

from pipeline.servers.fine_tuning import FineTuningServer
from pipeline.servers.transport import ServerError
from tests.openai_server import BASE, KEY, OpenAIState, openai_server


@pytest.mark.parametrize("answer", [{"data": [{"message": "no id"}]}, {"data": "none"}, {"data": None}])
@pytest.mark.parametrize(
    "ask",
    [
        lambda server: server.uploaded("rows.jsonl"),
        lambda server: server.created("file-1"),
        lambda server: server.job("ftjob-1"),
        lambda server: server.events("ftjob-1", ""),
        lambda server: server.upload("rows.jsonl", b"{}"),
    ],
)
def test_an_answer_of_another_shape_names_the_setting(monkeypatch, ask, answer):
    monkeypatch.setattr(OpenAIState, "answer", lambda self, *asked: (200, answer))
    with openai_server() as (url, _):
        server = FineTuningServer(url, BASE, KEY)
        with pytest.raises(ServerError, match=r"is no model server .*: mend openai\.url"):
            ask(server)
        server.close()
