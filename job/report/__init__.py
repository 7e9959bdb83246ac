"""The report: self-contained HTML files about a finished training."""

from job.report.inputs import ReportInputs
from job.report.page import render_report
from job.report.summary import render_summary

__all__ = ["ReportInputs", "render_report", "render_summary"]
