"""The report of a study, from its run folder alone: tables, statistics, figures, one page."""
