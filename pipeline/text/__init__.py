"""Text as words, stems, sentences, names and numbers: one kit for index, chat and data set."""
