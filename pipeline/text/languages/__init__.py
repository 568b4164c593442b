"""What sitetwin knows about languages: a table for each (`de.toml`), scripts, and which language a text is in.

A rule that needs words takes them from the table of the text's language. For a language without a table such a rule
does not apply; the words' frequencies in the notes and the vectors decide then.
"""
