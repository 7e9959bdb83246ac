"""The report: one HTML file that opens from disk."""

from job.report.inputs import ReportInputs
from job.report.page import render_report

__all__ = ["ReportInputs", "render_report"]
