"""What is measured of an answer. Each measure is one small file and one line in the table."""

from pipeline.evaluation.measures.measure import JUDGED, MEASURES, About, Judged, Measure, measures

__all__ = ["JUDGED", "MEASURES", "About", "Judged", "Measure", "measures"]
