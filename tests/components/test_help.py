import re
from pathlib import Path

from fastapi import FastAPI
from starlette.testclient import TestClient

import components
from components.help import HELP_PATH, register


def test_another_langflow_has_the_page_that_each_component_links_to() -> None:
    app = FastAPI()
    register(app)
    text = TestClient(app).get(HELP_PATH).raise_for_status().text
    files = sorted(Path(components.__file__ or "").with_name("sitetwin").glob("*.py"))
    links = [re.findall(rf'documentation = "{HELP_PATH}#(.+)"', file.read_text("utf-8")) for file in files]
    assert not [anchor for (anchor,) in links if f'<h2 id="{anchor}">' not in text]
    assert "<h1>Components for Langflow</h1>" in text
    assert "<td>nothing is indexed yet</td>" in text
    # The other guides are not there.
    assert ".md" not in text.replace(".md`", "")
