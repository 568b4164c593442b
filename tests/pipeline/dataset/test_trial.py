import asyncio
from pathlib import Path

import pytest

from pipeline.dataset.plan import plan, plan_chunks, sources_of
from pipeline.dataset.records import Candidate
from pipeline.dataset.trial import read_chunks, sieve, write
from pipeline.errors import SitetwinError
from pipeline.settings import DatasetSettings, Settings
from pipeline.site import Site
from tests.pipeline.dataset import notes

PROSE = (
    "I let the dough rise for two hours at 24 degrees, since a warmer place makes the bread taste of nothing at all. "
)
SECTIONS = "".join(f"## Part {n}\n\nPart {n}. {PROSE * 3}\n\n" for n in range(4))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    for name, text in {
        "blog/bread.md": f"# Bread\n\n{SECTIONS}",
        "blog/2020/tea.md": f"# Tea\n\n{PROSE * 2}",
        "blog/code.md": "# Code\n\n```sh\n" + "make bread\n" * 40 + "```\n",
        "blog/diary.md": f"---\nprivate: true\n---\n# Diary\n\n{PROSE * 2}",
        "elsewhere/plans.md": f"# Plans\n\n{PROSE * 2}",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    blog = {"path": "blog", "visibility": "public"}
    return Settings(root=tmp_path, content=[blog], dataset={"stages": ["score", "judge"], "pairs_per_chunk": 2})  # type: ignore[list-item, arg-type]


def documents(settings: Settings, *args: object) -> list[str]:
    return sorted({source.document for source in read_chunks(settings, Site(settings).cut, *args)})  # type: ignore[arg-type]


def test_chunks_are_of_public_prose_unless_asked_otherwise(settings: Settings) -> None:
    assert documents(settings) == ["blog/2020/tea.md", "blog/bread.md"]
    assert documents(settings, "", "private") == ["blog/2020/tea.md", "blog/bread.md", "blog/diary.md"]
    cut = Site(settings).cut
    assert len(read_chunks(settings, cut)) > 3
    assert read_chunks(settings, cut, "", "public", 3) == read_chunks(settings, cut)[:3]


def test_a_folder_narrows_the_sources(settings: Settings) -> None:
    assert documents(settings, "blog/2020") == ["blog/2020/tea.md"]
    assert documents(settings, str(settings.root / "blog" / "2020")) == ["blog/2020/tea.md"]
    assert documents(settings, ".") == documents(settings)


def test_a_folder_of_no_source_is_private(settings: Settings) -> None:
    with pytest.raises(SitetwinError, match=r"no public text in .*elsewhere, 1 documents are private: choose public"):
        read_chunks(settings, Site(settings).cut, "elsewhere")
    assert documents(settings, "elsewhere", "private") == ["elsewhere/plans.md"]


def test_a_folder_without_text_says_what_is_wrong(settings: Settings) -> None:
    with pytest.raises(SitetwinError, match=r"no text .* in .*nowhere \(.*\): name a folder with Markdown"):
        read_chunks(settings, Site(settings).cut, "nowhere")


def test_public_text_that_is_too_short_is_not_called_private(settings: Settings) -> None:
    folder = settings.root / "blog" / "short"
    folder.mkdir()
    (folder / "public.md").write_text("# Tea\n\nThree minutes.\n", encoding="utf-8")
    (folder / "own.md").write_text("---\nprivate: true\n---\n# Key\n\nUnder the pot.\n", encoding="utf-8")
    with pytest.raises(SitetwinError, match="no text that is long enough"):
        read_chunks(settings, Site(settings).cut, "blog/short")


def test_chunks_are_asked_for_what_a_build_asks() -> None:
    several = [notes.document(number) for number in range(3)]
    wanted = DatasetSettings(pairs_per_chunk=4)
    sources = [source for document in several for source in sources_of(document, notes.cut)]
    assert plan_chunks(sources, wanted, "dry") == plan(several, notes.cut, wanted, "dry")


def test_a_second_run_asks_nothing_and_another_teacher_everything(settings: Settings) -> None:
    sources = read_chunks(settings, Site(settings).cut, limit=3)
    first = notes.FirstSentences()
    written = asyncio.run(write(sources, first, settings))
    assert len(written.candidates) >= 6
    assert written.asked == len(first.asked) > 0
    assert {candidate.sources[0] for candidate in written.candidates} == set(sources)
    again = asyncio.run(write(sources, notes.FirstSentences(), settings))
    assert again.asked == 0
    assert again.candidates == written.candidates
    assert asyncio.run(write(sources, notes.FirstSentences("another prompt"), settings)).asked == written.asked
    # no data set came of it
    assert [path.name for path in (settings.state / "datasets").iterdir() if path.is_dir()] == []


def test_a_teacher_without_a_pair_says_so(settings: Settings) -> None:
    class Silent:
        name = "silent"

        async def write(self, task: object) -> list[object]:
            return []

    with pytest.raises(SitetwinError, match="the teacher wrote no pair: change the prompt"):
        asyncio.run(write(read_chunks(settings, Site(settings).cut), Silent(), settings))  # type: ignore[arg-type]


def test_the_filter_is_that_of_a_build(settings: Settings) -> None:
    candidates = asyncio.run(
        write(read_chunks(settings, Site(settings).cut), notes.FirstSentences(), settings)
    ).candidates
    low = candidates[0].pair.model_copy(update={"accuracy": 2})
    judge = notes.WordJudge(candidates[1].pair.question)
    sieved = asyncio.run(
        sieve(
            [Candidate(low, candidates[0].sources), *candidates[1:], candidates[1]],
            judge,
            Site(settings).embed,
            settings,
        )
    )
    assert {rejected.pair.id: rejected.rejection.stage for rejected in sieved.rejected} == {
        low.id: "score",
        candidates[1].pair.id: "judge",
    }
    assert len(sieved.accepted) == len({candidate.pair.id for candidate in candidates}) - 2
