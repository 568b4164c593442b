"""The teacher without a model: questions by patterns, answers in the author's own sentences."""

from pipeline.dataset.teachers.extractive.teacher import ExtractiveTeacher

__all__ = ["ExtractiveTeacher"]
