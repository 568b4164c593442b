"""`sitetwin eval`: asks several systems the same questions, judges the answers, and reports."""
