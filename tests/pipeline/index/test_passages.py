from pipeline.index.passages import SyncReport


def test_the_summary_of_a_sync() -> None:
    one = SyncReport(added=1, unchanged=8, chunks_embedded=1, seconds=2.34)
    assert one.summary() == "1 added, 8 unchanged; 1 chunk embedded in 2.3 s"
    some = SyncReport(added=2, skipped=1, chunks_embedded=0, seconds=1)
    assert some.summary() == "2 added, 1 skipped; 0 chunks embedded in 1.0 s; `sitetwin status` says why"


def test_an_empty_folder_gets_a_next_step() -> None:
    said = "no documents: write notes, or name their folder under [[content]] in sitetwin.toml"
    assert SyncReport(seconds=3).summary() == said
