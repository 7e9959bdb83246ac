"""Turn R's results into a finished run: tables, report, upload, manifest, promotion."""
