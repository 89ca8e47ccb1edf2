"""This week on two pages of paper: the same look, the same words and figures, set by typst."""
