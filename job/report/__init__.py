"""The report: one self-contained HTML file about a finished training."""

from job.report.inputs import ReportInputs
from job.report.page import render_report

__all__ = ["ReportInputs", "render_report"]
