"""From the results of R to a finished run: tables, report, upload, manifest, promotion."""
