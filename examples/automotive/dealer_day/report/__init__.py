"""The HTML report of a day: one file without scripts, outside resources or anything that came unescaped."""
